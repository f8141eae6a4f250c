"""JWK Sets that clients publish at their `jwks_uri` (RFC 7517 section 5; OIDC Core 10.1.1), fetched and kept a while.

Who asks for a key may be anybody, with an invented `kid`: what it can make us send is bounded, and a host that
is dead or slow holds up one thread for a moment, then none.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.crypto.jwt import PRIVATE_MEMBERS, public_keys
from idp.outbound.http import Unreachable
from idp.outbound.logs import get_logger

if TYPE_CHECKING:
    from idp.outbound.http import Answer, HTTPClient

_OK: Final = 200
#: A set of fifty RSA keys with their certificates.
_MOST_BYTES: Final = 131_072
_MOST_KEYS: Final = 50
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})")
_NOT_KEPT: Final = re.compile(r"(?:^|[,\s])no-(?:store|cache)\b")
_ACCEPT: Final = "application/jwk-set+json, application/json"
_MOST_DOUBLINGS: Final = 8
_LOG: Final = get_logger("idp.key_sets")


class KeySetUnavailable(Exception):
    """The keys of a client can't be had, or the one that is needed is not among them; the text is for the log."""


@dataclass(frozen=True, slots=True)
class KeySetLimits:
    """How long key sets are kept and how often they are asked for.

    Attributes:
        shortest: A set is kept so long at least, whatever its answer says.
        longest: And so long at most: a key that its owner withdraws must go.
        stale: A set goes on serving so long after it came, while its host does not answer.
        failure: A host that did not answer is left alone so long, doubled with each failure...
        longest_failure: ...up to here.
        burst: How many fetches of one address may follow each other at once...
        refill: ...and how long until one more may.
        at_once: How many addresses may be fetched at the same time.
        wait: How long to wait for a turn.
        total: How long one fetch may take.
        most: How many sets are kept.
    """

    shortest: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=5)
    stale: timedelta = timedelta(hours=1)
    failure: timedelta = timedelta(seconds=15)
    longest_failure: timedelta = timedelta(minutes=4)
    burst: int = 5
    refill: timedelta = timedelta(seconds=12)
    at_once: int = 2
    wait: timedelta = timedelta(seconds=1)
    total: timedelta = timedelta(seconds=3)
    most: int = 500


