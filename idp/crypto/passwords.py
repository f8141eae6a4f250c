"""Argon2id: bounded concurrency, rehash at login, equal time when unknown (PWD-4, PWD-5, PWD-7, LOG-2).

Passwords are brought to NFC here, exactly once, both when they are set and when they are checked:
callers hand over what was typed. Nothing else is changed. Threads share one `PasswordHasher`: the
memory in use is at most `concurrency` times `memory_kib`.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from idp.domain.errors import RuleRefused
from idp.domain.password_policy import is_too_long, normalise

#: Memory in KiB and passes: the first two choices of OWASP's cheat sheet. Its others, for machines
#: with little memory, are refused: a graphics card gains from each KiB less.
FLOORS = ((19456, 2), (47104, 1))

_SHORTEST_HASH = 32
_SHORTEST_SALT = 16


class HashingBusy(Exception):
    """Too many hashes are waiting; answered as 503 with Retry-After.

    Args:
        retry_after: When to come back.
    """

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"password hashing is busy; retry after {retry_after.total_seconds():.0f} s")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer of `PasswordHasher.verify`.

    Attributes:
        ok: The password is the right one.
        needs_rehash: It is, and its hash was made with other parameters than today's: store `hash(password)`.
    """

    ok: bool
    needs_rehash: bool = False


class PasswordHasher:
    """Hashes and checks passwords.

    Args:
        memory_kib: Memory of one hash, in KiB.
        time_cost: Passes over it.
        parallelism: Lanes; more than one costs the same CPU time and helps a lone login only.
        hash_length: Bytes of the hash.
        salt_length: Bytes of the salt.
        concurrency: Hashes computed at once in this process; None for the number of cores.
        max_wait: How long a call may wait for its turn.

    Raises:
        ValueError: The parameters are under the floor; says which and what the floor is.
    """

    def __init__(
        self,
        *,
        memory_kib: int = 19456,
        time_cost: int = 2,
        parallelism: int = 1,
        hash_length: int = _SHORTEST_HASH,
        salt_length: int = _SHORTEST_SALT,
        concurrency: int | None = None,
        max_wait: timedelta = timedelta(seconds=5),
    ) -> None:
        _require_floor(memory_kib, time_cost, parallelism, hash_length, salt_length)
        slots = (os.cpu_count() or 1) if concurrency is None else concurrency
        if slots < 1:
            raise ValueError("hashing: concurrency must be 1 or more")
        self._argon2 = argon2.PasswordHasher(
            time_cost, memory_kib, parallelism, hash_length, salt_length, type=argon2.Type.ID
        )
        self._max_wait = max_wait
        self._slots = threading.BoundedSemaphore(slots)
        self._dummy_hash = self._make_dummy_hash()

    def hash(self, password: str) -> str:
        """Hash a password that the policy accepted.

        Args:
            password: As typed.

        Returns:
            The hash with its salt and parameters, `$argon2id$v=19$m=…`.

        Raises:
            RuleRefused: PWD-4, when it is over the length limit; nothing was hashed.
            HashingBusy: No turn came in time.
        """
        if is_too_long(password):
            raise RuleRefused("PWD-4")
        with self._turn():
            return self._argon2.hash(_prepared(password))

    def verify(self, password_hash: str | None, password: str) -> Verification:
        """Check a password; every refusal takes the time of a check.

        Args:
            password_hash: As stored; None when there is no such account, for which the same work is done
                against a hash that nothing matches. A stored hash that can't be read counts as None.
            password: As typed, the empty one included. Over the length limit it is refused before any
                hashing, whether or not there is an account.

        Raises:
            HashingBusy: No turn came in time.
        """
        if is_too_long(password):
            return Verification(ok=False)
        with self._turn():
            return self._verify(password_hash or self._dummy_hash, _prepared(password))

    def generate(self) -> str:
        """Make the hash of a random password that nobody will ever know (PWD-7).

        Random itself: working out which password it is of would be as hard as from a computed one, and computing
        one has a rush of first logins through FranceConnect wait for turns that nobody needs.
        """
        return self._make_dummy_hash()

    def _verify(self, password_hash: str, prepared: bytes) -> Verification:
        try:
            self._argon2.verify(password_hash, prepared)
        except VerifyMismatchError:
            return Verification(ok=False)
        except (InvalidHashError, VerificationError, UnicodeEncodeError):
            if password_hash == self._dummy_hash:
                # Argon2 itself failed, for want of memory: that is no wrong password.
                raise
            return self._verify(self._dummy_hash, prepared)
        return Verification(ok=True, needs_rehash=self._argon2.check_needs_rehash(password_hash))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._max_wait.total_seconds()):
            raise HashingBusy(retry_after=max(self._max_wait, timedelta(seconds=1)))
        try:
            yield
        finally:
            self._slots.release()

    def _make_dummy_hash(self) -> str:
        """Write a hash of today's parameters that no known password has, without computing one."""
        own = self._argon2
        salt, tag = secrets.token_bytes(own.salt_len), secrets.token_bytes(own.hash_len)
        costs = f"m={own.memory_cost},t={own.time_cost},p={own.parallelism}"
        return f"$argon2id$v=19${costs}${_base64(salt)}${_base64(tag)}"


def _require_floor(
    memory_kib: int, time_cost: int, parallelism: int, hash_length: int, salt_length: int
) -> None:
    if not any(memory_kib >= memory and time_cost >= passes for memory, passes in FLOORS):
        floors = " or ".join(f"memory_kib={memory}, time_cost={passes}" for memory, passes in FLOORS)
        raise ValueError(
            f"hashing: memory_kib={memory_kib}, time_cost={time_cost} is under the floor of OWASP: {floors}"
        )
    if parallelism < 1:
        raise ValueError("hashing: parallelism must be 1 or more")
    if hash_length < _SHORTEST_HASH or salt_length < _SHORTEST_SALT:
        raise ValueError("hashing: hash_length must be 32 or more and salt_length 16 or more")


def _prepared(password: str) -> bytes:
    # What is no UTF-8 is refused when a password is set; at login it must be wrong, not an error.
    return normalise(password).encode(errors="surrogatepass")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()
