"""`idp terms`: publish, list, show, diff, annex (CGU-1, CGU-2, CGU-4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option, words
from idp.cli.output import cell, emit, json_option, table
from idp.cli.parts import console
from idp.services.account.overview import open_services
from idp.services.authorization import terms
from idp.services.authorization.terms import TermsText

if TYPE_CHECKING:
    from idp.domain.terms import TermsVersion
    from idp.domain.text_difference import Piece
    from idp.services.context import Context
    from idp.services.tools import Console

_VERSION = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,63})")
_LONGEST_SUMMARY = 1000
_LANGUAGE = click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)


@click.group()
def command() -> None:
    """Publish, list, read and compare versions of the terms of use."""


@command.command("publish")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--version", "version", required=True, help='Its name, such as "2026-11-01".')
@_LANGUAGE
@click.option("--title", help="Its title; the first heading of the file otherwise.")
@click.option(
    "--effective-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="From when it holds, UTC; now, or with its translation, otherwise. Never in the past, but for the very "
    "first (CGU-2).",
)
@click.option(
    "--minor",
    is_flag=True,
    help="It is announced, not accepted anew: wording, contacts. A translation weighs as its sibling does.",
)
@click.option("--summary", help="What changes, in a few sentences, in the language of the text.")
@operator_option
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
    minor: bool,
    summary: str | None,
    operator: str | None,
    as_json: bool,
) -> None:
    """Publish FILE, in Markdown, as a version of the terms; what is published never changes."""
    by, found_title, body = acting(operator), *split(read(file))
    wanted_title = title or found_title
    if not wanted_title:
        raise Refusal(f"{file} has no heading: say --title", Exit.USAGE)
    if _VERSION.fullmatch(version) is None:
        raise click.UsageError("--version is letters, digits, dots and hyphens, 64 at most: it is an address")
    text = TermsText(
        version,
        language,
        wanted_title,
        body,
        effective_at.replace(tzinfo=UTC) if effective_at else None,
        # Nothing said is not "major": a translation of a minor version is minor.
        is_major=False if minor else None,
        summary=None if summary is None else words(summary, "--summary", longest=_LONGEST_SUMMARY),
    )
    with console(config) as tools:
        context = as_context(tools)
        is_new = terms.publish(context, text, by=by)
        published = terms.find(context, version, language)
    if published is None:
        raise AssertionError("what was published is there")
    if as_json:
        emit(_members(published) | {"new": is_new})
        return
    said = "is published" if is_new else "was published before"
    click.echo(f"Version {version} ({language}) {said}.")
    then = "everybody accepts it anew" if published.is_major else "it is announced, nobody has to accept it"
    click.echo(f"It takes effect on {published.effective_at:%Y-%m-%d %H:%M:%S} UTC: {then}.")


@command.command("list")
@json_option
@click.pass_obj
def list_command(config: Path, *, as_json: bool) -> None:
    """List every version, the latest to take effect first."""
    with console(config) as tools:
        versions, now = terms.list_versions(as_context(tools), "fr"), tools.clock()
    current = next((one.version for one in versions if one.effective_at <= now), None)
    states = {one.version: _state(one, current, now) for one in versions}
    if as_json:
        emit([_members(one) | {"title": one.title, "state": states[one.version]} for one in versions])
        return
    rows = [
        (
            one.version,
            one.title,
            "major" if one.is_major else "minor",
            states[one.version],
            one.effective_at,
            one.published_at,
        )
        for one in versions
    ]
    table(("version", "title", "weight", "state", "effective", "published"), rows, empty="None is published.")


@command.command("show")
@click.argument("version")
@_LANGUAGE
@json_option
@click.pass_obj
def show_command(config: Path, version: str, language: str, *, as_json: bool) -> None:
    """Print the text of a version, as it was published."""
    with console(config) as tools:
        found = terms.find(as_context(tools), version, language)
    if found is None:
        raise _unknown(version)
    if as_json:
        emit(_members(found) | {"title": found.title, "body": found.body, "text_hash": found.text_hash.hex()})
        return
    click.echo(f"# {found.title}\n\n{found.body}")


@command.command("diff")
@click.argument("before")
@click.argument("after")
@_LANGUAGE
@json_option
@click.pass_obj
def diff_command(config: Path, before: str, after: str, language: str, *, as_json: bool) -> None:
    """Show what changed from one version to another, as the page of acceptance does."""
    with console(config) as tools:
        context = as_context(tools)
        for version in (before, after):
            if terms.find(context, version, language) is None:
                raise _unknown(version)
        found = terms.changes(context, before, after, language)
    if found is None:
        raise Refusal("these versions have no language in common")
    if as_json:
        emit({"language": found.after.language, "sections": found.sections})
        return
    if not found.sections:
        click.echo("No word has changed.")
    for section in found.sections:
        click.secho(section.heading or found.after.title, bold=True)
        for row in section.rows:
            for mark, pieces, colour in (("-", row.before, "red"), ("+", row.after, "green")):
                if pieces:
                    line = "".join(_marked(piece, mark) for piece in pieces)
                    click.secho(f"  {mark} {line}", fg=colour)


@command.command("annex")
@json_option
@click.pass_obj
def annex_command(config: Path, *, as_json: bool) -> None:
    """Print the annex of the terms: the services that need a login, from the registered clients (CGU-4)."""
    with console(config) as tools:
        services = open_services(as_context(tools))
    services.sort(key=lambda one: (not one.rubrique, one.rubrique or "", one.name.casefold(), one.client_id))
    if as_json:
        emit(
            [
                {
                    "client_id": one.client_id,
                    "name": one.name,
                    "organisation": one.organisation,
                    "rubrique": one.rubrique,
                    "service_uri": one.service_uri,
                    "policy_uri": one.policy_uri,
                }
                for one in services
            ]
        )
        return
    rows = [(one.rubrique, one.name, one.organisation, one.service_uri) for one in services]
    table(("rubrique", "service", "organisation", "address"), rows, empty="No service needs a login.")


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


def _members(version: TermsVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "language": version.language,
        "effective_at": version.effective_at,
        "published_at": version.published_at,
        "major": version.is_major,
        "summary": version.summary,
    }


def _state(version: TermsVersion, current: str | None, now: datetime) -> str:
    if version.effective_at > now:
        return "coming"
    return "in force" if version.version == current else "older"


def _marked(piece: Piece, mark: str) -> str:
    # Between marks, for a terminal without colours.
    return f"[{mark}{cell(piece.text)}{mark}]" if piece.is_changed else cell(piece.text)


def _unknown(version: str) -> Refusal:
    return Refusal(f"no version {cell(version)} was ever published", Exit.NOT_FOUND)
