"""The way between a request and its answer: which page comes next, and what every page of it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, request
from werkzeug.exceptions import Gone

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.protocol.authorization.interaction import Step
from idp.services.authorization import requests
from idp.services.authorization.requests import Answered, Asked
from idp.web import cookies, language
from idp.web.answers import respond
from idp.web.http import internal_path, redirect_to, url
from idp.web.site import context
from idp.web.templating import speak_for

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.client import Client
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.authorization.requests import Outcome

#: The page of each step.
PAGES = {
    Step.SIGN_IN: "login.show",
    Step.REAUTHENTICATE: "login.show",
    Step.SELECT_ACCOUNT: "login.select_account",
    Step.STEP_UP: "step_up.show",
    Step.TERMS: "accept_terms.show",
    Step.COMPLETE_PROFILE: "identity.show",
    Step.COMPLETE_CONTACT_DETAILS: "contact_details.show",
    Step.PARENTAL_PERMISSION: "parental_permission.show",
    Step.CONSENT: "consent.show",
}


class PendingGone(Gone):
    """The page speaks of a request that is unknown here, answered, or past its time.

    Args:
        client: Who asked, as long as it is known: the way back.
    """

    def __init__(self, client: Client | None = None) -> None:
        super().__init__()
        self.client = client


def browser_hash() -> bytes:
    """Name this browser, for what is bound to it."""
    return digest(cookies.browser_secret())


def pending() -> PendingAuthorization | None:
    """Find the request that this page belongs to; None when it belongs to none.

    Raises:
        PendingGone: It names one that this browser can't go on with.
    """
    pending_id = request.values.get("pending")
    if not pending_id:
        return None
    if not is_well_formed(SecretKind.PENDING, pending_id):
        raise PendingGone
    return kept_pending(pending_id)


def kept_pending(pending_id: str | None) -> PendingAuthorization | None:
    """Find the request that a row of ours remembers, as `pending()` does with one that the browser names.

    Raises:
        PendingGone: It is past its time, or was answered.
    """
    if pending_id is None:
        return None
    found = requests.find_pending(context(), pending_id, browser_hash=browser_hash())
    if found is None:
        raise PendingGone(requests.who_asked(context(), pending_id, browser_hash=browser_hash()))
    _speak(found)
    return found


def go_on(present: PendingAuthorization | None, next_path: str | None = None) -> Response:
    """Go on after a step: decide the request again, or return to a page of ours.

    Args:
        present: The request, as `pending()` found it.
        next_path: Where to go when there is none.
    """
    if present is None:
        return redirect_to(internal_path(next_path) or "/")
    fresh = requests.find_pending(context(), present.pending_id, browser_hash=browser_hash())
    if fresh is None:
        raise PendingGone
    outcome = requests.resume(context(), fresh, session_cookie=cookies.read(cookies.SESSION))
    return next_step(outcome, after_form=request.method == "POST")


def next_step(outcome: Outcome, *, after_form: bool) -> Response:
    """Show where an outcome leads: the service, or a page of ours."""
    match outcome:
        case Answered(response, client):
            speak_for(client, None)
            return respond(response, after_form=after_form)
        case Asked(pending_id, step, _, _):
            confirm = "1" if step is Step.REAUTHENTICATE else None
            return redirect_to(url(PAGES[step], pending=pending_id, confirm=confirm))


def id_of(present: PendingAuthorization | None) -> str | None:
    """Name the request that a page belongs to; None for none."""
    return None if present is None else present.pending_id


def link(endpoint: str, present: PendingAuthorization | None, **values: str | None) -> str:
    """Give the address of a page of the way."""
    return url(endpoint, pending=id_of(present), **values)


def _speak(found: PendingAuthorization) -> None:
    with context().database.read() as connection:
        client = context().clients.find(connection, found.client_id)
    if client is None:
        raise PendingGone
    speak_for(client, found.pending_id)
    g.pending_client = client
    language.prefer(tuple(found.parameters.get("ui_locales", "").split()))
