"""Subscribes people to the lists of services, by a mail that they answer, and ends it by one click (PRO-7).

A list has a consent of its own: it outlives the consent to the service that owns it, and ends by itself alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import SecretKind, derived_secret, digest, is_well_formed, new_secret
from idp.domain.civil_identity import CONTACT_EMAIL
from idp.domain.client import LegalBasis
from idp.domain.disclosure import Way
from idp.domain.errors import ThrottledUntil
from idp.domain.events import NewsletterSubscribed, NewsletterUnsubscribed
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.domain.newsletters import CONFIRMATION_LIFETIME, Newsletter, Subscription
from idp.protocol.claims.subject import subject_of
from idp.services import ledger
from idp.services.account.contact_email import mailing_address
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.storage.repositories import accounts, clients, newsletters
from idp.storage.repositories.newsletters import Links

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.services.authorization.consents import Shown
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.newsletters import Subscriber

#: Where the link of the mail leads.
CONFIRM_PAGE: Final = "/newsletters/confirm"
#: Where the link of each letter leads.
UNSUBSCRIBE_PAGE: Final = "/newsletters/unsubscribe"
#: What a service reads of a subscriber, beside an address.
_TOLD: Final = ("sub", "language")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as a person sees it.

    Attributes:
        client: Whose it is.
        newsletter: Its words; None when its service has taken it away, and only leaving is left.
        name: Of the list.
        subscription: What the person asked for; None for nothing.
        is_waiting: A mail waits for an answer.
    """

    client: Client
    newsletter: Newsletter | None
    name: str
    subscription: Subscription | None
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Linked:
    """What a mailed link is about."""

    subscription: Subscription
    client: Client
    newsletter: Newsletter | None


