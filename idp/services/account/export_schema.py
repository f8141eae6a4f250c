"""The form of an export, as JSON Schema 2020-12: docs/export.schema.json is this, and so is a file of the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.services.account.export_words import SECTION_WORDS, column_words
from idp.storage.repositories.exports import ACCOUNT, SECTIONS

if TYPE_CHECKING:
    from idp.storage.repositories.exports import Member, Section

FORMAT: Final = "mon-paris-export"
#: Raised when a member goes away or changes what it means; a new one changes nothing.
VERSION: Final = 1
SCHEMA_FILE: Final = "schema.json"
_MOMENT: Final = {"type": "string", "format": "date-time"}


def schema() -> dict[str, Any]:
    """Describe an export."""
    members = {section.name: _member(section) for section in SECTIONS}
    properties: dict[str, Any] = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "made_at": _MOMENT | {"description": "When the export was made, in UTC."},
        "issuer": {"type": "string", "description": "Who made it."},
        "incomplete": {
            "type": "array",
            "items": {"enum": sorted(members)},
            "description": "Sections of which only the oldest rows are here, for there are too many.",
        },
        "services": {
            "type": "array",
            "description": "The services that other sections name by `client_id`.",
            "items": _object(
                {
                    "client_id": {"type": "string"},
                    "name": {
                        "type": ["string", "null"],
                        "description": "null: it is not registered any more.",
                    },
                }
            ),
        },
        **members,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything that Mon Paris keeps about one person",
        **_object(properties),
    }


def _member(section: Section) -> dict[str, Any]:
    described = {"description": SECTION_WORDS["en"][section.name].explanation}
    members = {name: _typed(name, member) for name, member in section.members.items()}
    if section.name == "ledger":
        members["receipt"] = {
            "type": ["string", "null"],
            "description": "Proves the entry: a JWS, which the keys of `issuer`/receipts/keys verify.",
        }
    row = _object(members)
    return described | (row if section.name == ACCOUNT else {"type": "array", "items": row})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _typed(name: str, member: Member) -> dict[str, Any]:
    described = {"description": column_words(name, "en")}
    match member.kind:
        case "json":
            return described
        case "names":
            return {"type": "array", "items": {"type": "string"}} | described
        case "moment":
            return {"type": _or_null("string", member), "format": "date-time"} | described
        case kind:
            return {"type": _or_null(kind, member)} | described


def _or_null(kind: str, member: Member) -> str | list[str]:
    return [kind, "null"] if member.is_optional else kind
