"""Enters acts into the ledger of proofs, in the transaction of the act (CON-5, CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from idp.crypto.opaque import digest, new_id, new_line_salt
from idp.domain.ledger import Act, Matter
from idp.protocol.claims.subject import pairwise
from idp.storage.chains import LEDGER, Line, add
from idp.storage.repositories import chains, shown_texts

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.ledger import Entry
    from idp.storage.engine import Connection


class Names(Protocol):
    """What it takes to name people: a `Context` has it, and so have the tools of a command line."""

    @property
    def issuer(self) -> str:
        """Our own address."""

    @property
    def pairwise(self) -> bytes:
        """The secret of all subjects."""


def enter(connection: Connection, entry: Entry, now: datetime) -> str:
    """Write one act at the end of the transaction, and keep the words that were shown.

    Returns:
        The identifier of the entry: the receipt is asked by it.
    """
    entry_id = new_id(now)
    text_hash = digest(entry.words)
    shown_texts.keep(connection, text_hash, entry.words, entry.language, now)
    document = entry.document
    values = {
        "entry_id": entry_id,
        "matter": entry.matter,
        "act": entry.act,
        "at": now,
        "account_id": entry.account_id,
        "subject": entry.subject,
        "client_id": entry.client_id,
        "document": {
            "name": document.name,
            "version": document.version,
            "reference": document.reference,
        },
        "text_hash": text_hash,
        "language": entry.language,
        "channel": entry.channel,
        "details": entry.details,
    }
    add(connection, Line(LEDGER, values, new_line_salt()))
    return entry_id


def own_subject(tools: Names, account_id: str) -> str:
    """Name a person towards themselves, in receipts of what concerns no service: a sector of its own (CON-6)."""
    return pairwise(tools.pairwise, tools.issuer, account_id)


def erase(connection: Connection, account_id: str, now: datetime) -> int:
    """Take the personal part of every entry of an account away, and enter that this was done.

    Returns:
        How many entries there were.
    """
    erased = chains.erase(connection, LEDGER, account_id)
    values = {
        "entry_id": new_id(now),
        "matter": Matter.ERASURE,
        "act": Act.ERASED,
        "at": now,
        "erased": erased,
    }
    add(connection, Line(LEDGER, values, new_line_salt()))
    return len(erased)
