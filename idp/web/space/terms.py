"""GET /terms and /terms/<version>: the terms of use, every version; the annex of services (CGU-1, CGU-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from werkzeug.exceptions import NotFound

from idp.services.account.overview import open_services
from idp.services.authorization import terms as use_case
from idp.web.language import language
from idp.web.site import context
from idp.web.space.markdown import to_html
from idp.web.space.services import listed_service
from idp.web.templating import page

if TYPE_CHECKING:
    from idp.domain.terms import TermsVersion

blueprint = Blueprint("terms", __name__)


@blueprint.get("/terms")
def show() -> str:
    """Show the version in force."""
    return _page_of(use_case.in_force(context(), language()), is_current=True)


@blueprint.get("/terms/<version>")
def show_version(version: str) -> str:
    """Show one version, at an address that stays.

    Raises:
        NotFound: There is no such version.
    """
    found = use_case.find(context(), version, language())
    if found is None:
        raise NotFound
    return _page_of(found, is_current=use_case.in_force(context(), language()).version == found.version)


def _page_of(shown: TermsVersion, *, is_current: bool) -> str:
    others = [one for one in use_case.list_versions(context(), language()) if one.version != shown.version]
    body = {"title": shown.title, "body_html": to_html(shown.body), "is_current": is_current}
    return page(
        "space/terms.html",
        terms=_named(shown) | body,
        older=[_named(one) for one in others],
        services=[listed_service(client) for client in open_services(context())],
    )


def _named(version: TermsVersion) -> dict[str, Any]:
    return {"version": version.version, "effective_at": version.effective_at}
