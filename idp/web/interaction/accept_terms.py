"""GET and POST /accept-terms: a version that took effect since the last login (CGU-2, CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response

from idp.protocol.authorization.interaction import Ask, Step
from idp.services.authorization import requests, terms
from idp.services.authorization.declining import decline
from idp.web import cookies
from idp.web.http import form, internal_path, query
from idp.web.interaction.flow import PendingGone, go_on, next_step, pending
from idp.web.language import LANGUAGES, language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.markdown import to_html
from idp.web.space.terms import named, shown_changes
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.domain.terms import TermsVersion

blueprint = Blueprint("accept_terms", __name__)
_TEMPLATE = "interaction/terms.html"


@blueprint.get("/accept-terms")
@sign_in_needed
def show() -> Response | str:
    """Show the version in force, to who accepted an older one."""
    waiting, next_path = pending(), internal_path(query().get("next"))
    if not terms.must_accept(context(), present_person().account):
        return go_on(waiting, next_path)
    return page(_TEMPLATE, **_variables(terms.in_force(context(), language()), next_path))


@blueprint.post("/accept-terms")
@sign_in_needed
def submit() -> Response:
    """Record the acceptance of the version that the page showed."""
    waiting, typed = pending(), form()
    next_path = internal_path(typed.get("next"))
    if typed.get("decision") == "later":
        return _not_now(waiting)
    account = present_person().account
    if not terms.must_accept(context(), account):
        return go_on(waiting, next_path)
    if typed.get("terms") != "yes":
        return _again("terms_required_again", next_path)
    shown = typed.get("terms_version", "")
    if terms.accept(context(), account.account_id, shown, _language_shown(typed), channel="sign_in") is None:
        return _again("terms_changed_meanwhile", next_path)
    return go_on(waiting, next_path)


def _not_now(waiting: PendingAuthorization | None) -> Response:
    """Tell the service that the person does not go on; their account stays as it is.

    Raises:
        PendingGone: There is no service to tell.
    """
    if waiting is None:
        raise PendingGone
    situation = requests.situation_of(context(), waiting, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    if not isinstance(decision, Ask) or decision.step is not Step.TERMS:
        return go_on(waiting)
    return next_step(decline(context(), situation, "the new terms were not accepted"), after_form=True)


def _language_shown(typed: MultiDict[str, str]) -> str:
    """Name the language of the text that was read: it may have been switched in another tab since."""
    shown = typed.get("terms_language", "")
    return shown if shown in LANGUAGES else language()


def _again(code: str, next_path: str | None) -> Response:
    current = terms.in_force(context(), language())
    content, status = form_page(_TEMPLATE, {"terms": [sentence(code)]}, {}, **_variables(current, next_path))
    return make_response(content, status)


def _variables(current: TermsVersion, next_path: str | None) -> dict[str, Any]:
    accepted = present_person().account.terms_version
    return {
        "terms": named(current) | {"title": current.title, "body_html": to_html(current.body)},
        "changes": shown_changes(accepted, current.version),
        "previous": terms.find(context(), accepted, language()),
        "next_url": next_path,
    }
