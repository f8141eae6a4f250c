"""/franceconnect/first-time, /franceconnect/link-account: an identity that is unknown here (ACC-2, FC-3, FC-4)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from flask import make_response
from werkzeug.exceptions import BadRequest

from idp.services.sign_in import federated, password
from idp.services.sign_in.journeys import Refused
from idp.services.sign_in.linking import ToCompare, link_with_password
from idp.web.federation import blueprint
from idp.web.federation.answers import let_in, refused, shown, visit_of, with_held_identity
from idp.web.http import client_address, form, redirect_to, retry_after, url
from idp.web.interaction.flow import browser_hash, link, pending
from idp.web.interaction.login import missing
from idp.web.sessions import welcome
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.sign_in.held_identity import HeldIdentity

_LINK_FORM = "interaction/franceconnect_link.html"


@blueprint.get("/franceconnect/first-time")
@with_held_identity
def first_time(_: PendingAuthorization | None, held: HeldIdentity) -> Response:
    """Ask who is unknown here whether they have an account."""
    return make_response(page("interaction/franceconnect_first_time.html", identity=shown(held)))


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
@with_held_identity
def link_account(_: PendingAuthorization | None, held: HeldIdentity) -> Response:
    """Ask for the password of the account to link."""
    return make_response(page(_LINK_FORM, identity=shown(held), throttled_until=None))


@blueprint.post("/franceconnect/link-account")
@with_held_identity
def submit_link_account(waiting: PendingAuthorization | None, held: HeldIdentity) -> Response:
    """Link, when the password is right; it is braked as at sign-in."""
    typed = form()
    email, secret = typed.get("email", "").strip(), typed.get("password", "")
    errors = missing(email, secret)
    if errors:
        return _link_form(held, errors, email)
    outcome = link_with_password(
        context(),
        email,
        secret,
        address=str(client_address() or ""),
        browser_hash=browser_hash(),
        visit=visit_of(waiting),
    )
    match outcome:
        case federated.SignedIn():
            return let_in(outcome)
        case ToCompare(arrived, way):
            welcome(arrived)
            return redirect_to(url("franceconnect.compare", pending=way.pending_id))
        case password.Refused():
            return _link_form(held, {"email": [sentence("credentials_refused")]}, email)
        case password.Throttled(until):
            content = page(_LINK_FORM, identity=shown(held), throttled_until=until, values={"email": email})
            answer = make_response(content, HTTPStatus.TOO_MANY_REQUESTS)
            return retry_after(answer, until - context().clock())
        case Refused():
            return refused(outcome)
        case _:
            assert_never(outcome)


def _link_form(held: HeldIdentity, errors: dict[str, list[str]], email: str) -> Response:
    content, status = form_page(
        _LINK_FORM, errors, {"email": email}, identity=shown(held), throttled_until=None
    )
    return make_response(content, status)
