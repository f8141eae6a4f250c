"""/franceconnect/login and the callbacks: to a portal of the State, and back (FC-1).

The way there is a link, never a form: browsers apply `form-action` to each hop of a posted form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from werkzeug.exceptions import BadRequest

from idp.federation.upstream import UpstreamCallback
from idp.services.account import franceconnect_link
from idp.services.sign_in import federated, portals
from idp.services.sign_in.federated import Doubled, FirstTime, LinkComparison
from idp.services.sign_in.journeys import Departure, Reason, Refused, Way, begin
from idp.services.sign_in.portals import FRANCECONNECT, FRANCECONNECT_PLUS
from idp.storage.repositories.franceconnect import Purpose
from idp.web.federation import blueprint
from idp.web.federation.answers import let_in, refused, require_on
from idp.web.http import internal_path, query, redirect_to, url
from idp.web.interaction.flow import browser_hash, go_on, id_of, kept_pending, pending
from idp.web.portal_button import choice
from idp.web.sessions import signed_in, visit
from idp.web.site import context

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.sign_in.portals import Choice
    from idp.services.sign_in.sessions import SignedIn as Present


@blueprint.get("/franceconnect/login")
def login() -> Response:
    """Send the browser to a portal; `intent` says what for when it is not to sign in, `provider` which one.

    Raises:
        BadRequest: Neither is known.
    """
    require_on()
    waiting = pending()
    asked = query()
    intent, name = asked.get("intent", ""), asked.get("provider")
    if intent not in {"", "link", "password"}:
        raise BadRequest("unknown intent")
    if name is not None and name not in portals.portals(context()):
        raise BadRequest("unknown provider")
    if intent == "password":
        return _password_journey()
    portal = choice(waiting, name)
    present = signed_in()
    if intent == "link":
        return _link_journey(waiting, present, portal)
    if waiting is not None and present is not None and not _is_linked(present, portal.name):
        # A service asks for a higher level, and this account is not linked there: both sides must be proven (FC-4).
        return _link_journey(waiting, present, portal)
    way = Way(id_of(waiting), internal_path(asked.get("next")))
    return _leave(Purpose.SIGN_IN, None, way, portal)


@blueprint.get("/franceconnect/callback")
def callback() -> Response:
    """Take back who comes from FranceConnect, or the reason why nobody does."""
    return _taken_back(FRANCECONNECT)


@blueprint.get("/franceconnect-plus/callback")
def plus_callback() -> Response:
    """Take back who comes from FranceConnect+, or the reason why nobody does."""
    return _taken_back(FRANCECONNECT_PLUS)


def _taken_back(portal: str) -> Response:
    require_on(portal)
    received = query()
    present = signed_in()
    outcome = federated.callback(
        context(),
        received.get("state", ""),
        UpstreamCallback(received.get("code"), received.get("error"), received.get("iss")),
        browser_hash=browser_hash(),
        present=None if present is None else present.account,
        visit=visit(),
        portal=portal,
    )
    match outcome:
        case federated.SignedIn():
            return let_in(outcome)
        case FirstTime(way):
            return redirect_to(url("franceconnect.first_time", pending=way.pending_id))
        case LinkComparison(way):
            return redirect_to(url("franceconnect.compare", pending=way.pending_id))
        case Doubled():
            return _doubled(outcome)
        case Refused():
            return refused(outcome)
        case _:
            assert_never(outcome)


def _link_journey(waiting: PendingAuthorization | None, present: Present | None, portal: Choice) -> Response:
    """Link the account that is signed in, by somebody who has just proven that it is theirs (S-47).

    Who is linked at the other portal proves it there and then: nothing but the very same identity, certified on both
    sides, is linked without the comparison, which asks for a recent login by itself.
    """
    pending_id = id_of(waiting)
    if present is None or not (_is_recent(present) or _is_linked_elsewhere(present, portal.name)):
        here = url("franceconnect.login", intent="link", provider=portal.name, pending=pending_id)
        confirm = None if present is None else "1"
        return redirect_to(url("login.show", pending=pending_id, next=here, confirm=confirm))
    return _leave(Purpose.LINK, present, Way(pending_id), portal)


def _password_journey() -> Response:
    """Prove again that one is there, to set a password where nobody knows the old one (PWD-9)."""
    present, here = signed_in(), url("password.show", next=internal_path(query().get("next")))
    if present is None:
        return redirect_to(url("login.show", next=here))
    on = portals.portals(context())
    linked = next((name for name in _linked(present) if name in on), None)
    return _leave(Purpose.REAUTHENTICATE, present, Way(None, here), choice(None, linked))


def _linked(present: Present) -> tuple[str, ...]:
    return franceconnect_link.linked_portals(context(), present.account.account_id)


def _is_linked(present: Present, name: str) -> bool:
    return name in _linked(present)


def _is_linked_elsewhere(present: Present, name: str) -> bool:
    linked = _linked(present)
    return bool(linked) and name not in linked


def _is_recent(present: Present) -> bool:
    return present.session.is_recent(context().clock(), context().session_lifetimes)


def _leave(purpose: Purpose, present: Present | None, way: Way, portal: Choice) -> Response:
    departure = begin(
        context(),
        purpose=purpose,
        browser_hash=browser_hash(),
        account_id=None if present is None else present.account.account_id,
        way=way,
        portal=portal,
    )
    match departure:
        case Departure(address):
            return redirect_to(address)
        case Refused():
            return refused(departure)
        case _:
            assert_never(departure)


def _doubled(outcome: Doubled) -> Response:
    """Answer the second of two callbacks: where the first one led, when that is known by now."""
    if outcome.is_held:
        endpoint = "compare" if outcome.purpose == Purpose.LINK else "first_time"
        return redirect_to(url(f"franceconnect.{endpoint}", pending=outcome.way.pending_id))
    if signed_in() is not None:
        return go_on(kept_pending(outcome.way.pending_id), outcome.way.continue_to)
    return refused(Refused(Reason.EXPIRED, outcome.way, "callback.doubled"))