@dataclass(frozen=True)
class KeySet:
    """The public keys of a client.

    Attributes:
        keys: As published; those with private members are left out.
    """

    keys: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, document: object) -> KeySet:
        """Read a JWK Set (RFC 7517 section 5); what is no key is passed over.

        Raises:
            KeySetUnavailable: Not a JWK Set, or one of too many keys.
        """
        listed = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise KeySetUnavailable("not a JWK Set")
        if len(listed) > _MOST_KEYS:
            raise KeySetUnavailable("too many keys")
        # A private key that was published is everybody's, and proves nothing any more.
        return cls(tuple(jwk for jwk in listed if isinstance(jwk, dict) and not PRIVATE_MEMBERS & jwk.keys()))

    @cached_property
    def signing_keys(self) -> dict[str | None, Any]:
        """The keys that may verify signatures, as objects, by `kid`."""
        return public_keys({"keys": list(self.keys)})


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A set that came, and until when it serves without a question."""

    keys: KeySet
    at: datetime
    fresh_until: datetime


@dataclass(eq=False, slots=True)
class _Entry:
    """What is known of one address; changed under its lock only."""

    tokens: float
    refilled_at: datetime
    lock: threading.Lock = field(default_factory=threading.Lock)
    fetched: _Fetched | None = None
    tries: int = 0
    failures: int = 0
    resting_until: datetime | None = None


class KeySets:
    """The key sets of one worker; losing them costs one request for each.

    Args:
        limits: How long and how often.
    """

    def __init__(self, limits: KeySetLimits | None = None) -> None:
        self._limits = limits or KeySetLimits()
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(self._limits.at_once)

    def find(
        self, http: HTTPClient, address: str, now: datetime, *, has: Callable[[KeySet], bool] = lambda _: True
    ) -> KeySet:
        """Give the key set of an address, fetched when it is not known, old, or lacks what is needed.

        Args:
            http: Sends the request.
            address: The client's `jwks_uri`.
            now: The present moment.
            has: Tells whether what is needed is in a set: a `kid`, a certificate, a key to encrypt with.

        Returns:
            The newest set that can be had; it may still lack what is needed.

        Raises:
            KeySetUnavailable: There is none.
        """
        entry = self._entry(address, now)
        tries, fetched = entry.tries, entry.fetched
        serves = fetched is not None and self._is_usable(fetched, now) and has(fetched.keys)
        if fetched is not None and serves and now < fetched.fresh_until:
            return fetched.keys
        # One thread asks. The others wait for its answer, unless the old set will do, or the host did not
        # answer the last time: then it may hold up one thread, not all of them.
        if entry.lock.acquire(blocking=not serves and entry.failures == 0):
            try:
                if entry.tries == tries:
                    self._fetch(entry, http, address, now)
            finally:
                entry.lock.release()
        return self._best(entry, now)

    def _entry(self, address: str, now: datetime) -> _Entry:
        with self._lock:
            # Taken out and put back: at the front is the one that nobody has asked for longest.
            entry = self._entries.pop(address, None) or _Entry(self._limits.burst, now)
            if len(self._entries) >= self._limits.most:
                del self._entries[next(iter(self._entries))]
            self._entries[address] = entry
            return entry

    def _best(self, entry: _Entry, now: datetime) -> KeySet:
        fetched = entry.fetched
        if fetched is None or not self._is_usable(fetched, now):
            raise KeySetUnavailable("jwks_uri can't be read")
        return fetched.keys

    def _is_usable(self, fetched: _Fetched, now: datetime) -> bool:
        return now < fetched.at + self._limits.stale

    def _fetch(self, entry: _Entry, http: HTTPClient, address: str, now: datetime) -> None:
        if entry.resting_until is not None and now < entry.resting_until:
            return
        if not self._takes_token(entry, now):
            _LOG.warning("key_set_not_fetched", reason="too often")
            return
        try:
            answer = self._asked(http, address)
            keys = _key_set_in(answer)
        except (Unreachable, KeySetUnavailable) as error:
            self._rest(entry, error, now)
        else:
            entry.failures, entry.resting_until = 0, None
            entry.fetched = _Fetched(keys, now, now + self._lifetime(answer))
        # Counted when it is over: whoever came meanwhile has waited for this very answer.
        entry.tries += 1

    def _takes_token(self, entry: _Entry, now: datetime) -> bool:
        refilled = entry.tokens + (now - entry.refilled_at) / self._limits.refill
        entry.tokens, entry.refilled_at = min(refilled, float(self._limits.burst)), now
        if entry.tokens < 1:
            return False
        entry.tokens -= 1
        return True

    def _asked(self, http: HTTPClient, address: str) -> Answer:
        if not self._turns.acquire(timeout=self._limits.wait.total_seconds()):
            raise KeySetUnavailable("too many fetches at once")
        try:
            return http.request("GET", address, headers={"Accept": _ACCEPT}, total=self._limits.total)
        finally:
            self._turns.release()

    def _rest(self, entry: _Entry, error: Exception, now: datetime) -> None:
        rest = min(self._limits.failure * 2**entry.failures, self._limits.longest_failure)
        entry.failures = min(entry.failures + 1, _MOST_DOUBLINGS)
        entry.resting_until = now + rest
        _LOG.warning("key_set_not_fetched", reason=str(error))

    def _lifetime(self, answer: Answer) -> timedelta:
        said = answer.headers.get("cache-control", "").lower()
        if _NOT_KEPT.search(said):
            return self._limits.shortest
        max_age = _MAX_AGE.search(said)
        if max_age is None:
            return self._limits.longest
        return max(self._limits.shortest, min(timedelta(seconds=int(max_age[1])), self._limits.longest))


def _key_set_in(answer: Answer) -> KeySet:
    # A redirect is not followed: where it leads was never registered.
    if answer.status != _OK:
        raise KeySetUnavailable(f"status {answer.status}")
    if len(answer.body) > _MOST_BYTES:
        raise KeySetUnavailable("too large")
    # Whatever the media type: many publish their keys as a plain file.
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise KeySetUnavailable("not JSON") from error
    return KeySet.of(document)
