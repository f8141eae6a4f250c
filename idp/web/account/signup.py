"""/sign-up: opening an account; the address first, then the rest (ACC-1, ACC-3, ACC-4).

The handle of the sign-up is a cookie: the page's address says nothing, and a form can't name another's.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from flask import Blueprint, make_response

from idp.domain import email_address
from idp.domain.declared_identity import FIELDS
from idp.domain.errors import ThrottledUntil
from idp.services.account import signup
from idp.services.account.mailed_code import CodeExhausted, CodeExpired, MailsExhausted, Resent, WrongCode
from idp.services.account.signup import Details
from idp.services.authorization import requests, terms
from idp.services.sign_in.arrival import Arrived
from idp.web import cookies, mailed_link, portal_button
from idp.web.account import mailed_code
from idp.web.account.password_rules import password_errors, password_rules
from idp.web.federation import sign_up
from idp.web.http import client_address, form, query, redirect_to, url
from idp.web.interaction.flow import browser_hash, go_on, id_of, kept_pending, link, pending
from idp.web.language import language
from idp.web.sessions import signed_in, visit, welcome
from idp.web.site import context
from idp.web.templating import form_page, page, sentence, service_name

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from idp.domain.email_address import EmailAddress
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.account.signup import Incomplete, ProvenSignup, WaitingSignup

blueprint = Blueprint("signup", __name__)


@blueprint.get("/sign-up")
def show() -> Response | str:
    """Ask for the address; whoever is signed in has an account."""
    waiting = pending()
    if signed_in() is not None:
        return go_on(waiting)
    hint = "" if waiting is None else waiting.parameters.get("login_hint", "")
    return page(
        "account/signup.html",
        **portal_button.offered(waiting),
        values={"email": hint},
    )


@blueprint.post("/sign-up")
def submit() -> Response:
    """Send the code; the answer is the same whoever the address belongs to (ACC-5)."""
    waiting = pending()
    typed = form()
    address = typed.get("email", "").strip()
    parsed = email_address.parse(address)
    if parsed is None:
        return _address_form({"email": [sentence(email_address.fault(address))]}, typed)
    # Where no terms hold there is nothing to accept at the end: say so before a mail goes out.
    terms.in_force(context(), language())
    outcome = _begin(parsed, waiting)
    match outcome:
        case signup.Begun(handle):
            cookies.write(cookies.SIGNUP, handle)
            return redirect_to(link("signup.code", waiting))
        case signup.Throttled(until):
            raise ThrottledUntil(until)
        case _:
            assert_never(outcome)


@blueprint.get("/sign-up/code")
def code() -> Response | str:
    """Wait for the code."""
    waiting = pending()
    known = _waiting()
    if known is None:
        return redirect_to(link("signup.show", waiting))
    if known.is_proven and not known.by_franceconnect:
        return redirect_to(link("signup.details", waiting))
    return page("account/signup_code.html", **_code_variables(known, waiting))


@blueprint.post("/sign-up/code")
def submit_code() -> Response:
    """Compare the code; each one that is compared is a try."""
    waiting = pending()
    typed = mailed_code.typed_code(form())
    known = _waiting()
    if known is None:
        return redirect_to(link("signup.show", waiting))
    malformed = mailed_code.malformed(typed)
    if malformed is not None:
        return _code_form(known, waiting, malformed)
    handle = cookies.read(cookies.SIGNUP)
    outcome = signup.prove_by_code(context(), handle, browser_hash(), typed)
    match outcome:
        case signup.Proven() | signup.AlreadyProven():
            return _after_proof(handle, waiting, by_franceconnect=known.by_franceconnect)
        case WrongCode() | CodeExpired() | CodeExhausted():
            return _code_form(known, waiting, mailed_code.refusal(outcome))
        case signup.Gone():
            return redirect_to(link("signup.show", waiting))
        case _:
            assert_never(outcome)


@blueprint.post("/sign-up/code/resend")
def resend() -> Response:
    """Send another code."""
    waiting = pending()
    form()
    known = _waiting()
    outcome = signup.resend(
        context(), cookies.read(cookies.SIGNUP), browser_hash(), service_name=service_name()
    )
    match outcome:
        case Resent():
            return redirect_to(link("signup.code", waiting, notice="resent"))
        case MailsExhausted():
            if known is None:
                return redirect_to(link("signup.show", waiting))
            return _code_form(known, waiting, sentence("mail_throttled"))
        case signup.AlreadyProven():
            return redirect_to(link("signup.code", waiting))
        case signup.Gone():
            return redirect_to(link("signup.show", waiting))
        case _:
            assert_never(outcome)


@blueprint.get("/sign-up/link")
def follow_link() -> Response | str:
    """Show a button: a GET proves nothing, for programs that read mail follow links (S-50, S-272)."""
    token = query().get("token")
    if token is not None:
        return mailed_link.hidden(token, "signup.follow_link")
    token = cookies.read(cookies.LINK)
    email = signup.address_of_link(context(), token)
    if email is not None:
        return page("account/signup_link.html", email=email, token=token)
    known = _waiting()
    if known is not None and known.is_proven:
        return redirect_to(url("signup.code", pending=_live_pending(known.pending_id)))
    return _dead_link()


@blueprint.post("/sign-up/link")
def prove_by_link() -> Response:
    """Prove the address, for this browser."""
    token = form().get("token") or cookies.read(cookies.LINK)
    outcome = signup.prove_by_link(context(), token, browser_hash())
    cookies.write(cookies.LINK, None)
    match outcome:
        case signup.ProvenByLink(handle, proven):
            cookies.write(cookies.SIGNUP, handle)
            waiting = kept_pending(_live_pending(proven.pending_id))
            return _after_proof(handle, waiting, by_franceconnect=proven.franceconnect is not None)
        case signup.Gone():
            return _dead_link()
        case _:
            assert_never(outcome)


@blueprint.get("/sign-up/details")
def details() -> Response | str:
    """Ask for the password, the identity and the terms, once the address is proven."""
    waiting = pending()
    known = _proven()
    if known is None:
        return redirect_to(link("signup.code", waiting))
    return page("account/signup_details.html", **_details_variables(known), values={})


@blueprint.post("/sign-up/details")
def submit_details() -> Response:
    """Open the account, or say everything that is to be corrected."""
    waiting = pending()
    typed = form()
    known = _proven()
    if known is None:
        return _over(waiting)
    outcome = signup.complete(
        context(),
        cookies.read(cookies.SIGNUP),
        browser_hash(),
        Details(
            password=typed.get("password", ""),
            identity={name: typed.get(name, "") for name in FIELDS},
            accepts_terms=typed.get("terms") == "yes",
            terms_version=typed.get("terms_version"),
        ),
        language=language(),
        visit=visit(),
    )
    match outcome:
        case Arrived():
            cookies.write(cookies.SIGNUP, None)
            welcome(outcome)
            return go_on(waiting)
        case signup.Incomplete():
            content, status = form_page(
                "account/signup_details.html", _errors(outcome), typed, **_details_variables(known)
            )
            return make_response(content, status)
        case signup.Gone() if signed_in() is not None:
            return go_on(waiting)
        case signup.AddressTaken() | signup.Gone():
            # It was there a moment ago: the other of two clicks has opened the account, and its answer may be lost.
            cookies.write(cookies.SIGNUP, None)
            return redirect_to(link("login.show", waiting, notice="account_ready"))
        case _:
            assert_never(outcome)


def _begin(parsed: EmailAddress, waiting: PendingAuthorization | None) -> signup.Begun | signup.Throttled:
    return signup.begin(
        context(),
        parsed,
        browser_hash=browser_hash(),
        address=str(client_address() or ""),
        language=language(),
        pending_id=id_of(waiting),
        service_name=service_name(),
    )


def _waiting() -> WaitingSignup | None:
    return signup.waiting(context(), cookies.read(cookies.SIGNUP), browser_hash())


def _proven() -> ProvenSignup | None:
    """Find the proven sign-up that this page may complete; FranceConnect's has a page of its own."""
    known = signup.proven(context(), cookies.read(cookies.SIGNUP), browser_hash())
    return None if known is None or known.franceconnect is not None else known


