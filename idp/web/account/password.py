"""/forgotten-password, /new-password, /account/password: a new password by mail or from the account (PWD-8, PWD-9)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from flask import Blueprint, make_response

from idp.domain import email_address
from idp.services.account import password
from idp.services.sign_in.password import Throttled
from idp.web import cookies, mailed_link
from idp.web.account.password_rules import password_errors, password_rules
from idp.web.http import client_address, form, internal_path, query, redirect_to, retry_after, url
from idp.web.interaction.flow import browser_hash, id_of, kept_pending, link, pending
from idp.web.language import language
from idp.web.sessions import device_hash, forget, present_person, sign_in_needed
from idp.web.site import context
from idp.web.templating import form_page, moment, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.services.account.password import Reset

blueprint = Blueprint("password", __name__)
_LINK_MINUTES = int(password.LINK_LIFETIME.total_seconds() // 60)


@blueprint.get("/forgotten-password")
def forgotten() -> str:
    """Ask for the address."""
    waiting = pending()
    hint = "" if waiting is None else waiting.parameters.get("login_hint", "")
    return page("account/forgotten_password.html", values={"email": hint})


@blueprint.post("/forgotten-password")
def submit_forgotten() -> Response:
    """Send a link if the address has an account; the answer is the same if it has none."""
    waiting = pending()
    typed = form()
    address = typed.get("email", "").strip()
    if email_address.parse(address) is None:
        errors = {"email": [sentence(email_address.fault(address))]}
        content, status = form_page("account/forgotten_password.html", errors, typed)
        return make_response(content, status)
    pending_id = id_of(waiting)
    password.forgotten(context(), address, language=language(), pending_id=pending_id)
    return redirect_to(link("password.forgotten_sent", waiting))


@blueprint.get("/forgotten-password/sent")
def forgotten_sent() -> str:
    """Say that a mail is on its way, if there is an account; the address stands in no URL, hence not here."""
    pending()
    return page("account/forgotten_password_sent.html", email=None, link_minutes=_LINK_MINUTES)


@blueprint.get("/new-password")
def new() -> Response | str:
    """Show the form of a mailed link; a GET uses nothing up (S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "password.new")
    email = password.address_of_link(context(), cookies.read(cookies.LINK))
    return _dead_link() if email is None else page("account/new_password.html", **_new_variables(email))


@blueprint.post("/new-password")
def submit_new() -> Response:
    """Set the password; everybody who came in by the old one is out, and nobody comes in by the link (D-16)."""
    typed = form()
    token = cookies.read(cookies.LINK)
    email = password.address_of_link(context(), token)
    if email is None:
        return _used(token)
    outcome = password.reset(
        context(),
        token,
        typed.get("password", ""),
        browser_hash=browser_hash(),
        device_hash=device_hash(),
    )
    match outcome:
        case password.Reset():
            return _after_reset(outcome)
        case password.RulesBroken(rules):
            content, status = form_page(
                "account/new_password.html",
                {"password": password_errors(rules)},
                {},
                **_new_variables(email),
            )
            return make_response(content, status)
        case password.LinkGone():
            return _used(token)
        case _:
            assert_never(outcome)


@blueprint.get("/account/password")
@sign_in_needed
def show() -> str:
    """Ask for the current password and a new one; `next` is the page of ours that wanted it."""
    return page("account/password.html", **_change_variables(query().get("next")))


@blueprint.post("/account/password")
@sign_in_needed
def submit() -> Response:
    """Change the password; the other sessions end."""
    typed = form()
    present = present_person()
    current, new_one = typed.get("current_password", ""), typed.get("password", "")
    if not current and not present.account.password_is_generated:
        rules = password.broken_rules_of(context(), present.account, new_one)
        return _change_again(
            {"current_password": [sentence("password_missing")]}
            | ({"password": password_errors(rules)} if rules else {}),
            typed.get("next"),
        )
    outcome = password.change(
        context(),
        present,
        current,
        new_one,
        address=str(client_address() or ""),
        device_hash=device_hash(),
    )
    match outcome:
        case password.Changed(ended):
            content = page(
                "account/password_changed.html",
                signed_in=True,
                sessions_ended=ended,
                next_url=internal_path(typed.get("next")),
            )
            return make_response(content)
        case password.RulesBroken(rules):
            return _change_again({"password": password_errors(rules)}, typed.get("next"))
        case password.WrongCurrent():
            return _change_again(
                {"current_password": [sentence("current_password_wrong")]}, typed.get("next")
            )
        case Throttled(until):
            error = sentence("throttled", moment=moment(until))
            answer = _change_again(
                {"current_password": [error]}, typed.get("next"), HTTPStatus.TOO_MANY_REQUESTS
            )
            return retry_after(answer, until - context().clock())
        case password.FranceConnectNeeded():
            return redirect_to(url("password.show", next=internal_path(typed.get("next"))))
        case _:
            assert_never(outcome)


def _after_reset(done: Reset) -> Response:
    cookies.write(cookies.LINK, None)
    if done.new_device is not None:
        cookies.write(cookies.DEVICE, done.new_device)
    forget()
    kept_pending(done.pending_id)
    content = page(
        "account/password_changed.html", signed_in=False, sessions_ended=done.sessions_ended, next_url=None
    )
    return make_response(content)


def _used(token: str | None) -> Response:
    """Answer to a link that does nothing any more: the second of two clicks finds it done."""
    done = password.just_reset(context(), token, browser_hash=browser_hash())
    return _dead_link() if done is None else _after_reset(done)


def _dead_link() -> Response:
    cookies.write(cookies.LINK, None)
    content = page(
        "account/new_password.html", email="", token=None, password_rules=password_rules(), link_valid=False
    )
    return make_response(content, HTTPStatus.GONE)


def _new_variables(email: str) -> dict[str, object]:
    return {"email": email, "token": None, "password_rules": password_rules(), "link_valid": True}


def _change_variables(next_path: str | None) -> dict[str, object]:
    present = present_person()
    return {
        "next_url": internal_path(next_path),
        "password_rules": password_rules(),
        "generated": present.account.password_is_generated,
        "franceconnect_recent": password.is_fresh_franceconnect(context(), present),
    }


def _change_again(
    errors: dict[str, list[str]], next_path: str | None, status: int = HTTPStatus.UNPROCESSABLE_ENTITY
) -> Response:
    content, _ = form_page("account/password.html", errors, {}, **_change_variables(next_path))
    return make_response(content, status)
