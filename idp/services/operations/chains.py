"""Verifies the ledger of proofs and the audit trail, states where they end, takes old lines in (CON-5, ADM-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.chain_seal import sealing
from idp.crypto.opaque import digest, equal, new_line_salt
from idp.domain.chain_check import ChainCheck, Fault, FaultKind
from idp.domain.events import AccountDeleted, AccountViewed, DatabaseUpgraded, LinesTakenIn, TrailCut
from idp.domain.hash_chain import GENESIS
from idp.services.audit import record
from idp.services.ledger import own_subject
from idp.services.signed_documents import HEAD_STATEMENT, is_ours, sign_document, verify_document
from idp.storage.chains import CHAINS, Line, add
from idp.storage.repositories import chains, receipt_keys, shown_texts
from idp.storage.repositories.chains import AUDIT, LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from idp.domain.chain_check import StoredLine
    from idp.services.tools import Tools
    from idp.storage.chains import Chain
    from idp.storage.engine import Connection

#: Lines of one transaction: some tens of milliseconds, during which nobody else adds one.
_BATCH: Final = 500
#: A place of more digits is an identifier that happens to have no letter.
_LONGEST_PLACE: Final = 12


class Unverifiable(Exception):
    """A statement that can't be compared: not ours, or about another chain."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Where a chain ended at some moment, signed: to be kept outside of the database.

    Attributes:
        chain: Its name.
        sequence: Of its last line.
        link: Of its last line, in hexadecimal.
        at: When this was stated.
        document: The same as a JWS.
    """

    chain: str
    sequence: int
    link: str
    at: datetime
    document: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found.

    Attributes:
        chain: Its name.
        count: How many lines were read.
        first: The place of the first one.
        last: What the head says.
        link: What the head says, in hexadecimal.
        erased: How many lines an erasure emptied.
        texts: How many texts were compared with their hashes.
        statement: How the statement compares: "contained", or "behind the anchor" of the retention.
        faults: Every alteration, in the order of the chain.
    """

    chain: str
    count: int
    first: int
    last: int
    link: str
    erased: int
    texts: int
    statement: str | None
    faults: tuple[Fault, ...]


def chain_of(name: str) -> Chain:
    """Give a chain by its name: "audit" or "ledger"."""
    return next(chain for chain in CHAINS if chain.name == name)


def length(tools: Tools, name: str) -> int:
    """Count the lines of a chain."""
    with tools.database.read() as connection:
        return chains.extent(connection, chain_of(name)).chained


def verify(
    tools: Tools,
    name: str,
    progress: Callable[[int], object] = lambda _: None,
    *,
    statement: str | None = None,
) -> Report:
    """Compare every line of a chain with its link, its end with its seal, its texts with their hashes.

    All is read as it stands at one moment; nothing is held, others go on writing.

    Args:
        tools: The parts.
        name: Of the chain.
        progress: Told how many more lines were read, from time to time.
        statement: What `state` gave earlier, kept elsewhere: the chain has to contain it.

    Raises:
        Unverifiable: The statement is none of ours, or about another chain.
    """
    stated = None if statement is None else _stated(tools, name, statement)
    with tools.database.snapshot() as connection:
        reading = _Reading(tools, connection, chain_of(name), stated)
        return reading.run(progress)


def state(tools: Tools, name: str) -> Statement:
    """State where a chain ends, signed by our key: whoever keeps it elsewhere finds a database that was set back.

    Raises:
        KeyringError: No key is active.
    """
    with tools.database.read() as connection:
        head = chains.head(connection, chain_of(name))
    now = tools.clock()
    payload = {"chain": name, "sequence": head.sequence, "link": head.link.hex()}
    document = sign_document(tools, payload, typ=HEAD_STATEMENT)
    return Statement(name, head.sequence, head.link.hex(), now, document)


def find(tools: Tools, name: str, wanted: str, *, by: str, reason: str | None = None) -> StoredLine | None:
    """Read one line by its place or its identifier; of a line about a person it is recorded who read it (S-456)."""
    with tools.database.write() as connection:
        chain = chain_of(name)
        place = int(wanted) if _is_place(wanted) else chains.place_of(connection, chain, wanted)
        line = None if place is None else chains.line(connection, chain, place)
        account_id = None if line is None else line.personal.get("account_id")
        if account_id is not None:
            event = AccountViewed(by, reason)
            record(connection, event, tools.clock(), actor="administrator", account_id=account_id)
    return line


