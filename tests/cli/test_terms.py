"""`idp terms`: publish, list, show, diff, annex, on each kind of database (CGU-1, CGU-2, CGU-4, ADM-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.cli.key_files import utc_now
from tests.support.provider import a_provider
from tests.support.unlinking import events_of

if TYPE_CHECKING:
    from pathlib import Path

    from idp.storage.engine import Database
    from tests.cli.conftest import Ran, Run
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("CGU-1", "ADM-1")
FIRST = "# Conditions\n\n## 1. Objet\n\nLe compte est gratuit.\n"
SECOND = FIRST.replace("gratuit.", "gratuit pour toutes et tous.")


def publish(idp: Run, folder: Path, version: str, text: str, *options: str) -> Ran:
    """Publish a text."""
    file = folder / "terms.md"
    file.write_text(text, encoding="utf-8")
    return idp("terms", "publish", str(file), "--version", version, *options)


def soon(days: int) -> str:
    """Name a day to come, as an administrator types it."""
    return f"{utc_now() + timedelta(days=days):%Y-%m-%d}"


def test_empty_list_says_so(idp: Run) -> None:
    """Nothing is published yet."""
    assert idp("terms", "list").out == "None is published.\n"
    assert idp("terms", "annex").out == "No service needs a login.\n"


@pytest.mark.rule("CGU-2")
def test_versions_say_their_weight_and_when_they_take_effect(idp: Run, tmp_path: Path) -> None:
    """For whoever publishes them, and in the list."""
    first = publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")
    minor = publish(idp, tmp_path, "2", SECOND, "--minor")
    coming = publish(idp, tmp_path, "3", FIRST, "--effective-at", soon(30), "--summary", "Tout.", "--json")

    assert "everybody accepts it anew" in first.out
    assert "nobody has to accept it" in minor.out
    assert (coming.json["major"], coming.json["summary"], coming.json["new"]) == (True, "Tout.", True)
    listed = idp("terms", "list", "--json").json
    assert [(one["version"], one["state"]) for one in listed] == [
        ("3", "coming"),
        ("2", "in force"),
        ("1", "older"),
    ]
    assert "minor" in idp("terms", "list").out


@pytest.mark.rule("CGU-2")
def test_translation_takes_date_and_weight_of_its_text(idp: Run, tmp_path: Path) -> None:
    """Nothing has to be said again."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")
    text = publish(idp, tmp_path, "2", SECOND, "--effective-at", soon(9), "--minor", "--json").json

    translated = publish(idp, tmp_path, "2", "# Terms\n\nFree.\n", "--language", "en", "--json").json

    assert (translated["effective_at"], translated["major"]) == (text["effective_at"], False)


@pytest.mark.rule("CGU-2")
@pytest.mark.parametrize(
    "version, text, options, code, said",
    [
        ("2", SECOND, ("--effective-at", "2026-01-02"), 1, "in the past"),
        ("1", SECOND, (), 1, "another text was published as 1 (fr)"),
        ("1", FIRST, ("--minor",), 1, "as a major version"),
        ("1", FIRST, ("--effective-at", "2026-01-02"), 1, "2026-01-01"),
        ("un/deux", SECOND, (), 2, "--version"),
        ("2", "Sans titre.\n", (), 2, "no heading"),
        ("2", SECOND, ("--summary", "a\x1b[2J"), 2, "--summary"),
    ],
    ids=["past", "text", "weight", "date", "name", "heading", "escape"],
)
def test_bad_publication_changes_nothing(
    idp: Run, tmp_path: Path, *, version: str, text: str, options: tuple[str, ...], code: int, said: str
) -> None:
    """Said in words."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")
    before = idp("terms", "list", "--json").json

    done = publish(idp, tmp_path, version, text, *options)

    assert (done.code, said in done.err) == (code, True), done.err
    assert idp("terms", "list", "--json").json == before


def test_version_is_shown_as_it_was_published(idp: Run, tmp_path: Path) -> None:
    """For a person and for a program; an unknown one is not found."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")

    assert idp("terms", "show", "1").out.strip() == FIRST.strip()
    assert idp("terms", "show", "1", "--json").json["title"] == "Conditions"
    assert idp("terms", "show", "9").code == 4
    assert idp("terms", "diff", "1", "9").code == 4


@pytest.mark.rule("CGU-2")
def test_difference_is_readable_without_colours(idp: Run, tmp_path: Path) -> None:
    """Between marks; two texts that read the same say so."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")
    publish(idp, tmp_path, "2", SECOND, "--minor")

    shown = idp("terms", "diff", "1", "2").out
    assert "1. Objet" in shown
    assert "  - Le compte est gratuit." in shown
    assert "  + Le compte est gratuit[+ pour toutes et tous+]." in shown
    assert idp("terms", "diff", "1", "1").out == "No word has changed.\n"
    assert idp("terms", "diff", "1", "2", "--json").json["sections"][0]["heading"] == "1. Objet"


def test_texts_without_a_common_language_are_not_compared(idp: Run, tmp_path: Path) -> None:
    """There is nothing to put side by side."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01")
    publish(idp, tmp_path, "2", "# Terms\n\nFree.\n", "--language", "en")

    assert "no language in common" in idp("terms", "diff", "1", "2").err


@pytest.mark.rule("CGU-4")
def test_annex_lists_the_services_that_need_a_login(
    idp: Run, database: Database, clock: SettableClock
) -> None:
    """By rubrique, from the registered clients."""
    provider = a_provider(database, clock)
    address = "https://parking.example.org/"
    provider.a_client(name="Sans rubrique", service_uri="https://other.example.org/")
    provider.a_client(
        name="Stationnement", rubrique="deplacements", organisation="Voirie", service_uri=address
    )

    assert [one["name"] for one in idp("terms", "annex", "--json").json] == ["Stationnement", "Sans rubrique"]
    assert address in idp("terms", "annex").out


@pytest.mark.rule("ADM-3")
def test_publication_is_in_the_trail(
    idp: Run, tmp_path: Path, database: Database, clock: SettableClock
) -> None:
    """By whom, which text, from when."""
    publish(idp, tmp_path, "1", FIRST, "--effective-at", "2026-01-01", "--operator", "Claire Martin")

    (event,) = events_of(a_provider(database, clock), "terms.published")
    assert event.actor == "administrator"
    assert event.details == {
        "version": "1",
        "language": "fr",
        "effective_at": "2026-01-01T00:00:00+00:00",
        "by": "Claire Martin",
    }
