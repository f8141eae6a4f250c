"""Queries about contact addresses that wait for the answer to a mail (PRO-2); a proven one is an attribute.

An account has one that waits at most. The hash of its link is kept, never the link; it serves once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from idp.storage.models import contact_email_proofs
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_TABLE = contact_email_proofs
_COLUMNS = (_TABLE.c.account_id, _TABLE.c.email, _TABLE.c.asked_at, _TABLE.c.expires_at)


@dataclass(frozen=True, slots=True)
class ContactEmailProof:
    """A contact address that waits for its proof.

    Attributes:
        account_id: Whose.
        email: As typed; the mail went there.
        asked_at: When the latest mail was asked for.
        expires_at: Until when its link serves.
    """

    account_id: str
    email: str
    asked_at: datetime
    expires_at: datetime


def ask(connection: Connection, proof: ContactEmailProof, link_hash: bytes) -> None:
    """Keep an address until it is proven; whatever waited before ends, and its link with it."""
    statement = insert_into(connection, _TABLE).values(
        account_id=proof.account_id,
        email=proof.email,
        link_hash=link_hash,
        asked_at=proof.asked_at,
        expires_at=proof.expires_at,
    )
    names = ("email", "link_hash", "asked_at", "expires_at")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_TABLE.c.account_id], set_={name: statement.excluded[name] for name in names}
        )
    )


def of_account(connection: Connection, account_id: str, now: datetime) -> ContactEmailProof | None:
    """Find the address of an account that waits for its proof."""
    return _find(connection, _TABLE.c.account_id == account_id, now)


def by_link(connection: Connection, link_hash: bytes, now: datetime) -> ContactEmailProof | None:
    """Find what a mailed link would prove, and change nothing (S-272)."""
    return _find(connection, _TABLE.c.link_hash == link_hash, now)


def use_up(connection: Connection, account_id: str, link_hash: bytes, now: datetime) -> str | None:
    """Use up a link, at most once whatever the number of concurrent callers, for the account that asked alone.

    Returns:
        The address that it proves; None when the link proves nothing, or nothing any more.
    """
    return connection.scalar(
        delete(_TABLE)
        .where(_TABLE.c.account_id == account_id, _TABLE.c.link_hash == link_hash, _TABLE.c.expires_at > now)
        .returning(_TABLE.c.email)
    )


def remove(connection: Connection, account_id: str) -> None:
    """End what waits in an account; nothing happens when nothing does."""
    connection.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id))


def _find(connection: Connection, which: ColumnElement[bool], now: datetime) -> ContactEmailProof | None:
    row = connection.execute(select(*_COLUMNS).where(which, _TABLE.c.expires_at > now)).one_or_none()
    return None if row is None else ContactEmailProof(*row)
