"""Through FranceConnect: there, back, and what becomes of who came back (FC-1, FC-3, FC-7).

The state is used up first, in a transaction of its own; then FranceConnect is asked, with none open; then one
transaction does everything that the answer leads to. A callback that comes twice, late, or in another browser
finds the state used up or not its own, and changes nothing.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, assert_never

from idp.crypto.opaque import digest, new_hex_secret
from idp.domain.authentication import Authentication
from idp.domain.events import FranceConnectRefused, SignInRefused
from idp.federation.upstream import (
    UpstreamError,
    UpstreamMisbehaved,
    UpstreamProvider,
    UpstreamRefused,
    UpstreamUnavailable,
)
from idp.services.audit import record
from idp.services.sign_in import password
from idp.services.sign_in.arrival import Arrived, arrive
from idp.services.sign_in.certification import Conflict, LostRace, attach, conflict_of, refresh, tell_linked
from idp.services.sign_in.held_identity import decoded, encoded, hold, pivot_hash
from idp.storage.repositories import accounts, franceconnect
from idp.storage.repositories.franceconnect import Journey, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

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
    "begin_logout",
    "callback",
    "end_logout",
    "held",
    "held_within",
    "let_in",
    "link_with_password",
    "logout_departure",
    "provider",
    "refused_for",
    "retried",
]

#: FranceConnect waits half an hour for a person; its error pages send them back later still.
JOURNEY_LIFETIME = timedelta(hours=2)
#: How long a person may take to choose; RGAA 13.1 asks not to hurry, PRI-3 not to hoard.
CHOICE_LIFETIME = timedelta(hours=2)
_STATE = re.compile(r"[0-9a-f]{64}")
_TRIES = 3


class Reason(StrEnum):
    """Why nobody came in; `templates/interaction/franceconnect_error.html` has the words."""

    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    MISBEHAVED = "misbehaved"
    LINKED_ELSEWHERE = "linked_elsewhere"
    IDENTITY_TAKEN = "identity_taken"
    ALREADY_LINKED = "already_linked"
    EXPIRED = "expired"
    LOCKED = "locked"


#: OAuth errors that say "later" (franceconnect.md 2.1).
_LATER = frozenset({"server_error", "temporarily_unavailable"})
_REASONS = {
    Conflict.LINKED_ELSEWHERE: Reason.LINKED_ELSEWHERE,
    Conflict.IDENTITY_TAKEN: Reason.IDENTITY_TAKEN,
    Conflict.ALREADY_LINKED: Reason.ALREADY_LINKED,
    Conflict.BIRTH_DATA_CHANGED: Reason.MISBEHAVED,
}


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


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody came in.

    Attributes:
        reason: What the page says.
        way: What the person was doing.
        detail: What the log says; never a value.
    """

    reason: Reason
    way: Way = Way()
    detail: str = ""

    @property
    def may_retry(self) -> bool:
        """Tell whether trying again can help."""
        return self.reason in {Reason.REFUSED, Reason.UNAVAILABLE, Reason.MISBEHAVED, Reason.EXPIRED}


Result = TypeVar("Result")
Outcome = SignedIn | FirstTime | LinkComparison | Doubled | Refused


def begin(
    context: Context, *, purpose: Purpose, browser_hash: bytes, account_id: str | None, way: Way
) -> Departure | Refused:
    """Start a journey: remember it, and say where to send the browser.

    Args:
        context: The parts; FranceConnect is on.
        purpose: What for.
        browser_hash: The only browser that may come back with it (S-59).
        account_id: Who is signed in, when the journey is about them.
        way: What the person was doing.
    """
    state, nonce = new_hex_secret(), new_hex_secret()
    try:
        url = provider(context).authorization_url(state=state, nonce=nonce)
    except UpstreamError as error:
        return _refusal(context, error, way)
    now = context.clock()
    journey = Journey(
        digest(state), purpose, digest(nonce), account_id, way.pending_id, way.continue_to, None
    )
    with context.database.write() as connection:
        franceconnect.begin_journey(
            connection, journey, browser_hash=browser_hash, now=now, expires_at=now + JOURNEY_LIFETIME
        )
    return Departure(url)


