"""Reads the ledger of proofs for those whose acts it keeps (CON-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idp.domain.ledger import Act, Matter
from idp.domain.receipt import ProvenAct
from idp.storage.models import ledger_entries, shown_texts

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping, Select


def of_account(connection: Connection, account_id: str) -> list[ProvenAct]:
    """Read every act of an account, the latest first."""
    statement = _acts().where(ledger_entries.c.account_id == account_id).order_by(
        ledger_entries.c.at.desc(), ledger_entries.c.entry_id.desc()
    )  # fmt: skip
    return [_act(row) for row in connection.execute(statement).mappings()]


def find(connection: Connection, account_id: str, entry_id: str) -> ProvenAct | None:
    """Read one act of an account; None for one of somebody else."""
    own = (ledger_entries.c.account_id == account_id) & (ledger_entries.c.entry_id == entry_id)
    row = connection.execute(_acts().where(own)).mappings().one_or_none()
    return None if row is None else _act(row)


def standing(connection: Connection, entry_id: str) -> tuple[str | None, str | None] | None:
    """Read the subject and the link of an entry, whoever's it is: the subject is None once it was erased."""
    columns = (ledger_entries.c.subject, ledger_entries.c.link)
    row = connection.execute(select(*columns).where(ledger_entries.c.entry_id == entry_id)).one_or_none()
    return None if row is None else (row.subject, None if row.link is None else row.link.hex())


def _acts() -> Select[Any]:
    return select(ledger_entries, shown_texts.c.content).outerjoin(
        shown_texts, shown_texts.c.text_hash == ledger_entries.c.text_hash
    )


def _act(row: RowMapping) -> ProvenAct:
    return ProvenAct(
        entry_id=row["entry_id"],
        matter=Matter(row["matter"]),
        act=Act(row["act"]),
        at=row["at"],
        subject=row["subject"] or "",
        client_id=row["client_id"],
        document=row["document"] or {},
        text_hash=row["text_hash"].hex() if row["text_hash"] else "",
        words=row["content"] or "",
        language=row["language"] or "fr",
        channel=row["channel"] or "",
        details=row["details"] or {},
        sequence=row["sequence"],
        link=None if row["link"] is None else row["link"].hex(),
    )
