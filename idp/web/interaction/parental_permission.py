"""/parental-permission: a child below the age that a service sets has a parent asked, and waits (CON-7)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, assert_never

from flask import Blueprint, make_response

from idp.crypto.opaque import keyed_digest
from idp.domain.email_address import parse
from idp.domain.minimum_age import PermissionState, masked
from idp.protocol.authorization.interaction import Ask, Step
from idp.services.authorization import parental_permission, requests
from idp.services.authorization.parental_permission import (
    AlreadyGiven,
    OwnAddress,
    Requested,
    Wait,
)
from idp.web import cookies
from idp.web.http import form, redirect_to, retry_after
from idp.web.interaction.flow import PendingGone, go_on, link, next_step, pending
from idp.web.interaction.permission_words import notice_of
from idp.web.language import language
from idp.web.site import context
from idp.web.templating import form_page, moment, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.minimum_age import Permission
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.authorization.situation import Situation
    from idp.services.sign_in.sessions import SignedIn

blueprint = Blueprint("parental_permission", __name__)
_TEMPLATE = "interaction/parental_permission.html"


@blueprint.get("/parental-permission")
def show() -> str | Response:
    """Explain, or say where the answer stands; whoever is not at this step goes to theirs."""
    present, situation, signed_in = _asked()
    if situation is None or signed_in is None:
        return go_on(present)
    return page(_TEMPLATE, **_variables(situation, signed_in))


@blueprint.post("/parental-permission")
def submit() -> Response:
    """Mail the parent whose address was typed."""
    present, situation, signed_in = _asked()
    if situation is None or signed_in is None:
        return go_on(present)
    typed = form()
    if typed.get("person_mark") != _person_mark(signed_in):
        # Somebody else signed in while this page was open: it was not their parent's address.
        return redirect_to(link("parental_permission.show", present))
    address = typed.get("parent_email", "").strip()
    return _ask(present, situation, signed_in, address)


@blueprint.post("/parental-permission/again")
def again() -> Response:
    """Mail the same parent once more; the former link answers no more."""
    present, situation, signed_in = _asked()
    if situation is None or signed_in is None:
        return go_on(present)
    standing = _standing(situation, signed_in)
    if standing is None or standing.state is not PermissionState.ASKED:
        return redirect_to(link("parental_permission.show", present))
    return _ask(present, situation, signed_in, standing.parent_email)


@blueprint.post("/parental-permission/return")
def turn_back() -> Response:
    """Go back to the service without a permission."""
    present, situation, _ = _asked()
    if situation is None:
        return go_on(present)
    return next_step(parental_permission.turn_back(context(), situation), after_form=True)


def _ask(present: PendingAuthorization, situation: Situation, signed_in: SignedIn, address: str) -> Response:
    parsed = parse(address)
    if parsed is None:
        code = "email_malformed" if address else "parent_email_missing"
        return _wrong(situation, signed_in, sentence(code), address)
    outcome = parental_permission.ask(
        context(),
        signed_in.account,
        situation.client,
        parsed,
        contract=notice_of(situation.client),
        language=language(),
    )
    match outcome:
        case Requested():
            return redirect_to(link("parental_permission.show", present, notice="asked"))
        case AlreadyGiven():
            return go_on(present)
        case OwnAddress():
            return _wrong(situation, signed_in, sentence("parent_email_own"), address)
        case Wait(until):
            error = sentence("permission_wait", moment=moment(until))
            answer = _wrong(situation, signed_in, error, address, HTTPStatus.TOO_MANY_REQUESTS)
            return retry_after(answer, until - context().clock())
        case _:
            assert_never(outcome)


def _wrong(
    situation: Situation,
    signed_in: SignedIn,
    error: str,
    address: str,
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Response:
    content, _ = form_page(
        _TEMPLATE, {"parent_email": [error]}, {"parent_email": address}, **_variables(situation, signed_in)
    )
    return make_response(content, status)


def _asked() -> tuple[PendingAuthorization, Situation | None, SignedIn | None]:
    present = pending()
    if present is None:
        raise PendingGone
    situation = requests.situation_of(context(), present, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    if not isinstance(decision, Ask) or decision.step is not Step.PARENTAL_PERMISSION:
        return present, None, None
    return present, situation, situation.signed_in


def _standing(situation: Situation, signed_in: SignedIn) -> Permission | None:
    return parental_permission.latest(context(), signed_in.account.account_id, situation.client)


def _variables(situation: Situation, signed_in: SignedIn) -> dict[str, Any]:
    standing = _standing(situation, signed_in)
    now = context().clock()
    is_waiting = (
        standing is not None and standing.state is PermissionState.ASKED and now < standing.expires_at
    )
    return {
        "minimum_age": situation.client.minimum_age,
        "for_device": situation.request.origin.device is not None,
        "person_mark": _person_mark(signed_in),
        "waiting": is_waiting,
        "expired": standing is not None and standing.state is PermissionState.ASKED and not is_waiting,
        "refused": standing is not None and standing.state is PermissionState.REFUSED,
        "withdrawn": standing is not None and standing.state is PermissionState.WITHDRAWN,
        "may_ask": standing is None or standing.may_be_asked_again(now),
        "ask_again_at": None if standing is None else standing.ask_again_at(),
        "parent_email": None if standing is None else masked(standing.parent_email),
        "until": None if standing is None else standing.expires_at,
        "answered_at": None if standing is None else standing.answered_at,
    }


def _person_mark(signed_in: SignedIn) -> str:
    """Name whom a page was shown to, so that nobody else's parent is asked."""
    return keyed_digest(context().derived.csrf, "parental_permission", signed_in.account.account_id).hex()[
        :32
    ]
