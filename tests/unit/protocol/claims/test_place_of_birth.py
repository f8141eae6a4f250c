"""Where somebody was born, for services that don't know INSEE's codes."""

from __future__ import annotations

import pytest

from idp.outbound import places
from idp.protocol.claims.place_of_birth import _ISO_CODES, place_of_birth


@pytest.mark.parametrize(
    "birthplace, birthcountry, commune, told",
    [
        ("", "", None, {}),
        ("", "99157", None, {}),
        ("", "00000", None, {}),
        ("00000", "99100", None, {"country": "FR"}),
        ("", "99352", None, {"country": "DZ"}),
        ("", "99141", None, {"country": "DDDE"}),
        ("Alger", "99352", None, {"country": "DZ", "locality": "Alger"}),
        ("2A004", "99100", "Ajaccio", {"country": "FR", "locality": "Ajaccio"}),
        ("75107", "99100", "Paris 7e Arrondissement", {"country": "FR", "locality": "Paris 7e Arrondissement"}),
    ],
)  # fmt: skip
def test_place_of_birth_says_what_is_known(
    birthplace: str, birthcountry: str, commune: str | None, told: dict[str, str]
) -> None:
    """The country by its ISO code, present or former; the name of the commune, never its number."""
    assert place_of_birth(birthplace, birthcountry, commune) == told


def test_every_country_with_an_iso_code_is_one_of_insee() -> None:
    """A slip in the table would name a country that nobody was born in."""
    assert [code for code in _ISO_CODES if places.country(code) is None] == []
    present = [code for code in _ISO_CODES.values() if len(code) == 2]
    assert all(code.isupper() and len(code) in {2, 4} for code in _ISO_CODES.values())
    # Germany, Yemen and Turkey each took a country over.
    assert len(present) - len(set(present)) == 3
