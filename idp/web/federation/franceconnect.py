"""/franceconnect/*: to FranceConnect, back, and what a person does with an identity that came back (FC-1, ACC-2).

The way there is a link, never a form: browsers apply `form-action` to each hop of a posted form.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, assert_never

from flask import Blueprint, g, make_response
from werkzeug.exceptions import BadRequest, NotFound

from idp.crypto.opaque import new_id
from idp.domain import email_address
from idp.domain.errors import ThrottledUntil
from idp.federation.upstream import UpstreamCallback
from idp.outbound.logs import get_logger
from idp.services.account import franceconnect_link, signup
from idp.services.authorization import terms
from idp.services.sign_in import federated, password
from idp.services.sign_in.arrival import Arrived
from idp.services.sign_in.federated import (
    Departure,
    Doubled,
    FirstTime,
    LinkComparison,
    Purpose,
    Reason,
    Refused,
    Way,
)
from idp.web import cookies
from idp.web.http import absolute, client_address, form, internal_path, query, redirect_to, url
from idp.web.interaction.flow import browser_hash, go_on, kept_pending, link, pending
from idp.web.interaction.login import terms_first
from idp.web.language import language
from idp.web.provenance import identity_rows, shown_value
from idp.web.sessions import present_person, recent_sign_in_needed, signed_in, visit, welcome
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.email_address import EmailAddress
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.sign_in.arrival import Visit
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.services.sign_in.sessions import SignedIn as Present

blueprint = Blueprint("franceconnect", __name__)
_log = get_logger("idp.franceconnect")

_STATUS = {
    Reason.REFUSED: HTTPStatus.OK,
    Reason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.MISBEHAVED: HTTPStatus.BAD_GATEWAY,
    Reason.LINKED_ELSEWHERE: HTTPStatus.CONFLICT,
    Reason.IDENTITY_TAKEN: HTTPStatus.CONFLICT,
    Reason.ALREADY_LINKED: HTTPStatus.CONFLICT,
    Reason.EXPIRED: HTTPStatus.BAD_REQUEST,
    Reason.LOCKED: HTTPStatus.FORBIDDEN,
}
_RETRY_SECONDS = "30"


@blueprint.get("/franceconnect/login")
def login() -> Response:
    """Send the browser to FranceConnect; `intent` says what for, when it is not to sign in."""
    _require_on()
    waiting = pending()
    intent = query().get("intent", "")
    if intent not in {"", "link", "password"}:
        raise BadRequest("unknown intent")
    if intent == "link":
        return _link_journey(waiting)
    if intent == "password":
        return _password_journey()
    present = signed_in()
    if (
        waiting is not None
        and present is not None
        and not franceconnect_link.is_linked(context(), present.account.account_id)
    ):
        # A service asks for a higher level, and this account is not linked yet: both sides must be proven (FC-4).
        return _link_journey(waiting)
    way = Way(None if waiting is None else waiting.pending_id, internal_path(query().get("next")))
    return _leave(Purpose.SIGN_IN, None, way)


@blueprint.get("/franceconnect/callback")
def callback() -> Response:
    """Take back who comes from FranceConnect, or the reason why nobody does."""
    _require_on()
    received = query()
    present = signed_in()
    outcome = federated.callback(
        context(),
        received.get("state", ""),
        UpstreamCallback(received.get("code"), received.get("error"), received.get("iss")),
        browser_hash=browser_hash(),
        present=None if present is None else present.account,
        visit=visit(),
    )
    match outcome:
        case federated.SignedIn():
            return _welcome(outcome)
        case FirstTime(way):
            return redirect_to(url("franceconnect.first_time", pending=way.pending_id))
        case LinkComparison(way):
            return redirect_to(url("franceconnect.compare", pending=way.pending_id))
        case Doubled():
            return _doubled(outcome)
        case Refused():
            return _refused(outcome)
        case _:
            assert_never(outcome)


@blueprint.get("/franceconnect/first-time")
def first_time() -> Response:
    """Ask who is unknown here whether they have an account."""
    _require_on()
    waiting = pending()
    held = _held(waiting)
    if held is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    return make_response(page("interaction/franceconnect_first_time.html", identity=_rows(held)))


@blueprint.post("/franceconnect/first-time")
def choose() -> Response:
    """Go where the person chose."""
    waiting = pending()
    match form().get("choice"):
        case "link":
            return redirect_to(link("franceconnect.link_account", waiting))
        case "create":
            return redirect_to(link("franceconnect.sign_up", waiting))
        case _:
            raise BadRequest("unknown choice")


@blueprint.get("/franceconnect/link-account")
def link_account() -> Response:
    """Ask for the password of the account to link."""
    _require_on()
    waiting = pending()
    held = _held(waiting)
    if held is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    return make_response(
        page("interaction/franceconnect_link.html", identity=_rows(held), throttled_until=None)
    )


@blueprint.post("/franceconnect/link-account")
def submit_link_account() -> Response:
    """Link, when the password is right; it is braked as at sign-in."""
    _require_on()
    waiting = pending()
    typed = form()
    email, secret = typed.get("email", "").strip(), typed.get("password", "")
    held = _held(waiting)
    if held is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    errors = _missing(email, secret)
    if errors:
        return _link_form(held, errors, email)
    outcome = federated.link_with_password(
        context(),
        email,
        secret,
        address=_address(),
        browser_hash=browser_hash(),
        visit=_visit(waiting),
    )
    match outcome:
        case federated.SignedIn():
            return _welcome(outcome)
        case password.Refused():
            return _link_form(held, {"email": [sentence("credentials_refused")]}, email)
        case password.Throttled(until):
            content = page(
                "interaction/franceconnect_link.html",
                identity=_rows(held),
                throttled_until=until,
                values={"email": email},
            )
            return make_response(content, HTTPStatus.TOO_MANY_REQUESTS)
        case Refused():
            return _refused(outcome)
        case _:
            assert_never(outcome)


@blueprint.get("/sign-up/franceconnect")
def sign_up() -> Response:
    """Show the certified identity, and ask for an address and the terms (ACC-2, ACC-3)."""
    _require_on()
    waiting = pending()
    held = _held(waiting)
    if held is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    return make_response(
        page(
            "account/signup_franceconnect.html",
            identity=_rows(held),
            terms=terms.in_force(context(), language()),
            # FranceConnect's address only saves typing: nobody has verified it (franceconnect.md 0.8).
            values={"email": held.email or ""},
        )
    )


@blueprint.post("/sign-up/franceconnect")
def submit_sign_up() -> Response:
    """Send a code to the address; the account comes once it is proven."""
    _require_on()
    waiting = pending()
    typed = form()
    current = terms.in_force(context(), language())
    address = typed.get("email", "").strip()
    parsed = email_address.parse(address)
    held = _held(waiting)
    if held is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    errors = _sign_up_errors(address, parsed, accepts=typed.get("terms") == "yes")
    if errors or parsed is None:
        content, status = form_page(
            "account/signup_franceconnect.html", errors, typed, identity=_rows(held), terms=current
        )
        return make_response(content, status)
    outcome = franceconnect_link.begin_signup(
        context(),
        parsed,
        current,
        browser_hash=browser_hash(),
        address=_address(),
        language=language(),
        pending_id=None if waiting is None else waiting.pending_id,
        service_name=_service_name(),
    )
    match outcome:
        case signup.Begun(handle):
            cookies.write(cookies.SIGNUP, handle)
            return redirect_to(link("signup.code", waiting))
        case signup.Throttled(until):
            raise ThrottledUntil(until)
        case signup.Gone():
            return _refused(Refused(Reason.EXPIRED, _way(waiting)))
        case _:
            assert_never(outcome)


def finish_sign_up(handle: str | None, waiting: PendingAuthorization | None) -> Response:
    """Open the account of a sign-up through FranceConnect whose address has just been proven (ACC-2).

    Args:
        handle: Of the sign-up, as the browser sent it.
        waiting: The request that the page belongs to.
    """
    outcome = franceconnect_link.finish_signup(context(), handle, browser_hash(), visit=_visit(waiting))
    match outcome:
        case Arrived():
            cookies.write(cookies.SIGNUP, None)
            return _welcome(federated.SignedIn(outcome, _way(waiting)))
        case signup.AddressTaken():
            # They hold the address, and FranceConnect vouches for them: what is missing is the link.
            return redirect_to(link("franceconnect.link_account", waiting))
        case Refused():
            return _refused(outcome)
        case signup.Gone():
            return _refused(Refused(Reason.EXPIRED, _way(waiting)))
        case _:
            assert_never(outcome)


@blueprint.get("/account/franceconnect")
@recent_sign_in_needed
def compare() -> Response:
    """Show ours beside FranceConnect's, and what would be replaced (FC-4)."""
    waiting = pending()
    rows = franceconnect_link.comparison(
        context(),
        present_person().account.account_id,
        None if waiting is None else waiting.pending_id,
        browser_hash(),
    )
    if rows is None:
        return _refused(Refused(Reason.EXPIRED, _way(waiting)))
    shown = [
        {
            "name": row.name,
            "ours": shown_value(row.name, row.ours),
            "theirs": shown_value(row.name, row.theirs),
            "changes": row.changes,
        }
        for row in rows
    ]
    return make_response(page("account/franceconnect_compare.html", rows=shown))


