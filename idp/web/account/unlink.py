"""/account/franceconnect/unlink: ask the city to end the link to FranceConnect, or take that back (FC-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from flask import Blueprint, make_response

from idp.domain.unlinking import LONGEST_MESSAGE
from idp.services.account import unlinking
from idp.services.account.unlinking import Asked, MessageTooLong, NotLinked, PasswordNeeded, Standing
from idp.web.http import form, redirect_to, url
from idp.web.sessions import present_person, recent_sign_in_needed
from idp.web.site import context, site
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("unlink", __name__)
_TEMPLATE: Final = "account/unlink.html"


@blueprint.get("/account/franceconnect/unlink")
@recent_sign_in_needed
def show() -> Response | str:
    """Say what ending the link means and ask for it; or show the request that waits."""
    standing = _standing()
    if not standing.is_linked:
        return redirect_to(url("identity.show"))
    return page(_TEMPLATE, **_variables(standing))


@blueprint.post("/account/franceconnect/unlink")
@recent_sign_in_needed
def submit() -> Response:
    """Put the request into the manager's queue; the second of two clicks finds it there."""
    typed = form()
    outcome = unlinking.ask(context(), present_person().account, typed.get("message", ""))
    match outcome:
        case Asked():
            return redirect_to(url("unlink.show", notice="asked"))
        case MessageTooLong():
            errors = {"message": [sentence("unlink_message_too_long", max_length=LONGEST_MESSAGE)]}
            return make_response(*form_page(_TEMPLATE, errors, typed, **_variables(_standing())))
        case PasswordNeeded() | NotLinked():
            # The page says so, or is no longer there.
            return redirect_to(url("unlink.show"))
        case _:
            assert_never(outcome)


@blueprint.post("/account/franceconnect/unlink/withdraw")
@recent_sign_in_needed
def withdraw() -> Response:
    """Take the request back, unless a manager was first."""
    is_withdrawn = unlinking.withdraw(context(), present_person().account)
    notice = "unlink_withdrawn" if is_withdrawn else "unlink_decided"
    return redirect_to(url("identity.show", notice=notice))


def _standing() -> Standing:
    return unlinking.standing(context(), present_person().account.account_id)


def _variables(standing: Standing) -> dict[str, object]:
    return {
        "open_request": standing.open_request,
        "refused_request": standing.refused_request,
        "password_needed": present_person().account.password_is_generated,
        "password_url": url("password.show", next=url("unlink.show")),
        "contact_url": site().city.contact_url,
        "longest_message": LONGEST_MESSAGE,
    }