class Asked(StrEnum):
    """What became of a wish to subscribe."""

    MAILED = "mailed"
    SUBSCRIBED = "subscribed"
    UNKNOWN = "unknown"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Told:
    """A subscriber as a service reads them: never our own name for the account (CON-6).

    `email` is the contact address that the person has proven, else their login address (PRO-2).
    """

    subject: str
    email: str
    language: str
    subscribed_at: datetime
    unsubscribe_url: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some subscribers, and where the next page begins; None after the last one."""

    subscribers: tuple[Told, ...]
    next: bytes | None


def of_account(context: Context, account_id: str) -> list[Listed]:
    """List what there is to subscribe to, and what the person subscribed to, by service."""
    now = context.clock()
    with context.database.read() as connection:
        every = clients.every_in_public(connection)
        own = {(one.client_id, one.name): one for one in newsletters.of_account(connection, account_id)}
    listed = []
    for client in sorted(every, key=lambda one: (one.name.casefold(), one.client_id)):
        offered = {one.name: one for one in client.newsletters} if _is_open(client, now) else {}
        kept = [name for client_id, name in own if client_id == client.client_id]
        for name in dict.fromkeys([*offered, *kept]):
            found = own.get((client.client_id, name))
            words = client.newsletter(name)
            waits = found is not None and found.awaits_confirmation(now)
            if name in offered or waits or (found is not None and found.is_confirmed):
                listed.append(Listed(client, words, name, found, waits))
    return listed


def address_of(context: Context, account: Account) -> str:
    """Give the address that the letters of a person go to."""
    with context.database.read() as connection:
        return mailing_address(connection, account)


def subscribe(context: Context, account: Account, client_id: str, name: str) -> Asked:
    """Mail a link that confirms; nothing counts before (double opt-in). A newer link voids the older."""
    now, token = context.clock(), new_secret(SecretKind.LINK)
    with context.database.write() as connection:
        client = context.clients.find(connection, client_id)
        newsletter = None if client is None else _offered(client, name, now)
        if client is None or newsletter is None or not accounts.hold(connection, account.account_id):
            return Asked.UNKNOWN
        if _is_confirmed(connection, account.account_id, client_id, name):
            return Asked.SUBSCRIBED
        brakes = throttling.newsletter_brakes(context, account_id=account.account_id)
        if isinstance(throttling.count(context, connection, brakes, now), ThrottledUntil):
            return Asked.WAIT
        until = now + CONFIRMATION_LIFETIME
        asked = Subscription(account.account_id, client_id, name, now, until, None)
        unsubscribe_token = _unsubscribe_token(context, account.account_id, client_id, name)
        newsletters.ask(connection, asked, Links(digest(token), digest(unsubscribe_token)))
        variables: dict[str, Any] = {
            "newsletter": newsletter.words(account.language)[0],
            "service": client.name,
            "link": f"{context.issuer}{CONFIRM_PAGE}?token={token}",
            "until": until,
        }
        # To where the letters will go: whoever reads them agrees to them.
        to = mailing_address(connection, account)
        mail = Mail(to, "newsletter_confirm", account.language, variables)
        queue_mail(context, connection, mail, account_id=account.account_id, lifetime=CONFIRMATION_LIFETIME)
    return Asked.MAILED


def of_confirmation(context: Context, token: str | None) -> Linked | None:
    """Read what a mailed link confirms; nothing changes, for programs that read mail follow links (S-272).

    Returns:
        None for a link that is unknown, too old, or of a list that is not offered any more.
    """
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    now = context.clock()
    with context.database.read() as connection:
        return _confirmable(context, connection, digest(token), now)


def confirm(context: Context, token: str | None, shown: Shown) -> Linked | None:
    """Let a subscription count, with its proof; once, whoever presses twice is told that it is done.

    Args:
        context: The parts.
        token: Of the mailed link.
        shown: What the page said.
    """
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    now = context.clock()
    with context.database.write() as connection:
        found = _confirmable(context, connection, digest(token), now)
        if found is None or not accounts.hold(connection, found.subscription.account_id):
            return None
        # One statement decides: of two clicks, or a click and an end meanwhile, one entry comes at most.
        confirmed = newsletters.confirm(connection, digest(token), now)
        if confirmed is None:
            # Read anew: the other click may have been first while this one waited for the account.
            present = _confirmable(context, connection, digest(token), now)
            return present if present is not None and present.subscription.is_confirmed else None
        _prove(context, connection, found.client, confirmed, act=Act.GIVEN, shown=shown, now=now)
        event = NewsletterSubscribed(confirmed.name)
        record(connection, event, now, account_id=confirmed.account_id, client_id=found.client.client_id)
        return Linked(confirmed, found.client, found.newsletter)


def unsubscribe(context: Context, account_id: str, client_id: str, name: str, shown: Shown) -> bool:
    """End a subscription at once; False when there was none."""
    with context.database.write() as connection:
        return _end(context, connection, account_id, client_id, name, shown=shown)


def of_letter(context: Context, token: str | None) -> Linked | None:
    """Read what the link of a letter ends; nothing changes."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    with context.database.read() as connection:
        found = newsletters.by_unsubscribe(connection, digest(token))
        client = None if found is None else context.clients.find(connection, found.client_id)
    if found is None or client is None or not found.is_confirmed:
        return None
    return Linked(found, client, client.newsletter(found.name))


