"""Back from FranceConnect or FranceConnect+: what becomes of who came (FC-1, FC-3, FC-7).

The state is used up first, in a transaction of its own; then the portal is asked, with none open; then one
transaction does everything that the answer leads to. A callback that comes twice, late, or in another browser
finds the state used up or not its own, and changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from idp.crypto.opaque import digest
from idp.domain.authentication import Authentication
from idp.domain.events import SignInRefused
from idp.federation.upstream import UpstreamError
from idp.services.audit import record
from idp.services.sign_in.arrival import Arrived, arrive
from idp.services.sign_in.certification import (
    Conflict,
    attach,
    conflict_of,
    is_same_person,
    refresh,
    tell_linked,
)
from idp.services.sign_in.held_identity import hold as taken
from idp.services.sign_in.held_identity import pivot_hash
from idp.services.sign_in.journeys import (
    Departure,
    Reason,
    Refused,
    Way,
    begin,
    held,
    held_within,
    hold,
    reason_of,
    refusal,
    refused_for,
    retried,
    way_of,
)
from idp.services.sign_in.portals import FRANCECONNECT, portal_for, provider
from idp.storage.repositories import accounts, franceconnect
from idp.storage.repositories.franceconnect import Journey, Purpose

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.federation.upstream import UpstreamCallback
    from idp.services.context import Context
    from idp.services.sign_in.arrival import Visit
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.storage.engine import Connection

__all__ = [
    "Departure",
    "Doubled",
    "FirstTime",
    "LinkComparison",
    "Outcome",
    "Purpose",
    "Reason",
    "Refused",
    "SignedIn",
    "Way",
    "begin",
    "callback",
    "held",
    "held_within",
    "let_in",
    "portal_for",
    "provider",
    "refused_for",
    "retried",
]

_STATE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The identity has an account: its session is open."""

    arrived: Arrived
    way: Way


@dataclass(frozen=True, slots=True)
class FirstTime:
    """The identity is unknown here: link an account, or create one."""

    way: Way


@dataclass(frozen=True, slots=True)
class LinkComparison:
    """The identity waits to be compared with the account's, and confirmed (FC-4)."""

    way: Way


@dataclass(frozen=True, slots=True)
class Doubled:
    """The callback came twice; the first one did, or is doing, the work."""

    way: Way
    purpose: str
    is_held: bool


Outcome = SignedIn | FirstTime | LinkComparison | Doubled | Refused


def callback(
    context: Context,
    state: str,
    answer: UpstreamCallback,
    *,
    browser_hash: bytes,
    present: Account | None,
    visit: Visit,
    portal: str = FRANCECONNECT,
) -> Outcome:
    """Take what the browser brought back.

    Args:
        context: The parts.
        state: As received; may be anything, such as the word "undefined".
        answer: The rest, as received.
        browser_hash: This browser.
        present: Who is signed in.
        visit: The browser, for the session; its pending request is the journey's.
        portal: Whose callback it was brought to.
    """
    now = context.clock()
    if _STATE.fullmatch(state) is None:
        return _without_journey(answer)
    with context.database.write() as connection:
        journey = franceconnect.use_journey(
            connection, digest(state), browser_hash=browser_hash, provider=portal, now=now
        )
    if journey is None or journey.nonce_hash is None:
        return _doubled(context, state, answer, browser_hash)
    try:
        identity = provider(context, portal).identify(
            answer, nonce_hash=journey.nonce_hash, now=now, level=journey.level
        )
    except UpstreamError as error:
        return refusal(context, error, way_of(journey), portal)
    back = _Return(journey, taken(identity, portal), present, browser_hash, visit)
    return retried(context, lambda connection: _received(context, connection, back))


def let_in(
    context: Context,
    connection: Connection,
    account: Account,
    identity: HeldIdentity,
    visit: Visit,
) -> Arrived:
    """Open the session of who came through a portal, in the transaction that decided it.

    `auth_time` is when the portal vouched for the person to us: its own session may be half an hour older, and
    nothing that a service may send makes it ask again (franceconnect.md 2).
    """
    now = context.clock()
    arrived = arrive(
        context,
        connection,
        account,
        # S-34: exactly what the portal answered.
        Authentication.by_franceconnect(now, identity.level),
        visit,
        upstream=identity.provider,
        upstream_id_token=identity.id_token,
    )
    accounts.record_sign_in(connection, account.account_id, now)
    return arrived


@dataclass(frozen=True, slots=True)
class _Return:
    """Somebody came back, verified: with which journey, as whom, to whom who is signed in, in which browser."""

    journey: Journey
    came: HeldIdentity
    present: Account | None
    browser_hash: bytes
    visit: Visit

    @property
    def way(self) -> Way:
        return way_of(self.journey)

    @property
    def is_same_person_here(self) -> bool:
        """Tell whether who is signed in is still who set out."""
        return self.present is not None and self.present.account_id == self.journey.account_id

    @property
    def visit_of_the_journey(self) -> Visit:
        return replace(self.visit, pending_id=self.journey.pending_id)


