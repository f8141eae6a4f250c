"""Signing in by password; unknown account and wrong password look alike, and take the same time (LOG-1, LOG-2).

The try is counted first, in a transaction of its own; then the password is checked, with none open, for
hashing takes longer than any statement; then one transaction opens the session, if nothing changed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.domain.authentication import Authentication
from idp.domain.email_address import canonical
from idp.domain.errors import ThrottledUntil
from idp.domain.events import SignInRefused
from idp.services.audit import record
from idp.services.sign_in import throttling
from idp.services.sign_in.arrival import Arrived, arrive
from idp.storage.repositories import accounts, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context
    from idp.services.sign_in.arrival import Visit
    from idp.services.sign_in.throttling import Brake
    from idp.storage.engine import Connection
    from idp.storage.repositories.accounts import Credential


@dataclass(frozen=True, slots=True)
class Refused:
    """No active account has this address and this password; nobody is told which of the two is wrong."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many tries; the password was not looked at."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """The password is right; `confirm` says whether it still is when the transaction comes.

    Attributes:
        credential: What it was checked with.
        rehashed: The same password under the parameters of today, when they changed (PWD-5).
        brakes: The counters that the try was counted on.
    """

    credential: Credential
    rehashed: str | None
    brakes: tuple[Brake, ...]


def sign_in(
    context: Context, email: str, password: str, *, address: str, visit: Visit
) -> Arrived | Refused | Throttled:
    """Open a session for who knows the password.

    Args:
        context: The parts.
        email: As typed.
        password: As typed; the rules of new passwords are not asked for here (PWD-2).
        address: The visitor's IP address; empty when it can't be told.
        visit: The browser.
    """
    checked = check(context, email, password, address=address, device_hash=visit.device_hash)
    if not isinstance(checked, Checked):
        return checked
    now = context.clock()
    with context.database.write() as connection:
        if not confirm(context, connection, checked, now):
            return Refused()
        account = checked.credential.account
        return arrive(context, connection, account, Authentication.by_password(now), visit)


def check(
    context: Context, email: str, password: str, *, address: str, device_hash: bytes | None
) -> Checked | Refused | Throttled:
    """Count a try, then check a password; the work is the same whoever the address belongs to, and if to nobody.

    Args:
        context: The parts.
        email: As typed.
        password: As typed.
        address: The visitor's IP address; empty when it can't be told.
        device_hash: Hash of the browser's device cookie: one that this account knows has a counter of its own.
    """
    counted = _count(context, canonical(email), address, device_hash)
    if isinstance(counted, Throttled):
        return counted
    credential, brakes = counted
    verification = context.passwords.verify(
        None if credential is None else credential.password_hash, password
    )
    if credential is None or not verification.ok or not credential.account.is_active:
        _record_refusal(context, credential)
        return Refused()
    rehashed = context.passwords.hash(password) if verification.needs_rehash else None
    return Checked(credential, rehashed, brakes)


def confirm(context: Context, connection: Connection, checked: Checked, now: datetime) -> bool:
    """Take a right password into account; False when the account was locked, or got another password, meanwhile.

    Args:
        context: The parts.
        connection: The transaction of what the password opens.
        checked: The answer of `check`.
        now: The time.
    """
    if not accounts.confirm_password(connection, checked.credential, now, rehashed=checked.rehashed):
        return False
    throttling.clear(context, connection, checked.brakes, now)
    return True


def _count(
    context: Context, canonical_email: str, address: str, device_hash: bytes | None
) -> tuple[Credential | None, tuple[Brake, ...]] | Throttled:
    now = context.clock()
    with context.database.write() as connection:
        credential = accounts.credential(connection, canonical_email)
        account_id = None if credential is None else credential.account.account_id
        is_known = device_hash is not None and sessions.device_is_known(
            connection, account_id or "", device_hash
        )
        brakes = throttling.sign_in_brakes(
            context,
            canonical=canonical_email,
            address=address,
            known_device=device_hash if is_known else None,
        )
        decision = throttling.count(context, connection, brakes, now)
        if isinstance(decision, ThrottledUntil):
            record(connection, SignInRefused("throttled"), now, account_id=account_id)
            return Throttled(decision.when)
    return credential, brakes


def _record_refusal(context: Context, credential: Credential | None) -> None:
    is_locked = credential is not None and not credential.account.is_active
    account_id = None if credential is None else credential.account.account_id
    now = context.clock()
    with context.database.write() as connection:
        event = SignInRefused("locked" if is_locked else "wrong_password")
        record(connection, event, now, account_id=account_id)