def _is_place(wanted: str) -> bool:
    return wanted.isascii() and wanted.isdecimal() and len(wanted) <= _LONGEST_PLACE


def note_upgrade(tools: Tools, before: str | None, now: str) -> None:
    """Record that the database was brought to a newer migration."""
    with tools.database.write() as connection:
        record(connection, DatabaseUpgraded(before, now), tools.clock(), actor="administrator")


def waiting(tools: Tools) -> int:
    """Count the lines of before there was a chain."""
    with tools.database.read() as connection:
        return sum(chains.extent(connection, chain).unchained for chain in CHAINS)


def take_in(tools: Tools, progress: Callable[[int], object] = lambda _: None) -> dict[str, int]:
    """Give lines of before there was a chain their places in it, the oldest first; may be stopped and run again.

    Returns:
        How many of each chain.

    Raises:
        KeyringError: The root of the keys is missing: a ledger names people by what is derived from it.
    """
    taken: dict[str, int] = {}
    for chain in CHAINS:
        count = _take_in_some(tools, chain)
        while count:
            taken[chain.name] = taken.get(chain.name, 0) + count
            progress(count)
            count = _take_in_some(tools, chain)
    return taken


def _take_in_some(tools: Tools, chain: Chain) -> int:
    with tools.database.write() as connection:
        rows = chains.waiting(connection, chain, limit=_BATCH)
        for row in rows:
            values = dict(row)
            if chain is LEDGER and values["subject"] is None and values["account_id"] is not None:
                values["subject"] = own_subject(tools, values["account_id"])
            add(connection, Line(chain, values, new_line_salt(), is_new=False))
        if rows:
            record(connection, LinesTakenIn(chain.name, len(rows)), tools.clock(), actor="system")
    return len(rows)


