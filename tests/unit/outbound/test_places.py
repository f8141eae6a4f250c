"""The table of INSEE's codes: how it is made, that it is whole, and what it answers (franceconnect.md 4.3)."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest

from idp.outbound import places
from idp.outbound.data.build_communes import build

DATA = Path(places.__file__).parent / "data"
#: The form that FranceConnect documents for `birthplace`.
COMMUNE = re.compile(r"(?:2[AB]|[0-9]{2})[0-9]{3}")
COUNTRY = re.compile(r"99[1-5][0-9]{2}")
LARGEST = 400_000


@pytest.fixture(scope="module")
def lines() -> list[tuple[str, str]]:
    """Read the embedded table of communes."""
    text = gzip.decompress((DATA / "communes.tsv.gz").read_bytes()).decode()
    return [(code, name) for code, name in (line.split("\t") for line in text.splitlines())]


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize(
    "code",
    [
        "",
        "Alger",
        "00000",
        "99999",
        "99352",
        "90900",
        "AAAAA",
        "7510",
        "75107 ",
        "75107\n",
        "2a004",
        "\ud800",
        "é",
    ],
)
def test_code_that_no_table_has_finds_nothing(code: str) -> None:
    """An unknown code, a free text or a country's code has no commune: the page shows what came."""
    assert places.commune(code) is None


@pytest.mark.parametrize("code", ["", "99999", "75107", "FR", "Algérie", "\ud800"])
def test_code_of_no_country_finds_nothing(code: str) -> None:
    """An unknown country is nobody's error."""
    assert places.country(code) is None


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize(
    "code, name",
    [
        ("75056", "Paris"),
        ("75101", "Paris 1er Arrondissement"),
        ("75120", "Paris 20e Arrondissement"),
        ("69381", "Lyon 1er Arrondissement"),
        ("69389", "Lyon 9e Arrondissement"),
        ("13201", "Marseille 1er Arrondissement"),
        ("13216", "Marseille 16e Arrondissement"),
        ("2A004", "Ajaccio"),
        ("2B050", "Calvi"),
        ("01001", "L'Abergement-Clémenciat"),
        ("94038", "L'Haÿ-les-Roses"),
        ("62826", "Le Touquet-Paris-Plage"),
        ("97209", "Fort-de-France"),
        ("97411", "Saint-Denis"),
        ("97502", "Saint-Pierre"),
        ("97601", "Acoua"),
        ("97701", "Saint-Barthélemy"),
        ("97801", "Saint-Martin"),
        ("98611", "Alo"),
        ("98729", "Moorea-Maiao"),
        ("98818", "Nouméa"),
        ("98901", "Île de Clipperton"),
    ],
)
def test_commune_of_today_has_its_name(code: str, name: str) -> None:
    """Communes, arrondissements, Corsica and every territory overseas are there."""
    assert places.commune(code) == name


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize(
    "code, name",
    [
        ("75012", "Boulogne-Billancourt"),
        ("78146", "Chatou"),
        ("20004", "Ajaccio"),
        ("20041", "Bonifacio"),
        ("69232", "Lyon"),
        ("97123", "Saint-Barthélemy"),
        ("98511", "Mamoudzou"),
        ("49031", "Bocé"),
        ("02285", "Escaufourt"),
    ],
)
def test_code_of_the_past_still_has_a_name(code: str, name: str) -> None:
    """Codes of the Seine, of Corsica before 1976, of Mayotte, and of communes that were merged lead somewhere."""
    assert places.commune(code) == name


@pytest.mark.parametrize(
    "code, french, english",
    [
        ("99100", "France", "France"),
        ("99109", "Allemagne", "Germany"),
        ("99115", "Tchécoslovaquie", "Czechoslovakia"),
        ("99217", "Japon", "Japan"),
        ("99326", "Côte d’Ivoire", "Côte d’Ivoire"),
        ("99350", "Maroc", "Morocco"),
        ("99352", "Algérie", "Algeria"),
    ],
)
def test_country_has_a_name_in_both_languages(code: str, french: str, english: str) -> None:
    """Countries of today and of the past are named, in French unless English is asked for."""
    assert places.country(code) == places.country(code, "fr") == places.country(code, "de") == french
    assert places.country(code, "en") == english


def test_every_commune_is_well_formed_once_and_in_order(lines: list[tuple[str, str]]) -> None:
    """Codes have FranceConnect's form, none comes twice, and the order is the one that is searched."""
    codes = [code for code, _ in lines]

    assert len(lines) > 39_000
    assert all(map(COMMUNE.fullmatch, codes))
    assert all(left < right for left, right in pairwise(codes))


def test_every_name_is_a_text_that_a_page_can_show(lines: list[tuple[str, str]]) -> None:
    """No name is empty, padded or decomposed."""
    names = [name for _, name in lines]

    assert all(name == unicodedata.normalize("NFC", name).strip() and name.isprintable() for name in names)
    assert all(name for name in names)


def test_every_former_code_leads_to_a_commune_of_today(lines: list[tuple[str, str]]) -> None:
    """A code that was replaced leads, in one step, to one that was not."""
    named = dict(lines)
    replaced = {code: name.removeprefix(places.FOLLOW) for code, name in lines if name[0] == places.FOLLOW}

    assert len(replaced) > 2_000
    assert all(target in named and named[target][0] != places.FOLLOW for target in replaced.values())


def test_every_code_of_the_table_is_found(lines: list[tuple[str, str]]) -> None:
    """The search finds each line, first and last included."""
    assert all(places.commune(code) is not None for code, _ in lines[:500] + lines[-500:] + lines[::97])


def test_every_country_is_well_formed_once_and_in_order() -> None:
    """The table of countries has no double, no empty name and no strange code."""
    rows = [line.split("\t") for line in (DATA / "countries.tsv").read_text("utf-8").splitlines()]
    codes = [code for code, _, _ in rows]

    assert len(rows) > 230
    assert all(map(COUNTRY.fullmatch, codes))
    assert all(left < right for left, right in pairwise(codes))
    assert all(name.strip() == name != "" for row in rows for name in row[1:])


def test_tables_stay_small() -> None:
    """A few hundred kilobytes, no more: they are in every installation."""
    assert sum((DATA / name).stat().st_size for name in ("communes.tsv.gz", "countries.tsv")) < LARGEST


def test_tables_are_not_read_before_they_are_asked_for() -> None:
    """A start reads nothing: whoever never shows a place pays nothing."""
    look = "from idp.outbound import places; print(places._communes.cache_info().currsize)"

    answer = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)  # noqa: S603 - our own Python

    assert answer.stdout.strip() == "0"


def test_table_made_by_the_script_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    """The commune of today wins its code, a delegated one keeps its own, a former code follows; no date is kept."""
    communes = [
        {"code": "49018", "nom": "Baugé", "type": "commune-deleguee"},
        {"code": "49031", "nom": "Bocé", "type": "commune-deleguee"},
        {
            "code": "49018",
            "nom": "Baugé-en-Anjou",
            "type": "commune-actuelle",
            "anciensCodes": ["49031", "49079"],
        },
    ]
    targets = [tmp_path / "one.gz", tmp_path / "two.gz"]
    for target, listed in zip(targets, (communes, communes[::-1]), strict=True):
        source = tmp_path / "communes.json"
        source.write_text(json.dumps(listed), encoding="utf-8")
        build(source, target)

    text = gzip.decompress(targets[0].read_bytes()).decode()

    assert "49018\tBaugé-en-Anjou\n49031\tBocé\n49079\t>49018\n" in text
    assert "98517\t>97617\n" in text
    assert targets[0].read_bytes() == targets[1].read_bytes()