def callback(
    context: Context,
    state: str,
    answer: UpstreamCallback,
    *,
    browser_hash: bytes,
    present: Account | None,
    visit: Visit,
) -> Outcome:
    """Take what the browser brought back.

    Args:
        context: The parts.
        state: As received; may be anything, such as the word "undefined".
        answer: The rest, as received.
        browser_hash: This browser.
        present: Who is signed in.
        visit: The browser, for the session; its pending request is the journey's.
    """
    now = context.clock()
    if _STATE.fullmatch(state) is None:
        return _without_journey(answer)
    with context.database.write() as connection:
        journey = franceconnect.use_journey(connection, digest(state), browser_hash=browser_hash, now=now)
    if journey is None or journey.nonce_hash is None:
        return _doubled(context, state, answer, browser_hash)
    way = Way(journey.pending_id, journey.continue_to)
    try:
        identity = provider(context).identify(answer, nonce_hash=journey.nonce_hash, now=now)
    except UpstreamError as error:
        return _refusal(context, error, way)
    back = _Return(journey, hold(identity), present, browser_hash, visit)
    return retried(context, lambda connection: _received(context, connection, back))


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
    plain = context.sealer.unseal(journey.identity, bound_to=_sealed_for(journey))
    return journey, decoded(plain.decode())


def link_with_password(
    context: Context,
    email: str,
    typed_password: str,
    *,
    address: str,
    browser_hash: bytes,
    visit: Visit,
) -> SignedIn | password.Refused | password.Throttled | Refused:
    """Link the identity that waits here to the account whose password is known: proof of both sides (FC-4).

    Args:
        context: The parts.
        email: As typed.
        typed_password: As typed; tries are counted as at sign-in (LOG-2).
        address: The visitor's IP address.
        browser_hash: This browser.
        visit: The browser, for the session.
    """
    way = Way(visit.pending_id)
    if held(context, Purpose.SIGN_IN, visit.pending_id, browser_hash) is None:
        return Refused(Reason.EXPIRED, way)
    checked = password.check(context, email, typed_password, address=address, device_hash=visit.device_hash)
    if not isinstance(checked, password.Checked):
        return checked

    def link(connection: Connection) -> SignedIn | password.Refused | Refused:
        now = context.clock()
        found = held_within(context, connection, Purpose.SIGN_IN, visit.pending_id, browser_hash)
        if found is None or not franceconnect.release_identity(connection, found[0].state_hash):
            return Refused(Reason.EXPIRED, way)
        if not password.confirm(context, connection, checked, now):
            return password.Refused()
        journey, identity = found
        account = checked.credential.account
        conflict = attach(context, connection, account, identity)
        if conflict is not None:
            return refused_for(context, connection, conflict, way, account_id=account.account_id)
        tell_linked(context, connection, account, now)
        arrived = let_in(context, connection, account, identity, visit)
        return SignedIn(arrived, Way(journey.pending_id, journey.continue_to))

    return retried(context, link)


def let_in(
    context: Context,
    connection: Connection,
    account: Account,
    identity: HeldIdentity,
    visit: Visit,
) -> Arrived:
    """Open the session of who came through FranceConnect, in the transaction that decided it.

    `auth_time` is when FranceConnect vouched for the person to us: its own session may be half an hour older, and
    nothing that a service may send makes it ask again (franceconnect.md 2).
    """
    now = context.clock()
    arrived = arrive(
        context,
        connection,
        account,
        # S-34: exactly what FranceConnect answered.
        Authentication.by_franceconnect(now, identity.level),
        visit,
        upstream="franceconnect",
        upstream_id_token=identity.id_token,
    )
    accounts.record_sign_in(connection, account.account_id, now)
    return arrived


