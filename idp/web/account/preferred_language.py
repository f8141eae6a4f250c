"""/account/language: the language of the pages and of the mails (UX-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, make_response

from idp.services.account import preferences
from idp.web.http import form, redirect_to, url
from idp.web.language import LANGUAGES, choose
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("preferred_language", __name__)
_TEMPLATE: Final = "account/language.html"


@blueprint.get("/account/language")
@sign_in_needed
def show() -> str:
    """Show the language of the account, which mails have; this browser may have chosen another one."""
    return page(_TEMPLATE, values={"language": present_person().account.language})


@blueprint.post("/account/language")
@sign_in_needed
def submit() -> Response:
    """Keep the choice, in the account and in this browser."""
    typed = form()
    wished = typed.get("language", "")
    if wished not in LANGUAGES:
        return make_response(*form_page(_TEMPLATE, {"language": [sentence("language_missing")]}, typed))
    preferences.choose_language(context(), present_person().account.account_id, wished)
    choose(wished)
    return redirect_to(url("preferred_language.show", notice="saved"))
