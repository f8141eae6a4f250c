"""What a journey through a portal ends with: an open session, or a page that says why not (FC-1, FC-7)."""

from __future__ import annotations

import re
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import make_response, request
from werkzeug.exceptions import NotFound

from idp.crypto.opaque import new_id
from idp.outbound.logs import get_logger
from idp.services.sign_in import journeys, portals
from idp.services.sign_in.journeys import Reason, Refused, Way
from idp.storage.repositories.franceconnect import Purpose
from idp.web.federation import blueprint
from idp.web.federation.logout import logout_address
from idp.web.http import query, redirect_to, url
from idp.web.interaction.flow import browser_hash, go_on, id_of, kept_pending, pending
from idp.web.interaction.login import terms_first
from idp.web.portal_button import is_on
from idp.web.provenance import identity_rows
from idp.web.sessions import visit, welcome
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.sign_in.arrival import Visit
    from idp.services.sign_in.federated import SignedIn
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.services.sign_in.journeys import OpenSession

    View = Callable[[], Response]
    ViewOfHeld = Callable[[PendingAuthorization | None, HeldIdentity], Response]

_log = get_logger("idp.franceconnect")

_STATUS = {
    Reason.REFUSED: HTTPStatus.OK,
    Reason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.MISBEHAVED: HTTPStatus.BAD_GATEWAY,
    Reason.LINKED_ELSEWHERE: HTTPStatus.CONFLICT,
    Reason.IDENTITY_TAKEN: HTTPStatus.CONFLICT,
    Reason.OTHER_PORTAL: HTTPStatus.CONFLICT,
    Reason.ALREADY_LINKED: HTTPStatus.CONFLICT,
    Reason.BIRTH_DATA_CHANGED: HTTPStatus.CONFLICT,
    Reason.EXPIRED: HTTPStatus.BAD_REQUEST,
    Reason.LOCKED: HTTPStatus.FORBIDDEN,
}
#: Why somebody who came with an identity is turned away; the page is shown after the logout of the portal.
_TURNED_AWAY = {
    reason.value: reason
    for reason in (
        Reason.LINKED_ELSEWHERE,
        Reason.IDENTITY_TAKEN,
        Reason.OTHER_PORTAL,
        Reason.ALREADY_LINKED,
        Reason.BIRTH_DATA_CHANGED,
    )
}
_PORTALS = (portals.FRANCECONNECT, portals.FRANCECONNECT_PLUS)
_INCIDENT = re.compile(r"[0-9A-Z]{8}")
_RETRY_SECONDS = "30"


def require_on(portal: str | None = None) -> None:
    """Have pages of a portal that is off, or of any when all are, not exist.

    Raises:
        NotFound: It is off.
    """
    on = portals.portals(context())
    if not on or (portal is not None and portal not in on):
        raise NotFound


def with_held_identity(view: ViewOfHeld) -> View:
    """Give a page the request that it belongs to and the identity that waits; say so when none waits any more."""

    @wraps(view)
    def guarded() -> Response:
        require_on()
        waiting = pending()
        pending_id = id_of(waiting)
        held = journeys.held(context(), Purpose.SIGN_IN, pending_id, browser_hash())
        if held is None:
            return refused(Refused(Reason.EXPIRED, Way(pending_id)))
        return view(waiting, held)

    return guarded


def let_in(outcome: SignedIn) -> Response:
    """Give the browser its session, and go where the person was going."""
    welcome(outcome.arrived)
    waiting = kept_pending(outcome.way.pending_id)
    return terms_first(outcome.arrived, waiting, outcome.way.continue_to) or go_on(
        waiting, outcome.way.continue_to
    )


def refused(outcome: Refused) -> Response:
    """Say why nobody came in, and what can be done now; whoever came with an identity leaves the portal first."""
    incident = _logged(outcome)
    if outcome.left_open is not None:
        here = url(
            "franceconnect.turned_away",
            reason=outcome.reason.value,
            provider=outcome.provider,
            incident=incident,
            pending=outcome.way.pending_id,
        )
        return leave(outcome.left_open, here)
    kept_pending(outcome.way.pending_id)
    return _page(outcome.reason, outcome.provider, incident, outcome.way.pending_id, retry=outcome.may_retry)


def leave(left_open: OpenSession, continue_to: str) -> Response:
    """End the person's session at a portal, and go on to a page of ours: what it says comes last.

    Args:
        left_open: The session there.
        continue_to: The page.
    """
    address = logout_address(left_open, continue_to=continue_to)
    if address is None:
        return redirect_to(continue_to)
    if request.method == "POST":
        # Chromium holds every hop after a form to `form-action`: a page goes on by itself instead (S-473).
        return make_response(page("interaction/continue.html", continue_url=address))
    return redirect_to(address)


@blueprint.get("/franceconnect/turned-away")
def turned_away() -> Response:
    """Say why an identity was turned away, once its session at the portal has ended."""
    asked = query()
    reason = _TURNED_AWAY.get(asked.get("reason", ""))
    portal = asked.get("provider", portals.FRANCECONNECT)
    if reason is None or portal not in portals.portals(context()):
        raise NotFound
    incident = asked.get("incident", "")
    waiting = pending()
    return _page(
        reason,
        portal,
        incident if _INCIDENT.fullmatch(incident) else None,
        id_of(waiting),
        retry=False,
    )


def shown(held: HeldIdentity) -> list[dict[str, Any]]:
    """Give the rows of an identity that waits."""
    certified, _ = held.certify({}, context().clock())
    return identity_rows(certified)


def visit_of(waiting: PendingAuthorization | None) -> Visit:
    """Describe the browser, on the way of a request."""
    return visit(id_of(waiting))


def way_of(waiting: PendingAuthorization | None) -> Way:
    """Say what the person is doing."""
    return Way(id_of(waiting))


def _page(
    reason: Reason, provider: str, incident: str | None, pending_id: str | None, *, retry: bool
) -> Response:
    others = [name for name in _PORTALS if name != provider]
    again = url("franceconnect.login", intent="link", provider=provider, pending=pending_id)
    content = page(
        "interaction/franceconnect_error.html",
        reason=reason.value,
        incident=incident,
        retry=retry and is_on(),
        portal=provider,
        other_portal=others[0],
        other_portal_is_on=others[0] in portals.portals(context()),
        link_again=again,
    )
    answer = make_response(content, _STATUS[reason])
    if reason is Reason.UNAVAILABLE:
        answer.headers["Retry-After"] = _RETRY_SECONDS
    return answer


def _logged(outcome: Refused) -> str | None:
    """Write what somebody should look at, under a number that the page shows; None when there is nothing."""
    if outcome.reason not in {Reason.MISBEHAVED, Reason.UNAVAILABLE, Reason.BIRTH_DATA_CHANGED}:
        return None
    incident = new_id(context().clock())[-8:].upper()
    if outcome.reason is Reason.BIRTH_DATA_CHANGED:
        # Never happens by itself: operators alert on this event, the trail has the account (FC-3).
        _log.error("franceconnect_birth_data_changed", portal=outcome.provider, incident=incident)
    else:
        _log.warning(
            "franceconnect_failed", detail=outcome.detail, portal=outcome.provider, incident=incident
        )
    return incident