def _received(context: Context, connection: Connection, back: _Return) -> Outcome:
    """Decide what a verified identity leads to, in one transaction."""
    purpose = Purpose(back.journey.purpose)
    match purpose:
        case Purpose.SIGN_IN:
            return _signed_in(context, connection, back)
        case Purpose.REAUTHENTICATE:
            return _reauthenticated(context, connection, back)
        case Purpose.LINK:
            return _to_be_linked(context, connection, back)
        case Purpose.LOGOUT:
            return Refused(Reason.EXPIRED, back.way)
        case _:
            assert_never(purpose)


def _signed_in(context: Context, connection: Connection, back: _Return) -> SignedIn | FirstTime | Refused:
    link = franceconnect.link_by_subject(connection, back.came.subject, back.came.provider)
    if link is None:
        return _unknown(context, connection, back)
    account = accounts.by_id(connection, link.account_id)
    if account is None or not account.is_active:
        record(connection, SignInRefused("locked"), context.clock(), account_id=link.account_id)
        return Refused(Reason.LOCKED, back.way, "locked", back.came.provider)
    conflict = refresh(context, connection, account, link, back.came)
    if conflict is not None:
        return refused_for(context, connection, conflict, back.way, back.came, account_id=account.account_id)
    arrived = let_in(context, connection, account, back.came, back.visit_of_the_journey)
    return SignedIn(arrived, back.way)


def _unknown(context: Context, connection: Connection, back: _Return) -> FirstTime | Refused:
    certified = franceconnect.links_by_pivot(connection, pivot_hash(context, back.came.civil))
    if certified:
        # FC-3: most likely the same person, by another portal or under a changed subject; never guessed, never merged.
        here = any(link.provider == back.came.provider for link in certified)
        conflict = Conflict.IDENTITY_TAKEN if here else Conflict.OTHER_PORTAL
        return refused_for(context, connection, conflict, back.way, back.came)
    hold(context, connection, back.journey, back.came, back.browser_hash)
    return FirstTime(back.way)


def _reauthenticated(
    context: Context, connection: Connection, back: _Return
) -> SignedIn | FirstTime | Refused:
    if not back.is_same_person_here:
        return Refused(Reason.EXPIRED, back.way, "session_changed", back.came.provider)
    link = franceconnect.link_by_subject(connection, back.came.subject, back.came.provider)
    if link is not None and link.account_id == back.journey.account_id:
        return _signed_in(context, connection, back)
    conflict = Conflict.ALREADY_LINKED if link is None else Conflict.LINKED_ELSEWHERE
    return refused_for(context, connection, conflict, back.way, back.came, account_id=back.journey.account_id)


def _to_be_linked(
    context: Context, connection: Connection, back: _Return
) -> LinkComparison | SignedIn | FirstTime | Refused:
    present = back.present
    if present is None or not back.is_same_person_here:
        return Refused(Reason.EXPIRED, back.way, "session_changed", back.came.provider)
    account_id = present.account_id
    conflict = conflict_of(context, connection, account_id, back.came)
    if conflict is not None:
        return refused_for(context, connection, conflict, back.way, back.came, account_id=account_id)
    if franceconnect.link_by_subject(connection, back.came.subject, back.came.provider) is not None:
        # Linked to this very account already: nothing to compare, the values are brought up to date.
        return _signed_in(context, connection, back)
    if is_same_person(context, connection, account_id, back.came):
        return _linked_at_once(context, connection, present, back)
    hold(context, connection, back.journey, back.came, back.browser_hash)
    return LinkComparison(back.way)


def _linked_at_once(
    context: Context, connection: Connection, account: Account, back: _Return
) -> SignedIn | Refused:
    """Link a second portal: the first one certifies the very same identity, so that there is nothing to compare."""
    conflict = attach(context, connection, account, back.came)
    if conflict is not None:
        return refused_for(context, connection, conflict, back.way, back.came, account_id=account.account_id)
    tell_linked(context, connection, account, context.clock())
    return SignedIn(let_in(context, connection, account, back.came, back.visit_of_the_journey), back.way)


def _doubled(
    context: Context, state: str, answer: UpstreamCallback, browser_hash: bytes
) -> Doubled | Refused:
    with context.database.read() as connection:
        journey = franceconnect.find_journey(
            connection, digest(state), browser_hash=browser_hash, now=context.clock()
        )
    if journey is None or journey.purpose == Purpose.LOGOUT:
        return _without_journey(answer)
    if answer.error is not None:
        # The link to the other language, on the page that the first one led to, comes here again.
        return Refused(reason_of(answer.error), way_of(journey), "callback.doubled", journey.provider)
    return Doubled(way_of(journey), journey.purpose, journey.identity is not None)


def _without_journey(answer: UpstreamCallback) -> Refused:
    """Answer a callback that belongs to nothing: forged, of another browser, or far too late; nothing changes."""
    if answer.error is not None:
        # Only the words of the page depend on it.
        return Refused(reason_of(answer.error), detail="callback.state")
    return Refused(Reason.EXPIRED, detail="callback.state")
