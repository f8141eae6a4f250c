"""Proves an address by a mail that carries a code and a link: how both are sent, tried and refused (ACC-4, ACC-5).

Whoever opens an account and whoever changes their address go this way; what the proof then does is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import SecretKind, digest, keyed_digest, new_code, new_secret
from idp.domain.errors import ThrottledUntil
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.storage.repositories import accounts
from idp.storage.repositories.signups import NewSecrets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.storage.engine import Connection

#: How long the link of the mail may be followed, and what waits for its proof go on (ACC-4).
LINK_LIFETIME: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WrongCode:
    """The code was wrong; so many tries are left, one at least."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class CodeExpired:
    """The code is too old; another can be sent."""


@dataclass(frozen=True, slots=True)
class CodeExhausted:
    """The code has been tried too often; another can be sent."""


@dataclass(frozen=True, slots=True)
class Resent:
    """Another mail is on its way; what the one before carried is void."""


@dataclass(frozen=True, slots=True)
class MailsExhausted:
    """Enough mails were sent; the latest code still holds."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What is to be proven, and in whose words the mail asks for it.

    Attributes:
        canonical: The form by which an account of the address would be found.
        purpose: What the code serves for: it is compared as nothing else.
        row: Names the row that waits for it.
        mail: Makes the mail from the code and the link's secret.
        owner_mail: Makes the one that goes to who has an account under the address already.
        asked_by: The account that asks; None for a visitor.
    """

    canonical: str
    purpose: str
    row: str
    mail: Callable[[str, str], Mail]
    owner_mail: Callable[[Account], Mail]
    asked_by: str | None = None


def may_send(
    context: Context, connection: Connection, canonical: str, now: datetime
) -> ThrottledUntil | None:
    """Count a mail to an address: one mailbox gets so many codes from us, whoever types it and whatever for."""
    brakes = throttling.signup_mail_brakes(context, canonical=canonical)
    decision = throttling.count(context, connection, brakes, now)
    return decision if isinstance(decision, ThrottledUntil) else None


def send(context: Context, connection: Connection, proof: Proof, *, is_wanted: bool) -> NewSecrets:
    """Queue the mail that proves the address, or the one that tells its owner; give back what proves it.

    An address that has an account gets a code that was sent to nobody: it is compared and counted like any other.

    Args:
        context: The parts.
        connection: The transaction that keeps what waits.
        proof: What is to be proven.
        is_wanted: False when the mailbox has had enough: the work is the same, and nothing goes out.
    """
    code, link = new_code(), new_secret(SecretKind.LINK)
    owner = accounts.by_email(connection, proof.canonical)
    queue_mail(
        context,
        connection,
        proof.mail(code, link) if owner is None else proof.owner_mail(owner),
        account_id=proof.asked_by if owner is None else owner.account_id,
        lifetime=LINK_LIFETIME,
        is_wanted=is_wanted,
    )
    is_proof = owner is None and is_wanted
    return NewSecrets(
        code_hash(context, proof.purpose, proof.row, code) if is_proof else None,
        digest(link) if is_proof else None,
        context.clock() + context.code_policy.lifetime,
    )


def in_mail(context: Context, code: str) -> dict[str, Any]:
    """Give what every mail says that carries a code and a link."""
    return {
        "code": code,
        "code_minutes": context.code_policy.lifetime // timedelta(minutes=1),
        "link_hours": LINK_LIFETIME // timedelta(hours=1),
    }


def in_owner_mail(context: Context) -> dict[str, Any]:
    """Give what every mail says that goes to the owner of an address which somebody typed."""
    return {
        "sign_in_url": f"{context.issuer}/sign-in",
        "forgotten_url": f"{context.issuer}/forgotten-password",
    }


def code_hash(context: Context, purpose: str, row: str, code: str) -> bytes:
    """Hash a code as it is kept: for one purpose and one row."""
    return keyed_digest(context.derived.codes, purpose, row, code)


def refused(context: Context, tries: int) -> WrongCode | CodeExhausted:
    """Answer a wrong code, which was the last one or not."""
    most = context.code_policy.tries
    return WrongCode(most - tries) if tries < most else CodeExhausted()


def not_tried(code_expires_at: datetime, now: datetime) -> CodeExpired | CodeExhausted:
    """Tell why a code was not compared at all."""
    return CodeExpired() if now >= code_expires_at else CodeExhausted()
