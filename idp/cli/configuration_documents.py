"""Tells every key of the configuration: for `idp config example` and for docs/configuration.md."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from idp.config import Settings

COMMAND = "make docs"
WIDTH = 100


@dataclass(frozen=True)
class Key:
    """One key of the configuration file.

    Args:
        name: As written in the file.
        default: What holds when it is absent.
        allowed: What may stand there, in words.
        description: The sentence of its annotation in `idp/config.py`.
    """

    name: str
    default: object
    allowed: str
    description: str

    @property
    def written_default(self) -> str:
        """The default as TOML."""
        return toml(self.default)


@dataclass(frozen=True)
class Section:
    """One table of the configuration file."""

    name: str
    description: str
    keys: tuple[Key, ...]


def sections() -> Iterator[Section]:
    """Read the settings.

    Yields:
        Each section, in the order of `Settings`.
    """
    for field in _members(inspect.type_info(Settings)):
        described = (
            (field.type.cls.__doc__ or "").strip() if isinstance(field.type, inspect.StructType) else ""
        )
        yield Section(field.encode_name, described, tuple(map(key, _members(field.type))))


def _members(kind: inspect.Type) -> tuple[inspect.Field, ...]:
    if not isinstance(kind, inspect.StructType):
        raise TypeError(f"{kind} has no members")
    return kind.fields


def key(field: inspect.Field) -> Key:
    """Read one setting.

    Args:
        field: Of a section.

    Returns:
        The key.

    Raises:
        ValueError: When it has no description, or no default.
    """
    described = field.type
    extra = (isinstance(described, inspect.Metadata) and described.extra_json_schema) or {}
    if "description" not in extra or field.required:
        message = f"{field.encode_name} needs a description and a default"
        raise ValueError(message)
    return Key(field.encode_name, field.default, in_words(described), extra["description"])


def in_words(kind: inspect.Type) -> str:
    """Say what a setting may be.

    Args:
        kind: Its type.

    Returns:
        A few words, with the limits.
    """
    match kind:
        case inspect.Metadata():
            return in_words(kind.type)
        case inspect.LiteralType():
            return ", ".join(toml(value) for value in kind.values)
        case inspect.BoolType():
            return "true, false"
        case inspect.IntType():
            return between(kind.ge, kind.le)
        case inspect.VarTupleType():
            inner = in_words(kind.item_type)
            return "list of texts" if inner == "text" else f"list of {inner}"
        case inspect.StrType():
            return "text"
        case _:
            message = f"say in words what {kind} is"
            raise ValueError(message)


def between(least: int | None, most: int | None) -> str:
    """Say the limits of a number.

    Args:
        least: None for no limit.
        most: None for no limit.

    Returns:
        A few words.
    """
    if most is not None:
        return f"{least} to {most}"
    return "number" if least is None else f"{least} or more"


def toml(value: Any) -> str:  # noqa: ANN401 - text, number, boolean, or a sequence of these
    """Write a value as TOML.

    Args:
        value: Text, number, boolean or a sequence of these.

    Returns:
        One line.
    """
    if isinstance(value, tuple | list):
        return f"[{', '.join(toml(item) for item in value)}]"
    # JSON's texts, numbers and booleans are TOML's as well.
    return json.dumps(value, ensure_ascii=False)


def example_file() -> str:
    """Write config.example.toml.

    Returns:
        Every key with its default, out of force behind a `#`, below what it means.
    """
    lines = [
        "# Every key of config.toml, with its default: uncomment what you change.",
        f"# `idp config check` says what is wrong. Written by `{COMMAND}` from idp/config.py.",
    ]
    for section in sections():
        lines += ["", f"# {section.description}", f"[{section.name}]"]
        for item in section.keys:
            lines += ["", *comment(f"{item.description} ({item.allowed})")]
            lines += [f"#{item.name} = {item.written_default}"]
    return "\n".join(lines) + "\n"


def comment(text: str) -> list[str]:
    """Write a comment of several lines.

    Args:
        text: One paragraph.

    Returns:
        The lines.
    """
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def configuration_table() -> str:
    """Write docs/configuration.md.

    Returns:
        The document.
    """
    lines = ["# Configuration", "",
             f"<!-- Written by `{COMMAND}` from idp/config.py; do not edit. -->", "",
             "One file in TOML; `idp config check` says what is wrong in it, key by key.",
             "[config.example.toml](../config.example.toml) has every key with its default."]  # fmt: skip
    for section in sections():
        lines += ["", f"## `[{section.name}]`", "", section.description, ""]
        lines += ["| key | default | may be | meaning |", "| --- | --- | --- | --- |"]
        for item in section.keys:
            lines.append(
                f"| `{item.name}` | `{item.written_default}` | {item.allowed} | {item.description} |"
            )
    return "\n".join(lines) + "\n"
