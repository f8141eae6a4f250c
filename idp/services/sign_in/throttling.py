"""Counts tries and refuses past the limit (LOG-2); every node counts in the same table.

A try is counted before it is looked at, in a transaction of its own: parallel guesses can't all see the
same count, and a node that dies meanwhile has counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import THROTTLE_PURPOSE, keyed_digest
from idp.domain.errors import ThrottledUntil
from idp.domain.throttle import (
    Allowed,
    Counter,
    KeyKind,
    after_failure,
    after_success,
    decide,
    forgotten_at,
    network_of,
    sign_in_keys,
)
from idp.storage.repositories import sessions, throttle
from idp.storage.repositories.throttle import StoredCounter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from idp.crypto.keyring import KeyFolder
    from idp.domain.throttle import ThrottlePolicy
    from idp.services.context import Context
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class Brake:
    """One counter to consult.

    Attributes:
        kind: Whose tries are counted together.
        value: Unambiguous within the kind; hashed with a key before it is stored, for it may hold an address.
        policy: The limits it is held to.
    """

    kind: str
    value: str
    policy: ThrottlePolicy


def sign_in_brakes(
    context: Context, *, canonical: str, address: str, known_device: bytes | None
) -> tuple[Brake, ...]:
    """List the counters of a login by password.

    Args:
        context: The parts.
        canonical: The canonical form of the address typed, known or not.
        address: The visitor's IP address; empty when it can't be told.
        known_device: The browser's device hash, if this very account signed in from it before.
    """
    device = None if known_device is None else known_device.hex()
    keys = sign_in_keys(account=canonical, address=address, device=device)
    return tuple(Brake(key.kind, key.value, context.sign_in_limits.of(key.kind)) for key in keys)


def reset_brakes(context: Context, *, canonical: str) -> tuple[Brake, ...]:
    """List the counters of mails for a new password."""
    return (Brake("reset+address", canonical, context.mail_policy.reset_per_address),)


def signup_mail_brakes(context: Context, *, canonical: str) -> tuple[Brake, ...]:
    """List the counters of sign-up mails."""
    return (Brake("signup+address", canonical, context.mail_policy.signup_per_address),)


def signup_brakes(context: Context, *, address: str) -> tuple[Brake, ...]:
    """List the counters of sign-ups begun."""
    return (Brake("signup+network", network_of(address), context.mail_policy.signup_per_network),)


def email_change_brakes(context: Context, *, account_id: str) -> tuple[Brake, ...]:
    """List the counters of changes of the login address that one account asks for, whatever the addresses (PRO-1)."""
    return (Brake("email_change+account", account_id, context.mail_policy.signup_per_address),)


def contact_email_brakes(context: Context, *, canonical: str, account_id: str) -> tuple[Brake, ...]:
    """List the counters of mails that ask to prove a contact address (PRO-2): of the mailbox, and of who asks."""
    return (
        # Shared with sign-ups: one mailbox gets so many mails from us, whoever types its address.
        *signup_mail_brakes(context, canonical=canonical),
        Brake("contact_email+account", account_id, context.mail_policy.signup_per_address),
    )


def securing_brakes(context: Context, *, account_id: str) -> tuple[Brake, ...]:
    """List the counters of links for a new password that a person gets by securing their account (LOG-6).

    Not those of forgotten passwords: a stranger who asks for such links again and again would keep this one away.
    """
    return (Brake("secure+account", account_id, context.mail_policy.reset_per_address),)


def permission_brakes(context: Context, *, canonical: str, account_id: str) -> tuple[Brake, ...]:
    """List the counters of mails that ask a parent for a permission (CON-7)."""
    return (
        Brake("permission+address", canonical, context.mail_policy.permission_per_address),
        Brake("permission+account", account_id, context.mail_policy.permission_per_account),
    )


def newsletter_brakes(context: Context, *, account_id: str) -> tuple[Brake, ...]:
    """List the counters of mails that ask a person to confirm a subscription (PRO-7)."""
    return (Brake("newsletter+account", account_id, context.mail_policy.newsletter_per_account),)


def keys_of_person(
    keys: KeyFolder, connection: Connection, account_id: str, canonical: str
) -> tuple[bytes, ...]:
    """Name the counters that are known to count one person, so that they are erased with the account (LIF-4).

    Those of an account and a network can't be named without the network, which nothing keeps: they expire within
    a day, and nobody without our keys can tell whose they were.
    """
    kinds = ("reset+address", "signup+address", KeyKind.ACCOUNT)
    named = [(kind, canonical) for kind in kinds]
    of_account = (
        "permission+account",
        "email_change+account",
        "contact_email+account",
        "newsletter+account",
        "secure+account",
    )
    named += [(kind, account_id) for kind in of_account]
    for device in sessions.devices_of(connection, account_id):
        known = sign_in_keys(account=canonical, address="", device=device.hex())
        named += [(key.kind, key.value) for key in known]
    secret = keys.derivation().key(THROTTLE_PURPOSE)
    return tuple(keyed_digest(secret, kind, value) for kind, value in named)


def count(
    context: Context, connection: Connection, brakes: Sequence[Brake], now: datetime
) -> Allowed | ThrottledUntil:
    """Count one try on every counter, if all of them allow it; a refused try counts on none.

    Returns:
        Whether the try may be looked at; the refusal says until when all of them wait.
    """
    counters = _locked(context, connection, brakes, now)
    refusals = [
        decision.when
        for counter in counters.values()
        if isinstance(decision := decide(counter, now), ThrottledUntil)
    ]
    if refusals:
        return ThrottledUntil(max(refusals))
    _save(
        context,
        connection,
        {brake: after_failure(counter, now, brake.policy) for brake, counter in counters.items()},
        now,
    )
    return Allowed()


def clear(context: Context, connection: Connection, brakes: Sequence[Brake], now: datetime) -> None:
    """Take a right password into account: the account's counters forget, the network's gives back this try (S-263)."""
    counters = _locked(context, connection, brakes, now)
    _save(
        context,
        connection,
        {brake: after_success(counter, brake.policy) for brake, counter in counters.items()},
        now,
    )


def _locked(
    context: Context, connection: Connection, brakes: Sequence[Brake], now: datetime
) -> dict[Brake, Counter]:
    keys = {_key_hash(context, brake): brake for brake in brakes}
    stored = throttle.lock(connection, keys.keys(), now)
    return {brake: Counter.from_json(stored[key]) for key, brake in keys.items()}


def _save(context: Context, connection: Connection, counters: Mapping[Brake, Counter], now: datetime) -> None:
    throttle.save(
        connection,
        [
            StoredCounter(
                _key_hash(context, brake), counter.to_json(), forgotten_at(counter, brake.policy) or now
            )
            for brake, counter in counters.items()
        ],
    )


def _key_hash(context: Context, brake: Brake) -> bytes:
    return keyed_digest(context.derived.throttle, brake.kind, brake.value)
