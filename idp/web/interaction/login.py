"""/sign-in: password form, FranceConnect button (LOG-1); /select-account: under which account to go on (LOG-4)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from flask import Blueprint, make_response
from werkzeug.exceptions import BadRequest

from idp.domain.email_address import canonical
from idp.protocol.authorization.interaction import Ask, Step
from idp.services.authorization import requests, terms
from idp.services.sign_in import password, sessions
from idp.services.sign_in.arrival import Arrived
from idp.web import cookies, portal_button
from idp.web.http import client_address, form, internal_path, query, redirect_to, retry_after, url
from idp.web.interaction.flow import PendingGone, go_on, id_of, link, pending
from idp.web.sessions import forget, signed_in, visit, welcome
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization

blueprint = Blueprint("login", __name__)
_TEMPLATE = "interaction/login.html"


@blueprint.get("/sign-in")
def show() -> Response | str:
    """Ask who is there; whoever is signed in already goes on, unless they must prove it again."""
    waiting = pending()
    asked = query()
    next_path = internal_path(asked.get("next"))
    present = signed_in()
    confirms = present is not None and asked.get("confirm") == "1"
    if present is not None and not confirms and not _is_asked_to_sign_in(waiting):
        return _leave(waiting, next_path)
    hint = "" if waiting is None else waiting.parameters.get("login_hint", "")
    return page(_TEMPLATE, **_variables(next_path, reauthentication=confirms), values={"email": hint})


@blueprint.post("/sign-in")
def submit() -> Response:
    """Check the password, and open the session."""
    waiting = pending()
    typed = form()
    email, secret = typed.get("email", "").strip(), typed.get("password", "")
    next_path = internal_path(typed.get("next"))
    errors = missing(email, secret)
    if errors:
        return _again(errors, typed, next_path)
    outcome = password.sign_in(
        context(),
        email,
        secret,
        address=str(client_address() or ""),
        visit=visit(id_of(waiting)),
    )
    match outcome:
        case Arrived():
            welcome(outcome)
            return terms_first(outcome, waiting, next_path) or _leave(waiting, next_path)
        case password.Refused():
            return _again({"email": [sentence("credentials_refused")]}, typed, next_path)
        case password.Throttled(until):
            return _wait(until, typed, next_path)
        case _:
            assert_never(outcome)


@blueprint.get("/select-account")
def select_account() -> Response | str:
    """Show the account that is signed in (OIDC Core 3.1.2.1, `prompt=select_account`)."""
    waiting = pending()
    if signed_in() is None:
        return redirect_to(link("login.show", waiting))
    return page("interaction/select_account.html")


@blueprint.post("/select-account")
def choose_account() -> Response:
    """Go on with the account, or end its session and ask who is there."""
    waiting = pending()
    choice = form().get("choice")
    if choice not in {"continue", "other"}:
        raise BadRequest("unknown choice")
    if waiting is None:
        raise PendingGone
    present = signed_in()
    if present is None:
        return redirect_to(link("login.show", waiting))
    if choice == "other":
        sessions.end(context(), present.account.account_id, present.session.session_id)
        forget()
        return redirect_to(link("login.show", waiting))
    requests.mark(context(), waiting, "account_selected_at")
    return go_on(waiting)


def _is_asked_to_sign_in(waiting: PendingAuthorization | None) -> bool:
    """Tell whether the request is about another person than the one who is signed in."""
    if waiting is None:
        return False
    situation = requests.situation_of(context(), waiting, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    return isinstance(decision, Ask) and decision.step is Step.SIGN_IN


def _leave(waiting: PendingAuthorization | None, next_path: str | None) -> Response:
    """Go where the person was going: a page of ours that carries the request itself, or the request."""
    return redirect_to(next_path) if next_path is not None else go_on(waiting)


def terms_first(
    arrived: Arrived, waiting: PendingAuthorization | None, next_path: str | None = None
) -> Response | None:
    """Have new terms accepted before our own pages (CGU-2); a service's request asks by itself."""
    if waiting is not None:
        return None
    if not terms.must_accept(context(), arrived.account):
        return None
    return redirect_to(url("accept_terms.show", next=next_path))


def missing(email: str, secret: str) -> dict[str, list[str]]:
    """Say by field what was left empty of an address and a password."""
    errors = {}
    if not email:
        errors["email"] = [sentence("email_missing")]
    if not secret:
        errors["password"] = [sentence("password_missing")]
    return errors


def _variables(next_path: str | None, *, reauthentication: bool) -> dict[str, object]:
    return {
        "reauthentication": reauthentication,
        "throttled_until": None,
        **portal_button.offered(pending()),
        "franceconnect_query": {} if next_path is None else {"next": next_path},
        "next_url": next_path,
    }


def _confirms(typed: MultiDict[str, str]) -> bool:
    """Tell whether the form was the one that asks who is signed in to prove it again."""
    present = signed_in()
    return present is not None and canonical(typed.get("email", "").strip()) == canonical(
        present.account.email
    )


def _again(errors: dict[str, list[str]], typed: MultiDict[str, str], next_path: str | None) -> Response:
    variables = _variables(next_path, reauthentication=_confirms(typed))
    content, status = form_page(_TEMPLATE, errors, typed, **variables)
    return make_response(content, status)


def _wait(until: datetime, typed: MultiDict[str, str], next_path: str | None) -> Response:
    variables = _variables(next_path, reauthentication=_confirms(typed)) | {"throttled_until": until}
    content, _ = form_page(_TEMPLATE, {}, typed, **variables)
    return retry_after(make_response(content, HTTPStatus.TOO_MANY_REQUESTS), until - context().clock())