class _Reading:
    """One verification, in one snapshot."""

    def __init__(self, tools: Tools, connection: Connection, chain: Chain, stated: Statement | None) -> None:
        self._tools = tools
        self._seal = sealing(tools.keys)
        self._connection = connection
        self._chain = chain
        self._stated = stated
        self._head = chains.head(connection, chain)
        self._extent = chains.extent(connection, chain)
        self._texts: set[object] = set()
        self._erased = 0
        self._cut: tuple[int, bytes] = (0, GENESIS)
        self._faults: list[Fault] = []

    def run(self, progress: Callable[[int], object]) -> Report:
        head, extent = self._head, self._extent
        if self._chain is LEDGER:
            self._read_texts()
            self._check_keys()
        check = ChainCheck(head.anchor_sequence, head.anchor_link, head.sequence - extent.last)
        for line in chains.lines(self._connection, self._chain, after=head.anchor_sequence):
            check.take(line)
            self._look_at(line, check)
            if check.count % _BATCH == 0:
                progress(_BATCH)
        progress(check.count % _BATCH)
        anchored = self._check_anchor()
        self._faults += check.conclude(head.sequence, head.link, true_anchor=anchored)
        self._check_head()
        self._check_unchained()
        compared = self._check_statement()
        return Report(
            self._chain.name,
            check.count,
            extent.first,
            head.sequence,
            head.link.hex(),
            self._erased,
            len(self._texts),
            compared,
            tuple(self._faults),
        )

    def _look_at(self, line: StoredLine, check: ChainCheck) -> None:
        if line.is_emptied:
            self._erased += 1
        if self._chain is LEDGER:
            check.excuse(_places(line.public.get("erased")))
            self._check_text(line)
        else:
            self._read_event(line, check)
        stated = self._stated
        if stated is not None and line.sequence == stated.sequence and line.link.hex() != stated.link:
            text = f"line {line.sequence} is not the one that was stated on {stated.at:%Y-%m-%d %H:%M} UTC"
            self._faults.append(line.fault(FaultKind.STATEMENT, text))

    def _read_event(self, line: StoredLine, check: ChainCheck) -> None:
        details = line.public.get("details")
        if not isinstance(details, dict):
            return
        match line.public.get("name"):
            case AccountDeleted.name:
                check.excuse(_places(details.get("erased")))
            case TrailCut.name:
                self._cut = _as_cut(details) or self._cut
            case _:
                pass

    def _read_texts(self) -> None:
        for text_hash, content in shown_texts.every(self._connection):
            fits = isinstance(text_hash, bytes) and isinstance(content, str) and digest(content) == text_hash
            self._texts.add(text_hash)
            if not fits:
                text = f"the text {_hex(text_hash)} is not what was shown: its content has another hash"
                self._faults.append(Fault(FaultKind.TEXT, text))

    def _check_keys(self) -> None:
        if self._seal(self._chain.name, 0, GENESIS) is None:
            # Without the root nothing can be told, which the head says.
            return
        for kept in receipt_keys.every(self._connection):
            if not is_ours(self._tools, kept):
                text = f"the public key {kept.kid} of receipts is none that was kept: no receipt is believed by it"
                self._faults.append(Fault(FaultKind.KEY, text, line_id=kept.kid))

    def _check_text(self, line: StoredLine) -> None:
        text_hash = line.personal.get("text_hash")
        if text_hash is not None and text_hash not in self._texts:
            text = f"the words that line {line.sequence} refers to are missing: {_hex(text_hash)}"
            self._faults.append(line.fault(FaultKind.TEXT, text))

    def _check_anchor(self) -> bytes | None:
        head, (through, link) = self._head, self._cut
        if (head.anchor_sequence, head.anchor_link) == (through, link):
            return None
        text = (
            f"the beginning was moved: the head says that lines up to {head.anchor_sequence} went with their "
            f"retention, the chain itself says up to {through}"
        )
        self._faults.append(Fault(FaultKind.ANCHOR, text, through + 1, head.anchor_sequence))
        return link if head.anchor_sequence == through else None

    def _check_head(self) -> None:
        head, name = self._head, self._chain.name
        if head.sequence == 0 and head.seal is None:
            return
        due = self._seal(name, head.sequence, head.link)
        if due is None:
            text = "the seal of the head can't be checked: the root of the keys is missing"
        elif head.seal is None:
            text = f"the head, at {head.sequence}, has no seal"
        elif not equal(due, head.seal):
            text = f"the head, at {head.sequence}, was altered: its seal is wrong"
        else:
            return
        self._faults.append(Fault(FaultKind.HEAD, text, head.sequence))

    def _check_unchained(self) -> None:
        count = self._extent.unchained
        if count:
            text = f"{count} line(s) have no place in the chain: run `idp database upgrade`, or somebody put them in"
            self._faults.append(Fault(FaultKind.UNCHAINED, text))

    def _check_statement(self) -> str | None:
        stated, head = self._stated, self._head
        if stated is None:
            return None
        if stated.sequence <= head.anchor_sequence:
            return "behind the anchor" if stated.sequence else "contained"
        if stated.sequence > head.sequence:
            text = (
                f"the chain ended at {stated.sequence} on {stated.at:%Y-%m-%d %H:%M} UTC and ends at "
                f"{head.sequence} now: the database was set back"
            )
            self._faults.append(Fault(FaultKind.STATEMENT, text, head.sequence + 1, stated.sequence))
        is_other = any(fault.kind is FaultKind.STATEMENT for fault in self._faults)
        return "not contained" if is_other else "contained"


def _stated(tools: Tools, name: str, document: str) -> Statement:
    verified = verify_document(tools, document, typ=HEAD_STATEMENT)
    if verified is None:
        raise Unverifiable("this is no statement that was signed by a key of ours")
    said = verified.payload
    if said.get("chain") != name:
        raise Unverifiable(f"this is a statement about the {said.get('chain')}, not about the {name}")
    return Statement(name, int(said["sequence"]), str(said["link"]), verified.signed_at, document)


def _places(value: Any) -> list[int]:  # noqa: ANN401 - whatever stands there
    return [place for place in value if isinstance(place, int)] if isinstance(value, list) else []


def _as_cut(details: dict[str, Any]) -> tuple[int, bytes] | None:
    try:
        return int(details["through"]), bytes.fromhex(details["link"])
    except (KeyError, TypeError, ValueError):
        return None


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


__all__ = [
    "AUDIT",
    "LEDGER",
    "Report",
    "Statement",
    "Unverifiable",
    "find",
    "length",
    "note_upgrade",
    "state",
    "take_in",
    "verify",
    "waiting",
]