def unsubscribe_by_letter(context: Context, token: str | None, shown: Shown) -> bool:
    """End a subscription by the link of a letter, without a login (RFC 8058 section 3.1); False when there was none."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return False
    with context.database.write() as connection:
        found = newsletters.by_unsubscribe(connection, digest(token))
        return found is not None and _end(
            context, connection, found.account_id, found.client_id, found.name, shown=shown
        )


def subscribers(context: Context, client: Client, name: str, *, after: bytes, limit: int) -> Page | None:
    """List those who confirmed, for the service that owns the list; what it is told of each is noted (PRI-2).

    Args:
        context: The parts.
        client: The service: authenticated, and allowed to read.
        name: Of the list.
        after: Where the page begins.
        limit: How many at most.

    Returns:
        None when the service has no such list.
    """
    if client.newsletter(name) is None:
        return None
    with context.database.read() as connection:
        # One more than the page: whether there is another one.
        found = newsletters.subscribers(connection, client.client_id, name, after=after, limit=limit + 1)
    shown = found[:limit]
    _note(context, client, shown)
    told = tuple(_told(context, client, name, one) for one in shown)
    return Page(told, shown[-1].place if len(found) > limit else None)


def _note(context: Context, client: Client, shown: Iterable[Subscriber]) -> None:
    now = context.clock()
    for one in shown:
        claims = dict.fromkeys((*_TOLD, CONTACT_EMAIL if one.is_contact_email else "email"))
        context.disclosures.note(context.database, Way.API, (one.account_id, client.client_id), claims, now)


def _told(context: Context, client: Client, name: str, one: Subscriber) -> Told:
    token = _unsubscribe_token(context, one.account_id, client.client_id, name)
    return Told(
        subject=subject_of(client, one.account_id, context.pairwise),
        email=one.email,
        language=one.language,
        subscribed_at=one.confirmed_at,
        unsubscribe_url=f"{context.issuer}{UNSUBSCRIBE_PAGE}?token={token}",
    )


def _is_open(client: Client, now: datetime) -> bool:
    return client.is_enabled(now) and client.is_verified


def _offered(client: Client, name: str, now: datetime) -> Newsletter | None:
    return client.newsletter(name) if _is_open(client, now) else None


def _is_confirmed(connection: Connection, account_id: str, client_id: str, name: str) -> bool:
    own = newsletters.of_account(connection, account_id)
    return any(one.is_confirmed and (one.client_id, one.name) == (client_id, name) for one in own)


def _confirmable(context: Context, connection: Connection, token_hash: bytes, now: datetime) -> Linked | None:
    found = newsletters.by_confirmation(connection, token_hash)
    client = None if found is None else context.clients.find(connection, found.client_id)
    if found is None or client is None or not (found.is_confirmed or found.awaits_confirmation(now)):
        return None
    newsletter = _offered(client, found.name, now)
    return None if newsletter is None else Linked(found, client, newsletter)


def _end(
    context: Context, connection: Connection, account_id: str, client_id: str, name: str, *, shown: Shown
) -> bool:
    now = context.clock()
    if not accounts.hold(connection, account_id):
        return False
    ended = newsletters.remove(connection, account_id, client_id, name)
    client = context.clients.find(connection, client_id)
    if ended is None or client is None:
        return False
    if ended.is_confirmed:
        _prove(context, connection, client, ended, act=Act.WITHDRAWN, shown=shown, now=now)
        event = NewsletterUnsubscribed(name)
        record(connection, event, now, account_id=account_id, client_id=client_id)
    return True


def _prove(
    context: Context,
    connection: Connection,
    client: Client,
    subscription: Subscription,
    *,
    act: Act,
    shown: Shown,
    now: datetime,
) -> None:
    """Enter the answer into the ledger, with the very words of the page (CON-5)."""
    entry = Entry(
        matter=Matter.CONSENT,
        act=act,
        account_id=subscription.account_id,
        subject=subject_of(client, subscription.account_id, context.pairwise),
        client_id=client.client_id,
        document=Document(subscription.name, client.policy_version, client.policy_uri),
        words=shown.words,
        language=shown.language,
        channel=shown.channel,
        details={
            "newsletter": subscription.name,
            "claims": ["email", "language"],
            "legal_basis": LegalBasis.CONSENT.value,
        },
    )
    ledger.enter(connection, entry, now)


def _unsubscribe_token(context: Context, account_id: str, client_id: str, name: str) -> str:
    """Make the token of the letters of one list to one person: the same each time, so that it can be told again."""
    source = f"{account_id}\x1f{client_id}\x1f{name}".encode()
    return derived_secret(SecretKind.LINK, context.derived.newsletters, source)
