"""GET and POST /accept-terms: a version that took effect since the last login (CGU-2, CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response

from idp.services.authorization import terms
from idp.web.http import form
from idp.web.interaction.flow import go_on, pending
from idp.web.language import language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.markdown import to_html
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.terms import TermsVersion

blueprint = Blueprint("accept_terms", __name__)
_TEMPLATE = "interaction/terms.html"


@blueprint.get("/accept-terms")
@sign_in_needed
def show() -> Response | str:
    """Show the version in force, to who accepted an older one."""
    waiting = pending()
    current = terms.in_force(context(), language())
    if _accepted_version() == current.version:
        return go_on(waiting)
    return page(_TEMPLATE, **_variables(current))


@blueprint.post("/accept-terms")
@sign_in_needed
def submit() -> Response:
    """Record the acceptance of the version that the page showed."""
    waiting = pending()
    typed = form()
    current = terms.in_force(context(), language())
    shown = typed.get("terms_version", current.version)
    if typed.get("terms") == "yes":
        account_id = present_person().account.account_id
        if terms.accept(context(), account_id, shown, language(), channel="sign_in") is not None:
            return go_on(waiting)
    errors = {"terms": [sentence("terms_required_again")]}
    content, status = form_page(_TEMPLATE, errors, {}, **_variables(current))
    return make_response(content, status)


def _accepted_version() -> str:
    return present_person().account.terms_version


def _variables(current: TermsVersion) -> dict[str, Any]:
    previous = terms.find(context(), _accepted_version(), language())
    return {
        "terms": {
            "version": current.version,
            "effective_at": current.effective_at,
            "title": current.title,
            "body_html": to_html(current.body),
        },
        "previous": previous,
    }