@blueprint.post("/account/franceconnect")
@recent_sign_in_needed
def submit_comparison() -> Response:
    """Link, or drop what came back."""
    waiting = pending()
    pending_id = None if waiting is None else waiting.pending_id
    decision = form().get("decision")
    if decision == "cancel":
        franceconnect_link.cancel(context(), Purpose.LINK, pending_id, browser_hash())
        return go_on(waiting, url("identity.show", notice="link_cancelled"))
    if decision != "confirm":
        raise BadRequest("unknown decision")
    outcome = franceconnect_link.confirm_link(
        context(), present_person().account, pending_id, browser_hash(), visit=_visit(waiting)
    )
    match outcome:
        case federated.SignedIn(arrived, way):
            linked = url("identity.show", notice="linked")
            return _welcome(federated.SignedIn(arrived, Way(way.pending_id, linked)))
        case Refused():
            return _refused(outcome)
        case _:
            assert_never(outcome)


def logout_address(id_token: str, *, continue_to: str | None) -> str | None:
    """Give the address to go on to when a session that came from FranceConnect has ended here (LOG-7).

    A page of ours that redirects: the ID token stands in no page, only in FranceConnect's own address (S-58).

    Args:
        id_token: The raw one of the ended session.
        continue_to: A checked address of a service, where the person goes in the end.
    """
    state = federated.begin_logout(context(), id_token, browser_hash=browser_hash(), continue_to=continue_to)
    return None if state is None else absolute(url("franceconnect.logout", state=state))


