"""Reads an OpenAPI document: checks answers against it, and draws what it does not allow.

No more of JSON Schema than our document says; a keyword that it does not know fails, so that nothing is left unchecked.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})
_LOOKED_AT_ELSEWHERE: Final = frozenset({"description", "default", "properties", "items"})
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_ANY: Final[dict[str, SearchStrategy[Any]]] = {
    "object": st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    "array": st.lists(st.integers(), max_size=2),
    "string": st.text(max_size=5),
    "number": st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    "integer": st.integers(),
    "boolean": st.booleans(),
    "null": st.none(),
}
_RFC3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True)
class Operation:
    """One thing that can be called.

    Attributes:
        name: Its `operationId`.
        method: In capitals.
        path: With its parameters in braces.
        parameters: Of the path and the query, by their names.
        body: The schema of what is sent; None when nothing is.
        responses: By their statuses.
    """

    name: str
    method: str
    path: str
    parameters: dict[str, dict[str, Any]]
    body: dict[str, Any] | None
    responses: dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Description:
    """An OpenAPI document."""

    document: dict[str, Any]

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference."""
        while "$ref" in part:
            found: Any = self.document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    @property
    def operations(self) -> dict[str, Operation]:
        """Name everything that can be called."""
        return {found.name: found for found in self._operations()}

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method in METHODS & item.keys():
                described = item[method]
                listed = [*item.get("parameters", []), *described.get("parameters", [])]
                body = described.get("requestBody")
                yield Operation(
                    name=described["operationId"],
                    method=method.upper(),
                    path=path,
                    parameters={one["name"]: one for one in map(self.resolved, listed)},
                    body=None
                    if body is None
                    else self.resolved(body["content"]["application/json"]["schema"]),
                    responses={
                        int(status): self.resolved(one) for status, one in described["responses"].items()
                    },
                )

    def faults(self, schema: dict[str, Any], value: Any, at: str = "$") -> list[str]:
        """Say what is wrong with a value, and where."""
        schema = self.resolved(schema)
        found = [f"{at}: {keyword}" for keyword in schema if not _holds(schema, keyword, value)]
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            for name in value.keys() & properties.keys():
                found += self.faults(properties[name], value[name], f"{at}.{name}")
        if isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                found += self.faults(schema["items"], item, f"{at}[{number}]")
        return found

    def wrong(self, schema: dict[str, Any]) -> SearchStrategy[Any]:
        """Draw values that a schema of no object does not allow, by each of its keywords."""
        schema = self.resolved(schema)
        types = _types(schema)
        # Whole numbers are numbers, and the other way round never: each wrong value is of none of the types.
        others = [strategy for name, strategy in _ANY.items() if name not in types]
        drawn = [strategy for keyword in schema if (strategy := _breaking(schema, keyword)) is not None]
        return st.one_of(*others, *drawn).filter(lambda value: self.faults(schema, value) != [])


def _types(schema: dict[str, Any]) -> frozenset[str]:
    if "enum" in schema:
        return frozenset({"string"})
    named = schema["type"]
    return frozenset({named} if isinstance(named, str) else named)


def _holds(schema: dict[str, Any], keyword: str, value: Any) -> bool:
    """Tell whether a value keeps one keyword of its schema; what is inside it is looked at elsewhere."""
    wanted = schema[keyword]
    match keyword:
        case "type":
            return any(_is(name, value) for name in _types(schema))
        case "enum":
            return value in wanted
        case "const":
            return bool(value == wanted)
        case "required":
            return not isinstance(value, dict) or set(wanted) <= value.keys()
        case "additionalProperties":
            return wanted or not isinstance(value, dict) or value.keys() <= schema["properties"].keys()
        case "minLength":
            return not isinstance(value, str) or len(value) >= wanted
        case "maxLength":
            return not isinstance(value, str) or len(value) <= wanted
        case "pattern":
            return not isinstance(value, str) or re.search(wanted.replace("$", r"\Z"), value) is not None
        case "format":
            return not isinstance(value, str) or _is_of_format(wanted, value)
        case "minimum":
            return not _is("number", value) or value >= wanted
        case "maximum":
            return not _is("number", value) or value <= wanted
        case _:
            assert keyword in _LOOKED_AT_ELSEWHERE, f"{keyword} is not known here"
            return True


def _breaking(schema: dict[str, Any], keyword: str) -> SearchStrategy[Any] | None:
    """Draw what breaks one keyword; None when wrong types are all there is."""
    wanted = schema[keyword]
    match keyword:
        case "minLength":
            return st.text(max_size=wanted - 1)
        case "maxLength":
            return st.integers(1, 5).map(lambda more: "x" * (wanted + more))
        case "minimum":
            return st.integers(max_value=wanted - 1)
        case "maximum":
            return st.integers(min_value=wanted + 1)
        case "pattern" | "format" | "enum":
            return st.text(max_size=30)
        case _:
            return None


def _is(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        # 2.0 is an integer for JSON Schema.
        return math.isfinite(value) and value.is_integer()
    return isinstance(value, _TYPES[name])


def _is_of_format(name: str, text: str) -> bool:
    if name == "date-time":
        return _is_date_time(text)
    assert name == "uri"
    return text.isascii() and " " not in text and bool(urlsplit(text).scheme)


def _is_date_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _RFC3339.fullmatch(text) is not None
