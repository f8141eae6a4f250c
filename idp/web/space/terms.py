"""GET /terms, /terms/<version>, …/changes: every version, what changed, the annex of services (CGU-1, CGU-2, CGU-4)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Blueprint
from werkzeug.exceptions import NotFound

from idp.services.account.overview import open_services
from idp.services.authorization import terms as use_case
from idp.web.http import form, internal_path, query, redirect_to
from idp.web.language import language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.markdown import to_html
from idp.web.space.services import listed_service
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.domain.terms import TermsVersion

blueprint = Blueprint("terms", __name__)


@blueprint.get("/terms")
def show() -> str:
    """Show the version in force."""
    return _page_of(use_case.in_force(context(), language()))


@blueprint.get("/terms/<version>")
def show_version(version: str) -> str:
    """Show one version, at an address that stays.

    Raises:
        NotFound: There is no such version.
    """
    found = use_case.find(context(), version, language())
    if found is None:
        raise NotFound
    return _page_of(found)


@blueprint.get("/terms/<version>/changes")
def show_changes(version: str) -> str:
    """Show a version beside another one: that of `since`, else the one that it follows.

    Raises:
        NotFound: There is no such version, or it is the first one.
    """
    since = query().get("since") or use_case.version_before(context(), version)
    changes = None if since is None else shown_changes(since, version)
    if changes is None:
        raise NotFound
    return page("space/terms_changes.html", changes=changes)


@blueprint.post("/terms/notice")
@sign_in_needed
def put_notice_away() -> Response:
    """Announce a minor change no more to who has read that it is there."""
    typed = form()
    use_case.put_notice_away(context(), present_person().account.account_id, typed.get("version", ""))
    return redirect_to(internal_path(typed.get("next")) or "/")


def announced(account: Account) -> dict[str, Any] | None:
    """Give what the space says of the terms; None for nothing."""
    found = use_case.announced(context(), account, language())
    if not found:
        return None
    return {
        "open": None if found.open is None else named(found.open),
        "changed": None if found.changed is None else named(found.changed),
        "coming": None if found.coming is None else named(found.coming),
        "accepted": account.terms_version,
    }


def shown_changes(before: str, after: str) -> dict[str, Any] | None:
    """Give what changed from one version to another; None when that can't be said."""
    found = use_case.changes(context(), before, after, language())
    if found is None:
        return None
    return {"before": named(found.before), "after": named(found.after), "sections": found.sections}


def named(version: TermsVersion) -> dict[str, Any]:
    """Describe a version without its text."""
    return {
        "version": version.version,
        "language": version.language,
        "effective_at": version.effective_at,
        "is_major": version.is_major,
        "summary": version.summary,
    }


def _page_of(shown: TermsVersion) -> str:
    versions = use_case.list_versions(context(), language())
    states = _dated(versions)
    text = {"title": shown.title, "body_html": to_html(shown.body), "state": states[shown.version]}
    return page(
        "space/terms.html",
        terms=named(shown) | text,
        is_first=versions[-1].version == shown.version,
        versions=[named(one) | {"state": states[one.version]} for one in versions],
        rubriques=_annex(),
    )


def _dated(versions: list[TermsVersion]) -> dict[str, str]:
    """Say of each version whether it is "coming", "current" or "older"; they come latest first."""
    now = context().clock()
    past = [one.version for one in versions if one.effective_at <= now]
    return {
        one.version: "coming" if one.version not in past else "current" if one.version == past[0] else "older"
        for one in versions
    }


def _annex() -> list[dict[str, Any]]:
    """List the services that need a login, by rubrique; those without one come last (CGU-4)."""
    listed = sorted(open_services(context()), key=_place)
    return [
        {"name": rubrique, "services": [listed_service(client) for client in clients]}
        for rubrique, clients in groupby(listed, key=lambda client: client.rubrique or "")
    ]


def _place(client: Client) -> tuple[bool, str, str, str]:
    return not client.rubrique, client.rubrique or "", client.name.casefold(), client.client_id
