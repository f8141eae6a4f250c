"""The services of a person: who may receive something, what each received, what was answered (CON-4, PRI-2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from idp.services.authorization import purposes as purposes_of
from idp.storage.repositories import consents, disclosures, exports, permissions, purposes, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.disclosure import Disclosure, Told
    from idp.domain.minimum_age import Permission
    from idp.services.authorization.purposes import AnsweredPurpose
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.consents import ListedConsent


@dataclass(frozen=True, slots=True)
class MyService:
    """A service, as one person has to do with it.

    Attributes:
        client_id: Which.
        client: As registered; None when it is gone.
        may_receive: Claims it may read today; empty for the identifier alone, or for a service of the past.
        needs_consent: It reads because the person allowed it, and not by another legal basis.
        since: When that began.
        ended_at: When the person took it back; None for a service of today, or one that was used without a consent.
        last_access_at: The latest time that it was told something.
        told: What it was told.
        purposes: What it asks a yes or no for.
        permission: Of a parent.
        is_proven: The ledger has acts of the person towards it, and receipts of them.
    """

    client_id: str
    client: Client | None
    may_receive: tuple[str, ...] = ()
    needs_consent: bool = True
    since: datetime | None = None
    ended_at: datetime | None = None
    last_access_at: datetime | None = None
    told: tuple[Told, ...] = ()
    purposes: tuple[AnsweredPurpose, ...] = ()
    permission: Permission | None = None
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class MyServices:
    """All of a person's services: those of today, and those of the past that are still known."""

    present: tuple[MyService, ...] = ()
    past: tuple[MyService, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A part of what services were told, day by day.

    Attributes:
        lines: The lines with the service's name, None for one that is gone.
        number: Of this page, from 1.
        pages: How many there are.
    """

    lines: tuple[tuple[Disclosure, str | None], ...]
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of one person, by service."""

    consents: dict[str, ListedConsent]
    holders: dict[str, datetime]
    told: dict[str, list[Told]] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)


def of_account(context: Context, account_id: str) -> MyServices:
    """List the services of a person; what this process has told and not yet written down is written first."""
    context.disclosures.flush(context.database)
    with context.database.read() as connection:
        found = _Found(
            {one.client_id: one for one in consents.of_account(connection, account_id)},
            tokens.live_clients_of(connection, account_id, context.clock()),
            _grouped(disclosures.by_service(connection, account_id)),
            exports.proven_clients(connection, account_id),
        )
        present = [
            _present(context, connection, account_id, client_id, found)
            for client_id in dict.fromkeys((*found.consents, *found.holders))
        ]
        listed = tuple(one for one in present if one.client is not None)
        names = {one.client_id for one in listed}
        past = tuple(_past(context, connection, account_id, found, names))
    return MyServices(tuple(sorted(listed, key=_latest, reverse=True)), past)


def count_present(context: Context, account_id: str) -> int:
    """Count the services that may read something of a person today."""
    with context.database.read() as connection:
        allowed = {one.client_id for one in consents.of_account(connection, account_id)}
        return len(allowed | tokens.live_clients_of(connection, account_id, context.clock()).keys())


def one_of(context: Context, account_id: str, client_id: str) -> MyService | None:
    """Find one service of today; None for another."""
    present = of_account(context, account_id).present
    return next((one for one in present if one.client_id == client_id), None)


def journal(context: Context, account_id: str, number: int, *, size: int = 50) -> JournalPage:
    """Give one page of all that services were told; the nearest one when there is no such page.

    Args:
        context: The parts.
        account_id: Of whom.
        number: From 1.
        size: Lines of a page.
    """
    context.disclosures.flush(context.database)
    with context.database.read() as connection:
        pages = max(1, -(-disclosures.count(connection, account_id) // size))
        number = min(max(1, number), pages)
        lines = disclosures.of_account(connection, account_id, limit=size, offset=(number - 1) * size)
        clients = {one: context.clients.find(connection, one) for one in {line.client_id for line in lines}}
    named = tuple((line, _name(clients[line.client_id])) for line in lines)
    return JournalPage(named, number, pages)


def _present(
    context: Context, connection: Connection, account_id: str, client_id: str, found: _Found
) -> MyService:
    client = context.clients.find(connection, client_id)
    listed, told = found.consents.get(client_id), found.told.get(client_id, [])
    contract = () if client is None else tuple(use.name for use in client.claims)
    return MyService(
        client_id,
        client,
        may_receive=tuple(sorted(contract if listed is None else listed.consent.claims)),
        needs_consent=listed is not None,
        since=found.holders.get(client_id) if listed is None else listed.since,
        last_access_at=_last_access(told, listed),
        told=tuple(told),
        purposes=tuple(_answers(connection, account_id, client)),
        permission=permissions.latest(connection, account_id, client_id)
        if client is not None and client.minimum_age is not None
        else None,
        is_proven=client_id in found.proven,
    )


def _past(
    context: Context, connection: Connection, account_id: str, found: _Found, present: set[str]
) -> Iterable[MyService]:
    ended = {one.client_id: one for one in consents.ended_of_account(connection, account_id)}
    for client_id in dict.fromkeys((*ended, *found.told)):
        if client_id not in present:
            one, told = ended.get(client_id), found.told.get(client_id, [])
            yield MyService(
                client_id,
                context.clients.find(connection, client_id),
                needs_consent=one is not None,
                since=None if one is None else one.since,
                ended_at=None if one is None else one.ended_at,
                last_access_at=_last_access(told, None),
                told=tuple(told),
                is_proven=client_id in found.proven,
            )


def _answers(connection: Connection, account_id: str, client: Client | None) -> list[AnsweredPurpose]:
    if client is None or not client.purposes:
        return []
    return purposes_of.answered(client, purposes.of_person(connection, account_id, client.client_id))


def _last_access(told: Sequence[Told], listed: ListedConsent | None) -> datetime | None:
    moments = [one.last_at for one in told]
    if listed is not None and listed.last_access_at is not None:
        moments.append(listed.last_access_at)
    return max(moments, default=None)


def _grouped(told: Iterable[Told]) -> dict[str, list[Told]]:
    grouped: dict[str, list[Told]] = {}
    for one in told:
        grouped.setdefault(one.client_id, []).append(one)
    return grouped


def _latest(service: MyService) -> float:
    moment = service.last_access_at or service.since
    return 0.0 if moment is None else moment.timestamp()


def _name(client: Client | None) -> str | None:
    return None if client is None else client.name