def begin_logout(
    context: Context, id_token: str, *, browser_hash: bytes, continue_to: str | None
) -> str | None:
    """Remember a logout that goes through FranceConnect; our own session has ended before (franceconnect.md 5).

    Args:
        context: The parts.
        id_token: The raw one of the ended session.
        browser_hash: This browser.
        continue_to: Where the person goes in the end; checked by the caller, and kept here, not sent along.

    Returns:
        The state; None when FranceConnect is off by now.
    """
    if context.franceconnect is None:
        return None
    state, now = new_hex_secret(), context.clock()
    journey = Journey(digest(state), Purpose.LOGOUT, None, None, None, continue_to, None)
    sealed = context.sealer.seal(id_token.encode(), bound_to=_sealed_for(journey))
    with context.database.write() as connection:
        franceconnect.begin_journey(
            connection,
            replace(journey, identity=sealed),
            browser_hash=browser_hash,
            now=now,
            expires_at=now + JOURNEY_LIFETIME,
        )
    return state


def logout_departure(context: Context, state: str, *, browser_hash: bytes) -> str | None:
    """Say where to send the browser so that its FranceConnect session ends; None when there is nothing to end."""
    with context.database.read() as connection:
        journey = franceconnect.find_journey(
            connection, digest(state), browser_hash=browser_hash, now=context.clock()
        )
    if journey is None or journey.purpose != Purpose.LOGOUT or journey.identity is None:
        return None
    id_token = context.sealer.unseal(journey.identity, bound_to=_sealed_for(journey)).decode()
    try:
        return provider(context).logout_url(id_token, state=state)
    except UpstreamError:
        # The session there ends by itself within half an hour; ours has ended.
        return None


def end_logout(context: Context, state: str, *, browser_hash: bytes) -> Way | None:
    """Take the person back from FranceConnect's logout; None when the state is not this browser's."""
    now = context.clock()
    with context.database.write() as connection:
        journey = franceconnect.use_journey(connection, digest(state), browser_hash=browser_hash, now=now)
        if journey is None or journey.purpose != Purpose.LOGOUT:
            return None
        franceconnect.release_identity(connection, journey.state_hash)
    return Way(None, journey.continue_to)


def provider(context: Context) -> UpstreamProvider:
    """Give FranceConnect.

    Raises:
        LookupError: It is off; no page leads here then.
    """
    if context.franceconnect is None:
        raise LookupError("FranceConnect is off")
    return context.franceconnect


def retried(context: Context, act: Callable[[Connection], Result]) -> Result:
    """Run an act in a transaction; when another writer was first, once more, to find out by looking."""
    for _ in range(_TRIES):
        with suppress(LostRace), context.database.write() as connection:
            return act(connection)
    raise LostRace


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
        return _way(self.journey)

    @property
    def is_same_person_here(self) -> bool:
        """Tell whether who is signed in is still who set out."""
        return self.present is not None and self.present.account_id == self.journey.account_id


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
    link = franceconnect.link_by_subject(connection, back.came.subject)
    if link is None:
        return _unknown(context, connection, back)
    account = accounts.by_id(connection, link.account_id)
    if account is None or not account.is_active:
        record(connection, SignInRefused("locked"), context.clock(), account_id=link.account_id)
        return Refused(Reason.LOCKED, back.way, "locked")
    conflict = refresh(context, connection, account, link, back.came)
    if conflict is not None:
        return refused_for(context, connection, conflict, back.way, account_id=account.account_id)
    visit = replace(back.visit, pending_id=back.journey.pending_id)
    return SignedIn(let_in(context, connection, account, back.came, visit), back.way)


def _unknown(context: Context, connection: Connection, back: _Return) -> FirstTime | Refused:
    pivot = pivot_hash(context, back.came.civil)
    if franceconnect.link_by_pivot(connection, pivot) is not None:
        # FC-3: most likely the same person, whose subject changed; never guessed, never merged.
        return refused_for(context, connection, Conflict.IDENTITY_TAKEN, back.way)
    _hold(context, connection, back)
    return FirstTime(back.way)


