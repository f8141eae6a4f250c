"""Checks a document against a JSON Schema (2020-12), as far as ours go: what they do not use is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

_KNOWN: Final = frozenset(
    {
        "$schema", "title", "description", "type", "properties", "required", "additionalProperties", "items",
        "enum", "const", "format",
    }
)  # fmt: skip
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """Say where a document does not keep to a schema.

    Args:
        value: The document, as JSON has it.
        schema: The schema.
        where: The place of the value.

    Raises:
        ValueError: The schema uses a word that this does not know.
    """
    unknown = schema.keys() - _KNOWN
    if unknown:
        raise ValueError(f"{where}: the schema uses {sorted(unknown)}")
    found = _own_faults(value, schema, where)
    if isinstance(value, dict) and not found:
        return [*_member_faults(value, schema, where)]
    if isinstance(value, list) and "items" in schema:
        return [
            fault
            for number, one in enumerate(value)
            for fault in faults(one, schema["items"], f"{where}[{number}]")
        ]
    return found


def _own_faults(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    if "const" in schema and value != schema["const"]:
        return [f"{where}: not {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: none of {schema['enum']}"]
    kinds = schema.get("type", list(_TYPES))
    named = [kinds] if isinstance(kinds, str) else kinds
    if not any(_is_a(value, name) for name in named):
        return [f"{where}: {value!r} is no {named}"]
    if schema.get("format") == "date-time" and isinstance(value, str) and not _is_moment(value):
        return [f"{where}: {value!r} is no moment"]
    return []


def _member_faults(value: dict[str, Any], schema: dict[str, Any], where: str) -> list[str]:
    properties = schema.get("properties", {})
    missing = [f"{where}.{name}: missing" for name in schema.get("required", ()) if name not in value]
    strange = [f"{where}.{name}: not expected" for name in value if name not in properties]
    within = [
        fault
        for name in value.keys() & properties.keys()
        for fault in faults(value[name], properties[name], f"{where}.{name}")
    ]
    return missing + (strange if schema.get("additionalProperties") is False else []) + within


def _is_a(value: Any, name: str) -> bool:
    # In JSON, true is no number.
    return isinstance(value, _TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
