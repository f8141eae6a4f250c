"""Deletes every row that speaks of the person, tells their services, and certifies it (LIF-4, PRO-9, S-442, S-443)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import new_id
from idp.domain.deletion import Category, ConcernedService, Told, Way, by_category, certificate
from idp.domain.events import AccountDeleted
from idp.protocol.security_event import ACCOUNT_PURGED
from idp.services import ledger
from idp.services.audit import record
from idp.services.logout.security_events import EventNotice, announce
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in.endings import Member, tell
from idp.services.sign_in.sessions import Ended
from idp.services.sign_in.throttling import keys_of_person
from idp.services.signed_documents import CERTIFICATE, KEYS_PATH, sign_document_within
from idp.storage.engine import retried
from idp.storage.repositories import chains, clients, erasure, purges, sessions

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.session import Session
    from idp.services.context import Context
    from idp.services.tools import Tools
    from idp.storage.engine import Connection
    from idp.storage.repositories.erasure import Leaving

#: How long the certificate's mail is tried: afterwards nobody is left who could ask for it again.
MAIL_LIFETIME: Final = timedelta(days=7)
#: Whoever had read an account before it was erased has ended long since.
_LATE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deletion:
    """An account was erased.

    Attributes:
        number: Of the certificate; the audit trail has it too.
        document: The certificate, signed: a JWS in compact form.
        payload: What it says.
        ended: The session that the person asked in; services that they used in it.
    """

    number: str
    document: str = field(repr=False)
    payload: dict[str, Any]
    ended: Ended = field(default_factory=Ended)


@retried
def delete(tools: Tools, account_id: str, *, actor: str = Way.ADMINISTRATOR) -> Deletion | None:
    """Erase an account and all that speaks of it, in one transaction; the address is free again.

    What stays is a line of the trail that names nobody, and an identifier that a restored backup is checked with.

    Args:
        tools: The parts.
        account_id: Which one.
        actor: A `Way`.

    Returns:
        None when there is no such account.
    """
    with tools.database.write() as connection:
        return delete_within(tools, connection, account_id, actor=actor)


@retried
def delete_own(context: Context, session: Session, *, browser_hash: bytes) -> Deletion | None:
    """Erase the account of the person who asks for it in this browser (PRO-9).

    Args:
        context: The parts.
        session: Theirs; recently authenticated.
        browser_hash: The browser: requests that wait in it go too.

    Returns:
        None when another request, or another device, was first.
    """
    with context.database.write() as connection:
        upstream, sealed = sessions.upstream_of(connection, session.session_id)
        done = delete_within(
            context,
            connection,
            session.account_id,
            actor=Way.PERSON,
            here=session.session_id,
            browser_hash=browser_hash,
        )
    if done is None or sealed is None:
        return done
    id_token = context.sealer.unseal(sealed, bound_to=session.session_id).decode()
    return Deletion(done.number, done.document, done.payload, Ended(done.ended.members, id_token, upstream))


def delete_within(
    tools: Tools,
    connection: Connection,
    account_id: str,
    *,
    actor: str,
    here: str | None = None,
    browser_hash: bytes | None = None,
) -> Deletion | None:
    """Erase an account in a transaction that does more.

    Args:
        tools: The parts.
        connection: The transaction.
        account_id: Which one.
        actor: A `Way`: "person", "administrator", "life_cycle" or "restore".
        here: The session that asks, whose services may be told through the browser too.
        browser_hash: The browser that asks.

    Returns:
        None when there is no such account, or not any more.

    Raises:
        KeyringError: No key is active that the certificate could be signed with; nothing is erased.
    """
    way, now = Way(actor), tools.clock()
    leaving = erasure.hold(connection, account_id)
    if leaving is None:
        return None
    # Before the rows that say whom the services know.
    concerned = _concerned(connection, account_id)
    members = tell(connection, sessions.end_all(connection, account_id), sealer=tools.sealer, now=now)
    _announce(tools, connection, concerned, now)
    counters = keys_of_person(tools.keys, connection, account_id, leaving.canonical)
    counts = erasure.erase(connection, leaving, browser_hash=browser_hash, counters=counters)
    # Last, as everybody does: whoever writes a line of this person's is waited for, or finds the account gone.
    erasure.hold_chains(connection)
    counts[Category.PROOFS] = ledger.erase(connection, account_id, now)
    places = chains.erase(connection, chains.AUDIT, account_id)
    counts[Category.AUDIT] = len(places)
    purges.add(connection, account_id, way=way, now=now)
    done = _certified(tools, connection, way, counts=counts, services=_services(concerned, members))
    record(connection, AccountDeleted(tuple(places), way, done.number), now, actor=way.actor)
    if way is not Way.RESTORE:
        _mail(tools, connection, leaving, done, now)
    return Deletion(done.number, done.document, done.payload, Ended(_members_of(here, members)))


def foreseen(tools: Tools, account_id: str) -> tuple[ConcernedService, ...]:
    """List the services that would be told, or could not be, if the account were erased now."""
    with tools.database.read() as connection:
        open_in = clients.of_sessions(connection, sessions.names_of(connection, account_id))
        members = tuple(Member(client, session_id) for session_id, _, client in open_in)
        return _services(_concerned(connection, account_id), members)


def forget_late(tools: Tools) -> int:
    """Erase what was written of accounts at the very moment at which they were erased; gives how many rows.

    A failed login, or a mail, that had read the account just before: no key refuses such a line.
    """
    now = tools.clock()
    since = now - _LATE
    with tools.database.read() as connection:
        if not purges.is_any_since(connection, since):
            return 0
    with tools.database.write() as connection:
        count = erasure.late_messages(connection, since)
        erasure.hold_chains(connection)
        for account_id in erasure.late_lines(connection, chains.LEDGER, since):
            count += ledger.erase(connection, account_id, now)
        for account_id in erasure.late_lines(connection, chains.AUDIT, since):
            places = chains.erase(connection, chains.AUDIT, account_id)
            record(connection, AccountDeleted(tuple(places), "late"), now, actor="system")
            count += len(places)
    return count


def _concerned(connection: Connection, account_id: str) -> list[tuple[Client, str]]:
    """List the services that ever knew the person and are still there, with the subject that they know."""
    known = erasure.known_to(connection, account_id)
    found = clients.named(connection, sorted({client_id for client_id, _ in known}))
    return [(found[client_id], subject) for client_id, subject in known if client_id in found]


def _announce(
    tools: Tools, connection: Connection, concerned: list[tuple[Client, str]], now: datetime
) -> None:
    at = int(now.timestamp())
    notices = [
        EventNotice(client.client_id, subject, ACCOUNT_PURGED, {}, at)
        for client, subject in concerned
        if client.events_uri is not None
    ]
    announce(connection, notices, sealer=tools.sealer, now=now)


def _services(
    concerned: list[tuple[Client, str]], members: tuple[Member, ...]
) -> tuple[ConcernedService, ...]:
    logged_out = {one.client.client_id for one in members if one.client.backchannel_logout_uri is not None}
    told = {client.client_id: _told(client, logged_out) for client, _ in concerned}
    names = {client.client_id: client.name for client, _ in concerned}
    return tuple(
        ConcernedService(names[client_id], how)
        for client_id, how in sorted(told.items(), key=lambda one: names[one[0]])
    )


def _told(client: Client, logged_out: set[str]) -> Told:
    if client.events_uri is not None:
        return Told.EVENT
    return Told.LOGOUT if client.client_id in logged_out else Told.NOT_TOLD


def _certified(
    tools: Tools,
    connection: Connection,
    way: Way,
    *,
    counts: Counter[Category],
    services: tuple[ConcernedService, ...],
) -> Deletion:
    now = tools.clock()
    number = new_id(now)
    payload = certificate(
        number=number,
        at=now,
        way=way,
        controller=tools.controller,
        erased=by_category(counts),
        services=services,
        keys_url=f"{tools.issuer}{KEYS_PATH}",
    )
    return Deletion(number, sign_document_within(tools, connection, payload, typ=CERTIFICATE), payload)


def _mail(tools: Tools, connection: Connection, leaving: Leaving, done: Deletion, at: datetime) -> None:
    # Of no account: it outlives this one, until it is delivered or its time is over.
    services = done.payload["services"]
    is_told: dict[str, bool] = {one["name"]: one["told_by"] != Told.NOT_TOLD for one in services}
    variables = {
        "at": at,
        "way": done.payload["requested_by"],
        "told": [name for name, told in is_told.items() if told],
        "not_told": [name for name, told in is_told.items() if not told],
        "number": done.number,
        "document": done.document,
    }
    mail = Mail(leaving.email, "account_deleted", leaving.language, variables)
    queue_mail(tools, connection, mail, account_id=None, lifetime=MAIL_LIFETIME)


def _members_of(session_id: str | None, members: tuple[Member, ...]) -> tuple[Member, ...]:
    return tuple(member for member in members if member.session_id == session_id)