@blueprint.get("/franceconnect/logout")
def logout() -> Response:
    """Send the browser to FranceConnect's logout; when it can't be reached, go on without it."""
    state = query().get("state", "")
    departure = federated.logout_departure(context(), state, browser_hash=browser_hash())
    return _after_logout(state, is_over=False) if departure is None else redirect_to(departure)


@blueprint.get("/franceconnect/logout/callback")
def logout_callback() -> Response:
    """Take the person back; a state that does not match shows the signed-out page too (franceconnect.md 5)."""
    return _after_logout(query().get("state", ""), is_over=True)


def _require_on() -> None:
    if context().franceconnect is None:
        raise NotFound


def _link_journey(waiting: PendingAuthorization | None) -> Response:
    """Link the account that is signed in, by somebody who has just proven that it is theirs (S-47)."""
    present = signed_in()
    if present is None or not _is_recent(present):
        pending_id = None if waiting is None else waiting.pending_id
        here = url("franceconnect.login", intent="link", pending=pending_id)
        confirm = None if present is None else "1"
        return redirect_to(url("login.show", pending=pending_id, next=here, confirm=confirm))
    return _leave(Purpose.LINK, present, _way(waiting))


def _password_journey() -> Response:
    """Prove again that one is there, to set a password where nobody knows the old one (PWD-9)."""
    present = signed_in()
    if present is None:
        return redirect_to(url("login.show", next=url("password.show")))
    return _leave(Purpose.REAUTHENTICATE, present, Way(None, url("password.show")))


