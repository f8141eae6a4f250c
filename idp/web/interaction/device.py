"""/device: the code that a device shows, and where the answer ends (RFC 8628 section 3.3).

A code in the address (`verification_uri_complete`) is shown to be compared and nothing more: it acts once the person
has said that their device shows the same (section 5.4). What it opens is a request like any other.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, assert_never

from flask import Blueprint, make_response, request

from idp.domain.pending_authorization import PendingAuthorization
from idp.protocol.authorization.device import ANSWER_PATH, VERIFICATION_PATH, read_user_code, shown_user_code
from idp.protocol.errors import ErrorCode
from idp.services.authorization import device
from idp.services.authorization.device import Malformed, Throttled, Unknown
from idp.web.http import client_address, form, query, retry_after
from idp.web.interaction.flow import browser_hash, go_on
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response

blueprint = Blueprint("device", __name__)
_TEMPLATE: Final = "interaction/device.html"
#: What the errors of an authorization request mean to who stands before the device.
_ANSWERS: Final = {
    None: "allowed",
    ErrorCode.ACCESS_DENIED.value: "refused",
    ErrorCode.EXPIRED_TOKEN.value: "expired",
}


@blueprint.get(VERIFICATION_PATH)
def show() -> str:
    """Ask for the code, or have the one of the address compared; nothing is looked up yet."""
    letters = read_user_code(query().get("user_code", ""))
    return page(_TEMPLATE, **_variables(shown=None if letters is None else shown_user_code(letters)))


@blueprint.post(VERIFICATION_PATH)
def submit() -> Response:
    """Find the device, and go on with what it asks."""
    typed = form().get("user_code", "")
    outcome = device.open_request(
        context(), typed, address=str(client_address() or ""), browser_hash=browser_hash()
    )
    match outcome:
        case PendingAuthorization():
            return go_on(outcome)
        case Malformed():
            return _again(typed, "user_code_malformed" if typed.strip() else "user_code_missing")
        case Unknown():
            return _again(typed, "user_code_unknown")
        case Throttled(until):
            return _wait(until, typed)
        case _:
            assert_never(outcome)


@blueprint.get(ANSWER_PATH)
def answer() -> str:
    """Say how it ended. What stands in the address is only told: nothing is read or done here."""
    return page("interaction/device_answer.html", answer=_ANSWERS.get(request.args.get("error"), "failed"))


def _variables(*, shown: str | None = None, throttled_until: datetime | None = None) -> dict[str, object]:
    return {"shown": shown, "throttled_until": throttled_until}


def _again(typed: str, fault: str) -> Response:
    errors = {"user_code": [sentence(fault)]}
    return make_response(*form_page(_TEMPLATE, errors, {"user_code": typed}, **_variables()))


def _wait(until: datetime, typed: str) -> Response:
    content, _ = form_page(_TEMPLATE, {}, {"user_code": typed}, **_variables(throttled_until=until))
    return retry_after(make_response(content, HTTPStatus.TOO_MANY_REQUESTS), until - context().clock())
