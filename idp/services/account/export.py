"""Gives a person everything that is kept about them: one archive, made in memory (PRI-1, S-440, S-444).

Nothing is ever written to a disk of ours. What is in it: `idp.storage.repositories.exports`; its form:
docs/export.schema.json.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.domain.email_address import canonical
from idp.domain.errors import ThrottledUntil
from idp.domain.events import AccountExported
from idp.domain.minimum_age import masked
from idp.domain.throttle import ThrottlePolicy
from idp.services import receipts
from idp.services.account import export_page
from idp.services.account.export_schema import FORMAT, SCHEMA_FILE, VERSION, schema
from idp.services.audit import record
from idp.services.sign_in import throttling
from idp.services.sign_in.throttling import Brake
from idp.storage.repositories import accounts, exports
from idp.storage.repositories.exports import ACCOUNT, SECTIONS

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

#: What a section has at most: ten times what years of use leave. Beyond it the export says so.
_MOST_ROWS: Final = 50_000
#: Each export reads everything that is kept of a person: a click now and then, and no loop.
_BRAKE: Final = ThrottlePolicy(free_failures=10, window=timedelta(hours=1), cleared_by_success=False)
#: In which the page can be.
LANGUAGES: Final = ("fr", "en")
_DATA_FILE: Final = "donnees.json"
_PAGE_FILE: Final = "index.html"
_README_FILE: Final = "README.txt"
_README: Final = {
    "fr": (
        "Vos données dans Mon Paris\n\n"
        "index.html    à lire : ouvrez ce fichier dans un navigateur, même sans connexion.\n"
        "donnees.json  les mêmes données, pour un autre service ou un programme.\n"
        "schema.json   la description de donnees.json (JSON Schema 2020-12).\n\n"
        "Cette archive contient vos données personnelles : gardez-la en lieu sûr, ou supprimez-la.\n"
        "Elle ne contient ni mot de passe, ni secret : personne ne peut s’en servir pour se connecter.\n"
    ),
    "en": (
        "Your data in Mon Paris\n\n"
        "index.html    to read: open this file in a browser, even offline.\n"
        "donnees.json  the same data, for another service or a program.\n"
        "schema.json   the description of donnees.json (JSON Schema 2020-12).\n\n"
        "This archive holds your personal data: keep it in a safe place, or delete it.\n"
        "It holds no password and no secret: nobody can sign in with it.\n"
    ),
}


@dataclass(frozen=True, slots=True)
class Export:
    """An archive.

    Attributes:
        file_name: To save it under.
        content: The bytes of a ZIP file.
    """

    file_name: str
    content: bytes


def give(context: Context, account_id: str, *, language: str) -> Export | ThrottledUntil:
    """Make the archive that a person asked for, ready at once.

    Args:
        context: The parts.
        account_id: Who asks, just proven.
        language: Of the page in it.

    Raises:
        LookupError: The account is gone since.
    """
    now = context.clock()
    with context.database.write() as connection:
        decision = throttling.count(context, connection, (Brake("export", account_id, _BRAKE),), now)
        if isinstance(decision, ThrottledUntil):
            return decision
        record(connection, AccountExported(by="person", reason=""), now, account_id=account_id)
    # What this process has told and not yet written down is in the archive too.
    context.disclosures.flush(context.database)
    made = _made(context, account_id, language, now)
    if made is None:
        raise LookupError("the account is gone")
    return made


def give_for(tools: Tools, wanted: str, *, language: str | None, by: str, reason: str) -> Export | None:
    """Make the archive for an administrator who answers a request of the RGPD (PRI-4).

    Args:
        tools: The parts.
        wanted: Identifier or address of the account.
        language: Of the page in it; the person's own when None.
        by: Who asks for it.
        reason: Why, for the trail: the person reads it in their next export (S-456).

    Returns:
        None when there is no such account.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        account = (
            accounts.by_email(connection, canonical(wanted))
            if "@" in wanted
            else accounts.by_id(connection, wanted)
        )
        if account is None:
            return None
        event = AccountExported(by=by, reason=reason)
        record(connection, event, now, actor="administrator", account_id=account.account_id)
    chosen = language or account.language
    return _made(tools, account.account_id, chosen if chosen in LANGUAGES else LANGUAGES[0], now)


def document(tools: Tools, account_id: str, now: datetime) -> dict[str, Any] | None:
    """Give everything that is kept about a person, as JSON has it; None when there is no such account.

    Raises:
        KeyringError: No key is active, to sign receipts with.
    """
    with tools.database.read() as connection:
        found = {section.name: _rows(connection, section, account_id) for section in SECTIONS}
        if not found[ACCOUNT]:
            return None
        client_ids = {row["client_id"] for rows in found.values() for row in rows if row.get("client_id")}
        names = exports.service_names(connection, client_ids)
    account = found.pop(ACCOUNT)[0]
    # Each act with what proves it, signed: worth as much without us (CON-5).
    signed = receipts.every_signed(tools, account_id)
    for row in found["ledger"]:
        row["receipt"] = signed.get(row["entry_id"])
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _plain(now),
        "issuer": tools.issuer,
        "incomplete": [name for name, rows in found.items() if len(rows) >= _MOST_ROWS],
        "services": [
            {"client_id": client_id, "name": names.get(client_id)} for client_id in sorted(client_ids)
        ],
        ACCOUNT: account,
        **found,
    }


def _made(tools: Tools, account_id: str, language: str, now: datetime) -> Export | None:
    known = document(tools, account_id, now)
    if known is None:
        return None
    name = f"mon-paris-{now:%Y-%m-%d}"
    files = {
        _PAGE_FILE: export_page.written(known, language).encode(),
        _DATA_FILE: msgspec.json.format(msgspec.json.encode(known), indent=2),
        SCHEMA_FILE: msgspec.json.format(msgspec.json.encode(schema()), indent=2),
        _README_FILE: _README[language].encode(),
    }
    return Export(f"{name}.zip", _zipped(name, files, now))


def _zipped(folder: str, files: dict[str, bytes], now: datetime) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Who unpacks it on a machine of several people keeps it to themselves.
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _rows(connection: Connection, section: exports.Section, account_id: str) -> list[dict[str, Any]]:
    read = exports.rows(connection, section, account_id, most=_MOST_ROWS)
    return [{name: _shown(name, value) for name, value in row.items()} for row in read]


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if name == "parent_email":
        # Of somebody else, who did not ask for this (RGPD article 15.4).
        return masked(value)
    return _plain(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
