"""The contact address: where services write, once its owner has answered a mail; never the identifier (PRO-2).

What is decided here, once:

- Logins, codes and what concerns the safety of the account keep going to the login address; a contact address gets
  the letters of services. It may be the contact address, or the login address, of somebody else too: whoever answers
  the mail holds the mailbox, and nobody is told of anybody.
- One link, seven days; a newer one voids the older. It serves only the account that asked, signed in: whoever merely
  reads the mailbox changes nothing (S-272). While a change waits, the address that was proven before goes on.
- It is distinct from the identifier: one that becomes the login address is a contact address no longer.
- To give, change or remove an address, a recent login is asked for, as for the login address (S-47).
- The notice goes to the mailbox that gets no more letters: the address that was replaced or removed, else the login
  address. Its owner, who would notice nothing, is told; nobody gets a mail for what they see happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_secret
from idp.domain.civil_identity import CONTACT_EMAIL, Level, apply_proven
from idp.domain.email_address import canonical
from idp.domain.errors import RuleRefused, ThrottledUntil
from idp.domain.events import ContactDetailsEdited
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.storage.engine import retried
from idp.storage.repositories import accounts, attributes, contact_emails
from idp.storage.repositories.contact_emails import ContactEmailProof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.account import Account
    from idp.domain.civil_identity import Attribute
    from idp.domain.email_address import EmailAddress
    from idp.services.context import Context
    from idp.storage.engine import Connection

#: How long the link of the mail may be followed, and the address wait for its proof.
LINK_LIFETIME: Final = timedelta(days=7)
#: Where the link of the mail leads.
LINK_PAGE: Final = "/account/contact-email/link"
#: For so long the second of two clicks is told that it is done.
_JUST_NOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WaitingContactEmail:
    """An address that waits for its proof.

    Attributes:
        email: As typed.
        until: When the link of the mail ends.
    """

    email: str
    until: datetime


@dataclass(frozen=True, slots=True)
class KnownContactEmail:
    """Where an account stands.

    Attributes:
        proven: The address that is used; None when letters go to the login address.
        waiting: What waits for the answer to a mail, to take its place.
    """

    proven: str | None
    waiting: WaitingContactEmail | None


class Asked(StrEnum):
    """What became of a wish to use an address."""

    MAILED = "mailed"
    LOGIN_ADDRESS = "login_address"
    SAME = "same"
    WAIT = "wait"
    GONE = "gone"


class Outcome(StrEnum):
    """What became of a link."""

    PROVEN = "proven"
    ALREADY_PROVEN = "already_proven"
    GONE = "gone"


def known(context: Context, account_id: str) -> KnownContactEmail:
    """Read where an account stands."""
    with context.database.read() as connection:
        proof = contact_emails.of_account(connection, account_id, context.clock())
        held = _proven(attributes.read(connection, account_id))
    return KnownContactEmail(None if held is None else held.value, _shown(proof))


def waiting(context: Context, account_id: str) -> WaitingContactEmail | None:
    """Find the contact address of an account that waits for its proof; None when there is none."""
    with context.database.read() as connection:
        return _shown(contact_emails.of_account(connection, account_id, context.clock()))


def mailing_address(connection: Connection, account: Account) -> str:
    """Give the address that letters of services go to: the proven contact address, else the login address."""
    held = _proven(attributes.read(connection, account.account_id))
    return account.email if held is None else held.value


@retried
def begin(context: Context, account: Account, email: EmailAddress) -> Asked:
    """Mail a link to an address; whatever waited before ends, and what is proven stays until this is too.

    Args:
        context: The parts.
        account: Who is signed in, proven again lately.
        email: The address to prove.

    Returns:
        Anything but MAILED means that nothing changed.
    """
    if email.canonical == canonical(account.email):
        return Asked.LOGIN_ADDRESS
    with context.database.write() as connection:
        held = _proven(attributes.read(connection, account.account_id))
        if held is not None and email.canonical == canonical(held.value):
            return Asked.SAME
        return _mail_link(context, connection, account, email.typed)


@retried
def resend(context: Context, account: Account) -> Asked:
    """Mail another link to the address that waits; the link of the mail before ends."""
    with context.database.write() as connection:
        proof = contact_emails.of_account(connection, account.account_id, context.clock())
        return Asked.GONE if proof is None else _mail_link(context, connection, account, proof.email)


def give_up(context: Context, account_id: str) -> None:
    """End what waits; the address that is proven stays."""
    with context.database.write() as connection:
        contact_emails.remove(connection, account_id)


def address_of_link(context: Context, account_id: str, token: str | None) -> str | None:
    """Tell which address a link would prove to an account; nothing changes, and no other account is told (S-272)."""
    link_hash = _hash_of(token)
    if link_hash is None:
        return None
    with context.database.read() as connection:
        proof = contact_emails.by_link(connection, link_hash, context.clock())
    return None if proof is None or proof.account_id != account_id else proof.email


@retried
def prove(context: Context, account: Account, token: str | None) -> Outcome:
    """Use up a link, and use its address from now on.

    Args:
        context: The parts.
        account: Who is signed in, in whatever browser.
        token: Of the link.
    """
    link_hash, now = _hash_of(token), context.clock()
    with context.database.write() as connection:
        if link_hash is None or not accounts.hold(connection, account.account_id):
            return Outcome.GONE
        email = contact_emails.use_up(connection, account.account_id, link_hash, now)
        present = attributes.read(connection, account.account_id)
        if email is None:
            held = _proven(present)
            is_done = held is not None and held.recorded_at > now - _JUST_NOW
            return Outcome.ALREADY_PROVEN if is_done else Outcome.GONE
        _write(context, connection, account.account_id, present, email)
        _tell(context, connection, account, _proven(present), is_removed=False)
    return Outcome.PROVEN


@retried
def remove(context: Context, account: Account) -> bool:
    """Go back to the login address; False when there was no other.

    Args:
        context: The parts.
        account: Who is signed in, proven again lately.
    """
    with context.database.write() as connection:
        if not accounts.hold(connection, account.account_id):
            return False
        present = attributes.read(connection, account.account_id)
        held = _proven(present)
        if held is None:
            return False
        _write(context, connection, account.account_id, present, None)
        _tell(context, connection, account, held, is_removed=True)
    return True


def drop_login_address(context: Context, connection: Connection, account_id: str, found_by: str) -> None:
    """Take away a contact address that has become the login address, whether proven or waiting.

    Nobody is told: the mailbox goes on getting the letters.

    Args:
        context: The parts.
        connection: The transaction of the change; it holds the account.
        account_id: Whose login address has changed.
        found_by: The canonical form of it.
    """
    proof = contact_emails.of_account(connection, account_id, context.clock())
    if proof is not None and canonical(proof.email) == found_by:
        contact_emails.remove(connection, account_id)
    present = attributes.read(connection, account_id)
    held = _proven(present)
    if held is not None and canonical(held.value) == found_by:
        _write(context, connection, account_id, present, None)


def _write(
    context: Context,
    connection: Connection,
    account_id: str,
    present: Mapping[str, Attribute],
    email: str | None,
) -> None:
    """Bring the address into force, or take it away, with its history; the account is held."""
    now = context.clock()
    after = apply_proven(present, CONTACT_EMAIL, email, now)
    blocked = attributes.write(connection, account_id, present, after, changed_by="person", now=now)
    if blocked is not None:
        raise RuleRefused("FC-6", blocked)
    record(connection, ContactDetailsEdited((CONTACT_EMAIL,)), now, account_id=account_id)


def _tell(
    context: Context, connection: Connection, account: Account, held: Attribute | None, *, is_removed: bool
) -> None:
    # Read again: the login address may have changed since the request came.
    current = accounts.by_id(connection, account.account_id) or account
    to = current.email if held is None else held.value
    variables = {"at": context.clock(), "is_removed": is_removed, "is_login_address": held is None}
    mail = Mail(to, "contact_email_changed", account.language, variables)
    queue_mail(context, connection, mail, account_id=account.account_id)


def _mail_link(context: Context, connection: Connection, account: Account, email: str) -> Asked:
    now, token = context.clock(), new_secret(SecretKind.LINK)
    brakes = throttling.contact_email_brakes(
        context, canonical=canonical(email), account_id=account.account_id
    )
    if isinstance(throttling.count(context, connection, brakes, now), ThrottledUntil):
        return Asked.WAIT
    if not accounts.hold(connection, account.account_id):
        return Asked.GONE
    until = now + LINK_LIFETIME
    proof = ContactEmailProof(account.account_id, email, now, until)
    contact_emails.ask(connection, proof, digest(token))
    variables: dict[str, Any] = {
        "link": f"{context.issuer}{LINK_PAGE}?{urlencode({'token': token})}",
        "until": until,
    }
    mail = Mail(email, "contact_email_confirm", account.language, variables)
    queue_mail(context, connection, mail, account_id=account.account_id, lifetime=LINK_LIFETIME)
    return Asked.MAILED


def _hash_of(token: str | None) -> bytes | None:
    return digest(token) if token is not None and is_well_formed(SecretKind.LINK, token) else None


def _proven(present: Mapping[str, Attribute]) -> Attribute | None:
    held = present.get(CONTACT_EMAIL)
    return held if held is not None and held.level >= Level.PROVEN else None


def _shown(proof: ContactEmailProof | None) -> WaitingContactEmail | None:
    return None if proof is None else WaitingContactEmail(proof.email, proof.expires_at)
