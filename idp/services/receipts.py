"""Receipts of what people agreed to: theirs to read and keep, anyone's to check (CON-5, CGU-3, S-437)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.domain import receipt as fields
from idp.domain.errors import ThrottledUntil
from idp.domain.receipt import Addresses
from idp.domain.throttle import ThrottlePolicy, network_of
from idp.services.sign_in.throttling import Brake, count
from idp.services.signed_documents import KEYS_PATH, RECEIPT, sign_document, verify_document
from idp.storage.repositories import clients, ledger

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.receipt import ProvenAct
    from idp.services.context import Context
    from idp.services.tools import Tools

SCHEMA_PATH: Final = "/receipts/schema"
CHECK_PATH: Final = "/receipts/check"
#: Checks from one network, counted in the database like every brake.
_BRAKE: Final = ThrottlePolicy(free_failures=30, window=timedelta(minutes=10), cleared_by_success=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """An act, and the service that it was towards, as far as there still is one."""

    act: ProvenAct
    client: Client | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt of one act.

    Attributes:
        act: The entry of the ledger.
        client: The service, as it is today.
        members: The fields, as they are signed.
    """

    act: ProvenAct
    client: Client | None
    members: dict[str, Any]


class Standing(StrEnum):
    """What the ledger has of a receipt."""

    KEPT = "kept"
    ERASED = "erased"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Genuine:
    """A receipt that we signed.

    Attributes:
        members: What it says.
        signed_at: When it was made out.
        kid: Which key signed it.
        standing: What the ledger has of it now.
    """

    members: dict[str, Any]
    signed_at: datetime
    kid: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class NotOurs:
    """No receipt of ours: altered, of another issuer, or something else."""


def of_account(context: Context, account_id: str, *, client_id: str | None = None) -> list[Listed]:
    """List the acts of a person that there are receipts of, the latest first.

    Args:
        context: The parts.
        account_id: Whose.
        client_id: Only those towards this service.
    """
    with context.database.read() as connection:
        acts = ledger.of_account(connection, account_id)
        wanted = [act for act in acts if client_id is None or act.client_id == client_id]
        names = {act.client_id for act in wanted if act.client_id is not None}
        clients = {name: context.clients.find(connection, name) for name in names}
    return [Listed(act, clients.get(act.client_id or "")) for act in wanted]


def receipt(context: Context, account_id: str, entry_id: str) -> Receipt | None:
    """Make the receipt of an act of a person; None when it is somebody else's, or there is none."""
    with context.database.read() as connection:
        act = ledger.find(connection, account_id, entry_id)
        if act is None:
            return None
        client = None if act.client_id is None else context.clients.find(connection, act.client_id)
    members = fields.receipt(act, client, context.controller, _addresses(context.issuer))
    return Receipt(act, client, members)


def every_signed(tools: Tools, account_id: str) -> dict[str, str]:
    """Sign a receipt of every act of a person, by entry: for their export, of a command line too (PRI-1).

    Raises:
        KeyringError: No key is active.
    """
    with tools.database.read() as connection:
        acts = ledger.of_account(connection, account_id)
        names = {act.client_id for act in acts if act.client_id is not None}
        known = {name: clients.by_id(connection, name) for name in names}
    addresses = _addresses(tools.issuer)
    return {
        act.entry_id: sign_document(
            tools,
            fields.receipt(act, known.get(act.client_id or ""), tools.controller, addresses),
            typ=RECEIPT,
        )
        for act in acts
    }


def signed(context: Context, made: Receipt) -> str:
    """Sign a receipt: a JWS in compact form.

    Raises:
        KeyringError: No key is active.
    """
    return sign_document(context, made.members, typ=RECEIPT)


def payload_of(context: Context, document: str) -> dict[str, Any]:
    """Read back what was just signed, with what the signature adds: who and when."""
    verified = verify_document(context, document, typ=RECEIPT)
    return {} if verified is None else verified.payload


def check(context: Context, presented: str, *, address: str) -> Genuine | NotOurs:
    """Check what somebody presents as a receipt; nothing of it is kept.

    Args:
        context: The parts.
        presented: A JWS, or the file that the person downloaded; anything.
        address: The visitor's IP address; empty when it can't be told.

    Raises:
        ThrottledUntil: Too many checks from this network.
    """
    now = context.clock()
    with context.database.write() as connection:
        allowed = count(context, connection, (Brake("receipt+network", network_of(address), _BRAKE),), now)
    if isinstance(allowed, ThrottledUntil):
        raise allowed
    document, shown = _parted(presented)
    verified = verify_document(context, document, typ=RECEIPT)
    if verified is None or (shown is not None and shown != verified.payload):
        return NotOurs()
    return Genuine(verified.payload, verified.signed_at, verified.kid, _standing(context, verified.payload))


def _standing(context: Context, members: dict[str, Any]) -> Standing:
    with context.database.read() as connection:
        stored = ledger.standing(connection, str(members.get("record_id")))
    if stored is None:
        return Standing.UNKNOWN
    subject, link = stored
    proof = members.get("proof")
    told = proof.get("link") if isinstance(proof, dict) else None
    if told is not None and told != link:
        return Standing.OTHER
    if subject is None:
        return Standing.ERASED
    return Standing.KEPT if subject == members.get("pii_principal_id") else Standing.OTHER


def _parted(presented: str) -> tuple[str, object]:
    """Take the JWS out of a downloaded file, with what the file shows beside it: both have to say the same."""
    text = presented.strip().removeprefix("\ufeff")
    if not text.startswith("{"):
        # Mail programs fold long lines.
        return "".join(text.split()), None
    try:
        members = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return "", None
    document = members.get("jws")
    return (document, members.get("receipt")) if isinstance(document, str) else ("", None)


def _addresses(issuer: str) -> Addresses:
    return Addresses(
        issuer=issuer,
        schema=issuer + SCHEMA_PATH,
        keys=issuer + KEYS_PATH,
        check=issuer + CHECK_PATH,
        withdrawal=f"{issuer}/account/services",
        rights=f"{issuer}/privacy",
    )