def _is_recent(present: Present) -> bool:
    return present.session.is_recent(context().clock(), context().session_lifetimes)


def _leave(purpose: Purpose, present: Present | None, way: Way) -> Response:
    departure = federated.begin(
        context(),
        purpose=purpose,
        browser_hash=browser_hash(),
        account_id=None if present is None else present.account.account_id,
        way=way,
    )
    match departure:
        case Departure(address):
            return redirect_to(address)
        case Refused():
            return _refused(departure)
        case _:
            assert_never(departure)


def _welcome(outcome: federated.SignedIn) -> Response:
    welcome(outcome.arrived)
    waiting = kept_pending(outcome.way.pending_id)
    return terms_first(outcome.arrived, waiting) or go_on(waiting, outcome.way.continue_to)


def _visit(waiting: PendingAuthorization | None) -> Visit:
    return visit(None if waiting is None else waiting.pending_id)


def _doubled(outcome: Doubled) -> Response:
    """Answer the second of two callbacks: where the first one led, when that is known by now."""
    if outcome.is_held:
        endpoint = "compare" if outcome.purpose == Purpose.LINK else "first_time"
        return redirect_to(url(f"franceconnect.{endpoint}", pending=outcome.way.pending_id))
    if signed_in() is not None:
        return go_on(kept_pending(outcome.way.pending_id), outcome.way.continue_to)
    return _refused(Refused(Reason.EXPIRED, outcome.way, "callback.doubled"))


def _refused(outcome: Refused) -> Response:
    """Say why nobody came in, and what can be done now."""
    incident = None
    if outcome.reason in {Reason.MISBEHAVED, Reason.UNAVAILABLE}:
        incident = new_id(context().clock())[-8:].upper()
        _log.warning("franceconnect_failed", detail=outcome.detail, incident=incident)
    kept_pending(outcome.way.pending_id)
    content = page(
        "interaction/franceconnect_error.html",
        reason=outcome.reason.value,
        incident=incident,
        retry=outcome.may_retry,
    )
    answer = make_response(content, _STATUS[outcome.reason])
    if outcome.reason is Reason.UNAVAILABLE:
        answer.headers["Retry-After"] = _RETRY_SECONDS
    return answer


def _after_logout(state: str, *, is_over: bool) -> Response:
    way = federated.end_logout(context(), state, browser_hash=browser_hash())
    if way is None or way.continue_to is None:
        # A state that we did not give proves nothing about FranceConnect's session.
        also = "1" if is_over and way is not None else None
        return redirect_to(url("sign_out.show", franceconnect=also))
    return redirect_to(way.continue_to)


def _held(waiting: PendingAuthorization | None) -> HeldIdentity | None:
    pending_id = None if waiting is None else waiting.pending_id
    return federated.held(context(), Purpose.SIGN_IN, pending_id, browser_hash())


def _rows(held: HeldIdentity) -> list[dict[str, Any]]:
    certified, _ = held.certify({}, context().clock())
    return identity_rows(certified)


def _way(waiting: PendingAuthorization | None) -> Way:
    return Way(None if waiting is None else waiting.pending_id)


def _address() -> str:
    return str(client_address() or "")


def _service_name() -> str | None:
    service = g.get("service")
    return None if service is None else str(service["name"])


def _missing(email: str, secret: str) -> dict[str, list[str]]:
    errors = {}
    if not email:
        errors["email"] = [sentence("email_missing")]
    if not secret:
        errors["password"] = [sentence("password_missing")]
    return errors


def _sign_up_errors(address: str, parsed: EmailAddress | None, *, accepts: bool) -> dict[str, list[str]]:
    errors = {}
    if parsed is None:
        errors["email"] = [sentence("email_malformed" if address else "email_missing")]
    if not accepts:
        errors["terms"] = [sentence("terms_required")]
    return errors


def _link_form(held: HeldIdentity, errors: dict[str, list[str]], email: str) -> Response:
    content, status = form_page(
        "interaction/franceconnect_link.html",
        errors,
        {"email": email},
        identity=_rows(held),
        throttled_until=None,
    )
    return make_response(content, status)
