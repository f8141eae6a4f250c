"""/account/email, /undo-email: another login address, proven by its mailbox; the old one may undo it (PRO-1)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, assert_never

from flask import Blueprint, make_response

from idp.domain import email_address
from idp.domain.email_address import EmailFault
from idp.domain.errors import ThrottledUntil
from idp.services.account import email_address as use_case
from idp.services.account.email_address import WaitingChange
from idp.services.account.mailed_code import CodeExhausted, CodeExpired, MailsExhausted, Resent, WrongCode
from idp.storage.repositories.email_changes import EmailChange
from idp.web import cookies, mailed_link
from idp.web.account import mailed_code
from idp.web.http import client_address, form, query, redirect_to, url
from idp.web.sessions import (
    forget,
    present_person,
    recent_sign_in_needed,
    recent_sign_in_needed_or,
    sign_in_needed,
    signed_in,
)
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("email_address", __name__)
_ASK: Final = "account/email.html"
_CODE_PAGE: Final = "account/email_code.html"
_LINK_PAGE: Final = "account/email_link.html"
_UNDO_PAGE: Final = "account/email_undo.html"
_UNDO_DAYS: Final = use_case.UNDO_LIFETIME.days


@blueprint.get("/account/email")
@recent_sign_in_needed
def show() -> str:
    """Ask for the new address."""
    return page(_ASK, undo_days=_UNDO_DAYS)


@blueprint.post("/account/email")
@recent_sign_in_needed_or("email_address.show")
def submit() -> Response:
    """Send the code; the answer is the same whoever the address belongs to (ACC-5).

    Raises:
        ThrottledUntil: Asked for again and again.
    """
    typed = form()
    address = typed.get("email", "").strip()
    parsed = email_address.parse(address)
    outcome = (
        email_address.fault(address)
        if parsed is None
        else use_case.begin(context(), present_person().account, parsed, address=str(client_address() or ""))
    )
    match outcome:
        case use_case.Begun():
            return redirect_to(url("email_address.code"))
        case ThrottledUntil():
            raise outcome
        case use_case.SameAddress():
            return make_response(
                *form_page(_ASK, {"email": [sentence("email_same")]}, typed, undo_days=_UNDO_DAYS)
            )
        case EmailFault():
            return make_response(
                *form_page(_ASK, {"email": [sentence(outcome)]}, typed, undo_days=_UNDO_DAYS)
            )
        case _:
            assert_never(outcome)


@blueprint.get("/account/email/code")
@sign_in_needed
def code() -> Response | str:
    """Wait for the code."""
    known = _waiting()
    return _nothing_waits() if known is None else page(_CODE_PAGE, **mailed_code.variables(known.email))


@blueprint.post("/account/email/code")
@sign_in_needed
def submit_code() -> Response:
    """Compare the code; each one that is compared is a try."""
    typed = mailed_code.typed_code(form())
    known = _waiting()
    if known is None:
        return _nothing_waits()
    malformed = mailed_code.malformed(typed)
    if malformed is not None:
        return _code_form(known, malformed)
    outcome = use_case.prove_by_code(context(), present_person(), typed)
    match outcome:
        case WrongCode() | CodeExpired() | CodeExhausted():
            return _code_form(known, mailed_code.refusal(outcome))
        case use_case.Changed() | use_case.AlreadyChanged():
            return redirect_to(url("email_address.changed"))
        case use_case.AddressTaken():
            return _taken()
        case use_case.Gone():
            return _nothing_waits()
        case _:
            assert_never(outcome)


@blueprint.post("/account/email/code/resend")
@sign_in_needed
def resend() -> Response:
    """Send another code."""
    form()
    known = _waiting()
    outcome = use_case.resend(context(), present_person().account)
    match outcome:
        case Resent():
            return redirect_to(url("email_address.code", notice="resent"))
        case MailsExhausted():
            return _nothing_waits() if known is None else _code_form(known, sentence("mail_throttled"))
        case use_case.Gone():
            return _nothing_waits()
        case _:
            assert_never(outcome)


@blueprint.get("/account/email/link")
def follow_link() -> Response | str:
    """Show a button: a GET proves nothing, for programs that read mail follow links (S-50, S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "email_address.follow_link")
    return _link_page()


@blueprint.post("/account/email/link")
@sign_in_needed
def prove_by_link() -> Response:
    """Prove the address, in whatever browser the same account is signed in."""
    token = form().get("token") or cookies.read(cookies.LINK)
    outcome = use_case.prove_by_link(context(), present_person(), token)
    cookies.write(cookies.LINK, None)
    match outcome:
        case use_case.Changed() | use_case.AlreadyChanged():
            return redirect_to(url("email_address.changed"))
        case use_case.AddressTaken():
            return _taken()
        case use_case.Gone():
            return _dead_link()
        case _:
            assert_never(outcome)


@blueprint.get("/account/email/changed")
@sign_in_needed
def changed() -> Response | str:
    """Say that it is done."""
    if not use_case.has_just_changed(context(), present_person().account.account_id):
        return redirect_to(url("account.show"))
    return page("account/email_changed.html")


@blueprint.get("/undo-email")
def look_at_undo() -> Response | str:
    """Say what the button undoes; nobody needs to be signed in, and a GET undoes nothing (S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "email_address.look_at_undo")
    token = cookies.read(cookies.LINK)
    found = use_case.look_at_undo(context(), token)
    if not isinstance(found, EmailChange):
        return _undo_answer("used" if isinstance(found, use_case.UndoUsed) else "gone")
    return page(_UNDO_PAGE, state="asked", email=found.old_email, token=token, changed_at=found.proven_at)


@blueprint.post("/undo-email")
def undo() -> Response:
    """Give the old address back and secure the account (LOG-6)."""
    token = form().get("token") or cookies.read(cookies.LINK)
    outcome = use_case.undo(context(), token)
    cookies.write(cookies.LINK, None)
    match outcome:
        case use_case.Undone():
            # Whoever is signed in here may have been in that account: what the cookie names has ended.
            if signed_in() is None:
                forget()
            return _undo_answer("undone")
        case use_case.UndoneAndLocked():
            return _undo_answer("locked")
        case use_case.UndoUsed():
            return _undo_answer("used")
        case use_case.UndoGone():
            return _undo_answer("gone")
        case _:
            assert_never(outcome)


@sign_in_needed
def _link_page() -> Response | str:
    token, account_id = cookies.read(cookies.LINK), present_person().account.account_id
    email = use_case.address_of_link(context(), account_id, token)
    if email is not None:
        return page(_LINK_PAGE, state="asked", email=email, token=token)
    return _dead_link()


def _waiting() -> WaitingChange | None:
    return use_case.waiting(context(), present_person().account.account_id)


def _nothing_waits() -> Response:
    """Answer the second of two clicks, or a change that is past its time."""
    is_done = use_case.has_just_changed(context(), present_person().account.account_id)
    return redirect_to(url("email_address.changed" if is_done else "email_address.show"))


def _code_form(known: WaitingChange, error: str) -> Response:
    return make_response(*form_page(_CODE_PAGE, {"code": [error]}, {}, **mailed_code.variables(known.email)))


def _taken() -> Response:
    return make_response(page(_LINK_PAGE, state="taken"), HTTPStatus.CONFLICT)


def _dead_link() -> Response:
    return make_response(page(_LINK_PAGE, state="gone"), HTTPStatus.GONE)


def _undo_answer(state: str) -> Response:
    status = HTTPStatus.GONE if state in {"used", "gone"} else HTTPStatus.OK
    return make_response(page(_UNDO_PAGE, state=state), status)