def _reauthenticated(
    context: Context, connection: Connection, back: _Return
) -> SignedIn | FirstTime | Refused:
    if not back.is_same_person_here:
        return Refused(Reason.EXPIRED, back.way, "session_changed")
    link = franceconnect.link_by_subject(connection, back.came.subject)
    account_id = back.journey.account_id
    if link is None:
        return refused_for(context, connection, Conflict.ALREADY_LINKED, back.way, account_id=account_id)
    if link.account_id != account_id:
        return refused_for(context, connection, Conflict.LINKED_ELSEWHERE, back.way, account_id=account_id)
    return _signed_in(context, connection, back)


def _to_be_linked(
    context: Context, connection: Connection, back: _Return
) -> LinkComparison | SignedIn | FirstTime | Refused:
    account_id = back.journey.account_id
    if account_id is None or not back.is_same_person_here:
        return Refused(Reason.EXPIRED, back.way, "session_changed")
    conflict = conflict_of(context, connection, account_id, back.came)
    if conflict is not None:
        return refused_for(context, connection, conflict, back.way, account_id=account_id)
    if franceconnect.link_by_subject(connection, back.came.subject) is not None:
        # Linked to this very account already: nothing to compare, the values are brought up to date.
        return _signed_in(context, connection, back)
    _hold(context, connection, back)
    return LinkComparison(back.way)


def _hold(context: Context, connection: Connection, back: _Return) -> None:
    franceconnect.hold_identity(
        connection,
        back.journey,
        context.sealer.seal(encoded(back.came).encode(), bound_to=_sealed_for(back.journey)),
        browser_hash=back.browser_hash,
        expires_at=context.clock() + CHOICE_LIFETIME,
    )


def _sealed_for(journey: Journey) -> str:
    return f"journey:{journey.state_hash.hex()}"


def _way(journey: Journey) -> Way:
    return Way(journey.pending_id, journey.continue_to)


def _doubled(
    context: Context, state: str, answer: UpstreamCallback, browser_hash: bytes
) -> Doubled | Refused:
    with context.database.read() as connection:
        journey = franceconnect.find_journey(
            connection, digest(state), browser_hash=browser_hash, now=context.clock()
        )
    if journey is None or journey.purpose == Purpose.LOGOUT:
        return _without_journey(answer)
    return Doubled(_way(journey), journey.purpose, journey.identity is not None)


def _without_journey(answer: UpstreamCallback) -> Refused:
    """Answer a callback that belongs to nothing: forged, of another browser, or far too late; nothing changes."""
    if answer.error is not None:
        # Only the words of the page depend on it.
        return Refused(_reason_of(answer.error), detail="callback.state")
    return Refused(Reason.EXPIRED, detail="callback.state")


def _reason_of(error: str) -> Reason:
    if error in _LATER:
        return Reason.UNAVAILABLE
    return Reason.REFUSED if error == "access_denied" else Reason.MISBEHAVED


def _refusal(context: Context, error: UpstreamError, way: Way) -> Refused:
    """Turn what the provider did into a page, and keep it in the trail."""
    match error:
        case UpstreamRefused(code=code):
            late = code == "invalid_grant"
            refused = Refused(Reason.EXPIRED if late else _reason_of(code), way, code)
        case UpstreamMisbehaved(what=what):
            refused = Refused(Reason.MISBEHAVED, way, what)
        case UpstreamUnavailable(why=why):
            refused = Refused(Reason.UNAVAILABLE, way, why)
        case _:
            raise error
    now = context.clock()
    with context.database.write() as connection:
        record(connection, FranceConnectRefused(refused.detail), now)
    return refused


def refused_for(
    context: Context,
    connection: Connection,
    conflict: Conflict,
    way: Way,
    *,
    account_id: str | None = None,
) -> Refused:
    """Turn a conflict into a page, and keep it in the trail."""
    record(connection, FranceConnectRefused(conflict), context.clock(), account_id=account_id)
    return Refused(_REASONS[conflict], way, conflict)