def _live_pending(pending_id: str | None) -> str | None:
    """Keep the request that the sign-up began in, while it waits: a link lives longer than a request does."""
    if pending_id is None:
        return None
    found = requests.find_pending(context(), pending_id, browser_hash=browser_hash())
    return None if found is None else found.pending_id


def _after_proof(
    handle: str | None, waiting: PendingAuthorization | None, *, by_franceconnect: bool
) -> Response:
    if by_franceconnect:
        return sign_up.finish_sign_up(handle, waiting)
    return redirect_to(link("signup.details", waiting))


def _over(waiting: PendingAuthorization | None) -> Response:
    """Answer the second of two clicks, or a sign-up that is past its time."""
    return go_on(waiting) if signed_in() is not None else redirect_to(link("signup.show", waiting))


def _address_form(errors: dict[str, list[str]], typed: MultiDict[str, str]) -> Response:
    content, status = form_page("account/signup.html", errors, typed, **portal_button.offered(pending()))
    return make_response(content, status)


def _dead_link() -> Response:
    """Say that the link has served, and offer to begin again."""
    content = page(
        "account/signup.html",
        **portal_button.offered(),
        form_error=sentence("link_expired"),
    )
    return make_response(content, HTTPStatus.GONE)


def _code_variables(known: WaitingSignup, waiting: PendingAuthorization | None) -> dict[str, object]:
    again = "franceconnect.sign_up" if known.by_franceconnect else "signup.show"
    return {
        **mailed_code.variables(known.email),
        "by_franceconnect": known.by_franceconnect,
        "change_address_url": link(again, waiting),
    }


def _code_form(known: WaitingSignup, waiting: PendingAuthorization | None, error: str) -> Response:
    content, status = form_page(
        "account/signup_code.html", {"code": [error]}, {}, **_code_variables(known, waiting)
    )
    return make_response(content, status)


def _details_variables(known: ProvenSignup) -> dict[str, object]:
    return {
        "email": known.email,
        "password_rules": password_rules(),
        "terms": terms.in_force(context(), language()),
    }


def _errors(incomplete: Incomplete) -> dict[str, list[str]]:
    errors = {"password": password_errors(incomplete.password)} if incomplete.password else {}
    for name, fault in incomplete.identity.items():
        errors[name] = [sentence(fault.value, max_length=signup.LONGEST_NAME)]
    if incomplete.terms is not None:
        errors["terms"] = [sentence(incomplete.terms)]
    return errors
