"""What services write of people's requests, and what the people do with it: the page "Mes demandes" (PRO-6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from idp.crypto.opaque import new_id
from idp.domain.service_request import MOST_OF_A_PERSON, ServiceRequest, Update, read
from idp.protocol.clients.uris import origin_of
from idp.storage.engine import retried
from idp.storage.repositories import service_requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.faults import Fault
    from idp.services.context import Context
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class Key:
    """How a service names a request: the person, the type, the identifier there."""

    subject: str
    type: str
    reference: str


@dataclass(frozen=True, slots=True)
class Written:
    """It is kept, or was so already."""

    request: ServiceRequest
    is_new: bool


@dataclass(frozen=True, slots=True)
class Faulty:
    """Nothing was written: this is wrong."""

    faults: tuple[Fault, ...]


class Refused(StrEnum):
    """Why nothing was written."""

    UNKNOWN_SUBJECT = "unknown_subject"
    OUTDATED = "outdated"
    TOO_MANY = "too_many"


@retried
def put(context: Context, client: Client, key: Key, body: Mapping[str, Any]) -> Written | Faulty | Refused:
    """Keep what a service says of a request; the same said twice is one, an older word is refused.

    Args:
        context: The parts.
        client: Whose word it is: authenticated, and allowed to write.
        key: Of the request, well formed.
        body: What it says, as received.
    """
    now = context.clock()
    said = read(body, is_own=lambda url: _is_own(client, url), now=now)
    if not isinstance(said, Update):
        return Faulty(said)
    with context.database.write() as connection:
        account_id = service_requests.account_of(connection, client.client_id, key.subject)
        if account_id is None:
            return Refused.UNKNOWN_SUBJECT
        return _put(connection, account_id, _request(client, key, said, now))


def find(context: Context, client: Client, key: Key) -> ServiceRequest | None:
    """Read back what a service said; None when there is nothing, or nobody of this subject."""
    with context.database.read() as connection:
        account_id = service_requests.account_of(connection, client.client_id, key.subject)
        if account_id is None:
            return None
        return service_requests.find(connection, account_id, client.client_id, key.type, key.reference)


def remove(context: Context, client: Client, key: Key) -> bool:
    """Take back what a service said by mistake; False when there was nothing."""
    with context.database.write() as connection:
        account_id = service_requests.account_of(connection, client.client_id, key.subject)
        return account_id is not None and service_requests.remove(
            connection, account_id, client.client_id, key.type, key.reference
        )


def of_account(context: Context, account_id: str) -> list[tuple[Client, ServiceRequest]]:
    """List a person's requests with their services, the latest word first; services that are off are named too."""
    with context.database.read() as connection:
        listed = service_requests.of_account(connection, account_id)
        wanted = {one.client_id for one in listed}
        known = {client_id: context.clients.find(connection, client_id) for client_id in wanted}
    return [(client, one) for one in listed if (client := known[one.client_id]) is not None]


def mark_read(
    context: Context, account_id: str, request_id: str | None = None, *, seen_at: datetime | None = None
) -> int:
    """Put one request away as read, or all of them.

    Args:
        context: The parts.
        account_id: Whose they are.
        request_id: Which; None for all.
        seen_at: When the person saw them; what a service said afterwards stays unread. None for now.

    Returns:
        How many were unread.
    """
    with context.database.write() as connection:
        now = context.clock()
        return service_requests.mark_read(connection, account_id, now, seen_at or now, request_id)


def mark_unread(context: Context, account_id: str, request_id: str) -> bool:
    """Let a request stand out again; False when there is none, or it does already."""
    with context.database.write() as connection:
        return service_requests.mark_unread(connection, account_id, request_id)


def address_of(client: Client, request: ServiceRequest) -> str | None:
    """Say where the person goes on: where the service said, as long as the address is its own; else to its home."""
    url = request.update.url
    return url if url is not None and _is_own(client, url) else client.service_uri


def _put(connection: Connection, account_id: str, request: ServiceRequest) -> Written | Refused:
    key = account_id, request.client_id, request.type, request.reference
    is_unknown = service_requests.find(connection, *key) is None
    if (
        is_unknown
        and service_requests.count_of(connection, account_id, request.client_id) >= MOST_OF_A_PERSON
    ):
        return Refused.TOO_MANY
    kept_id = service_requests.put(connection, account_id, request)
    present = service_requests.find(connection, *key)
    # The same word again, after an answer that was lost: it is kept, and nothing stands out anew.
    if present is not None and (kept_id is not None or present.update == request.update):
        return Written(present, is_new=kept_id == request.request_id)
    return Refused.OUTDATED


def _request(client: Client, key: Key, said: Update, now: datetime) -> ServiceRequest:
    return ServiceRequest(
        request_id=new_id(now),
        client_id=client.client_id,
        type=key.type,
        reference=key.reference,
        update=said,
        created_at=now,
        changed_at=now,
        read_at=None,
        closed_at=now if said.status.is_final else None,
    )


def _is_own(client: Client, url: str) -> bool:
    """Tell whether an address is on a site that the service registered: nobody is led elsewhere in its name."""
    registered: Sequence[str | None] = (client.service_uri, client.initiate_login_uri, *client.redirect_uris)
    try:
        wanted, parts = origin_of(url), urlsplit(url)
    except ValueError:
        return False
    if parts.scheme not in {"https", "http"} or parts.username is not None:
        return False
    return any(uri is not None and origin_of(uri) == wanted for uri in registered)
