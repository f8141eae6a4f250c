"""Journeys through the State's portals: setting out, and the identity that waits for a choice (FC-1, FC-3, FC-7).

A journey is a row that the state names, bound to one browser and one portal, used once. What came back waits in it,
sealed, until the person has chosen what to do with it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from idp.crypto.opaque import digest, new_hex_secret
from idp.domain.events import FranceConnectRefused
from idp.federation.upstream import (
    UpstreamError,
    UpstreamMisbehaved,
    UpstreamRefused,
    UpstreamUnavailable,
)
from idp.services.audit import record
from idp.services.sign_in import portals
from idp.services.sign_in.certification import Conflict, LostRace
from idp.services.sign_in.held_identity import decoded, encoded
from idp.storage.repositories import franceconnect
from idp.storage.repositories.franceconnect import Journey, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.services.context import Context
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.storage.engine import Connection

#: FranceConnect waits half an hour for a person; its error pages send them back later still.
JOURNEY_LIFETIME = timedelta(hours=2)
#: How long a person may take to choose; RGAA 13.1 asks not to hurry, PRI-3 not to hoard.
CHOICE_LIFETIME = timedelta(hours=2)
_TRIES = 3
#: OAuth errors that say "later" (franceconnect.md 2.1).
_LATER = frozenset({"server_error", "temporarily_unavailable"})
Result = TypeVar("Result")


class Reason(StrEnum):
    """Why nobody came in; `templates/interaction/franceconnect_error.html` has the words."""

    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    MISBEHAVED = "misbehaved"
    LINKED_ELSEWHERE = "linked_elsewhere"
    IDENTITY_TAKEN = "identity_taken"
    OTHER_PORTAL = "other_portal"
    ALREADY_LINKED = "already_linked"
    BIRTH_DATA_CHANGED = "birth_data_changed"
    EXPIRED = "expired"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser."""

    url: str


@dataclass(frozen=True, slots=True)
class Way:
    """What the person was doing; goes along through every outcome."""

    pending_id: str | None = None
    continue_to: str | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """What somebody who is turned away has left open at a portal, and is to be ended there (franceconnect.md 6.2).

    Attributes:
        provider: The portal.
        id_token: What its logout wants.
    """

    provider: str
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody came in.

    Attributes:
        reason: What the page says.
        way: What the person was doing.
        detail: What the log says; never a value.
        provider: The portal that they came from.
        left_open: Their session at the portal, when they came with an identity that was turned away.
    """

    reason: Reason
    way: Way = Way()
    detail: str = ""
    provider: str = portals.FRANCECONNECT
    left_open: OpenSession | None = None

    @property
    def may_retry(self) -> bool:
        """Tell whether trying again can help."""
        return self.reason in {Reason.REFUSED, Reason.UNAVAILABLE, Reason.MISBEHAVED, Reason.EXPIRED}


def begin(
    context: Context,
    *,
    purpose: Purpose,
    browser_hash: bytes,
    account_id: str | None,
    way: Way,
    portal: portals.Choice | None = None,
) -> Departure | Refused:
    """Start a journey: remember it, and say where to send the browser.

    Args:
        context: The parts; the portal is on.
        purpose: What for.
        browser_hash: The only browser that may come back with it (S-59).
        account_id: Who is signed in, when the journey is about them.
        way: What the person was doing.
        portal: Where to, and what to ask for; the usual portal, for its lowest level, by default.
    """
    state, nonce = new_hex_secret(), new_hex_secret()
    chosen = portals.choice_for(context) if portal is None else portal
    upstream = portals.provider(context, chosen.name)
    level = chosen.level or upstream.levels[0]
    try:
        url = upstream.authorization_url(state=state, nonce=nonce, level=level)
    except UpstreamError as error:
        return refusal(context, error, way, chosen.name)
    now = context.clock()
    journey = Journey(
        digest(state),
        purpose,
        digest(nonce),
        account_id,
        way.pending_id,
        way.continue_to,
        None,
        chosen.name,
        level,
    )
    with context.database.write() as connection:
        franceconnect.begin_journey(
            connection, journey, browser_hash=browser_hash, now=now, expires_at=now + JOURNEY_LIFETIME
        )
    return Departure(url)


def way_of(journey: Journey) -> Way:
    """Say what the person of a journey was doing."""
    return Way(journey.pending_id, journey.continue_to)


def hold(
    context: Context, connection: Connection, journey: Journey, came: HeldIdentity, browser_hash: bytes
) -> None:
    """Have what came back wait for the person's choice."""
    franceconnect.hold_identity(
        connection,
        journey,
        context.sealer.seal(encoded(came).encode(), bound_to=sealed_for(journey)),
        browser_hash=browser_hash,
        expires_at=context.clock() + CHOICE_LIFETIME,
    )


def held(
    context: Context, purpose: Purpose, pending_id: str | None, browser_hash: bytes
) -> HeldIdentity | None:
    """Find the identity that waits in this browser for a choice; None when there is none any more."""
    with context.database.read() as connection:
        found = held_within(context, connection, purpose, pending_id, browser_hash)
    return None if found is None else found[1]


def held_within(
    context: Context, connection: Connection, purpose: Purpose, pending_id: str | None, browser_hash: bytes
) -> tuple[Journey, HeldIdentity] | None:
    """Find it in a transaction that does more, with its journey."""
    journey = franceconnect.held_journey(
        connection, purpose, pending_id, browser_hash=browser_hash, now=context.clock()
    )
    if journey is None or journey.identity is None:
        return None
    plain = context.sealer.unseal(journey.identity, bound_to=sealed_for(journey))
    return journey, decoded(plain.decode())


def sealed_for(journey: Journey) -> str:
    """Name the row that what is sealed in it belongs to."""
    return f"journey:{journey.state_hash.hex()}"


def retried(context: Context, act: Callable[[Connection], Result]) -> Result:
    """Run an act in a transaction; when another writer was first, once more, to find out by looking."""
    for _ in range(_TRIES):
        with suppress(LostRace), context.database.write() as connection:
            return act(connection)
    raise LostRace


def refusal(context: Context, error: UpstreamError, way: Way, provider: str) -> Refused:
    """Turn what a portal did into a page, and keep it in the trail."""
    match error:
        case UpstreamRefused(code=code):
            late = code == "invalid_grant"
            refused = Refused(Reason.EXPIRED if late else reason_of(code), way, code, provider)
        case UpstreamMisbehaved(what=what):
            refused = Refused(Reason.MISBEHAVED, way, what, provider)
        case UpstreamUnavailable(why=why):
            refused = Refused(Reason.UNAVAILABLE, way, why, provider)
        case _:
            raise error
    now = context.clock()
    with context.database.write() as connection:
        record(connection, FranceConnectRefused(refused.detail), now)
    return refused


def reason_of(error: str) -> Reason:
    """Say what an error of OAuth means to the person (franceconnect.md 2.1)."""
    if error in _LATER:
        return Reason.UNAVAILABLE
    return Reason.REFUSED if error == "access_denied" else Reason.MISBEHAVED


def refused_for(
    context: Context,
    connection: Connection,
    conflict: Conflict,
    way: Way,
    came: HeldIdentity,
    *,
    account_id: str | None = None,
) -> Refused:
    """Turn a conflict into a page, and keep it in the trail; the identity's session at the portal is to end too."""
    record(connection, FranceConnectRefused(conflict), context.clock(), account_id=account_id)
    left_open = OpenSession(came.provider, came.id_token)
    return Refused(Reason(conflict), way, conflict, came.provider, left_open)
