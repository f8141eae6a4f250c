"""`idp terms`: publish, list (CGU-1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.key_files import utc_now
from idp.cli.output import emit, json_option, table
from idp.cli.parts import console
from idp.services.authorization import terms
from idp.services.authorization.terms import TermsText

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.services.tools import Console


@click.group()
def command() -> None:
    """Publish and list versions of the terms of use."""


@command.command("publish")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--version", "version", required=True, help='Its name, such as "2026-11-01".')
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@click.option("--title", help="Its title; the first heading of the file otherwise.")
@click.option(
    "--effective-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="From when it holds, UTC; now otherwise. Never in the past, but for the very first (CGU-2).",
)
@json_option
@click.pass_obj
def publish_command(
    config: Path,
    *,
    file: Path,
    version: str,
    language: str,
    title: str | None,
    effective_at: datetime | None,
    as_json: bool,
) -> None:
    """Publish FILE, in Markdown, as a version of the terms; what is published never changes."""
    found_title, body = split(read(file))
    wanted_title = title or found_title
    if not wanted_title:
        raise Refusal(f"{file} has no heading: say --title", Exit.USAGE)
    with console(config) as tools:
        at = effective_at.replace(tzinfo=UTC) if effective_at else _date_of(tools, version)
        text = TermsText(version, language, wanted_title, body, at)
        is_new = terms.publish(as_context(tools), text)
    if as_json:
        emit({"version": version, "language": language, "effective_at": at, "new": is_new})
    else:
        click.echo(f"Version {version} ({language}) {'is published' if is_new else 'was published before'}.")


@command.command("list")
@json_option
@click.pass_obj
def list_command(config: Path, *, as_json: bool) -> None:
    """List every version, the latest to take effect first."""
    with console(config) as tools:
        versions = terms.list_versions(as_context(tools), "fr")
    if as_json:
        members = ("version", "title", "effective_at", "published_at")
        emit([{name: getattr(one, name) for name in members} for one in versions])
        return
    rows = [(one.version, one.title, one.effective_at, one.published_at) for one in versions]
    table(("version", "title", "effective", "published"), rows, empty="None is published.")


def split(text: str) -> tuple[str, str]:
    """Take the first heading off a Markdown text: it is the title."""
    head, _, rest = text.lstrip().partition("\n")
    if not head.startswith("# "):
        return "", text
    return head.removeprefix("# ").strip(), rest.lstrip("\n")


def read(file: Path) -> str:
    """Read a text.

    Raises:
        Refusal: It is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(f"{file} is not UTF-8") from error


def as_context(tools: Console) -> Context:
    """Hand the tools to use cases that are written for pages and use the database and the clock only."""
    return cast("Context", tools)


def _date_of(tools: Console, version: str) -> datetime:
    # A translation takes effect with the text it translates.
    published = terms.find(as_context(tools), version, "fr")
    return published.effective_at if published is not None else utc_now()
