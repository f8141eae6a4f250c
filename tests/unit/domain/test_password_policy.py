"""The password policy's settings, its strength estimate and what the page is given (PWD-3, PWD-6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp.domain.password_policy import (
    REFUSED_CHARACTERS,
    PasswordPolicy,
    StrengthLevel,
    policy_bits,
    require_enough_bits,
    strength,
    to_browser,
)


@pytest.mark.rule("PWD-1")
@pytest.mark.parametrize(
    "settings",
    [
        {"min_length": 7},
        {"min_length": 14},
        {"recommended_length": 129},
        {"max_length": 63},
        {"max_length": 129},
        {"refused_characters": ("ab",)},
        {"refused_characters": ("",)},
    ],
    ids=str,
)
def test_policy_weaker_than_the_terms_of_use_is_refused(settings: dict[str, Any]) -> None:
    """No setting goes under 8 characters, over 128, or makes no sense."""
    with pytest.raises(ValueError, match=r"_length|refused_characters"):
        PasswordPolicy(**settings)


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "length, bits",
    [(3, 0), (8, 50.50), (9, 57.16), (10, 63.76), (11, 70.32), (12, 76.86), (13, 83.38), (14, 89.88), (16, 102.85)],
)  # fmt: skip
def test_space_of_the_policy_is_computed_exactly(length: int, bits: float) -> None:
    """Eight characters of the four classes are half a bit above what the CNIL asks."""
    assert policy_bits(length) == pytest.approx(bits, abs=0.006)


@pytest.mark.parametrize("length, bits", [(8, 51.54), (12, 77.32), (13, 83.76), (16, 103.09)])
def test_space_without_composition_is_that_of_the_alphabet(length: int, bits: float) -> None:
    """Without required classes every string of the alphabet counts."""
    assert policy_bits(length, composition=False) == pytest.approx(bits, abs=0.006)


@pytest.mark.rule("PWD-1", "LOG-2")
@pytest.mark.parametrize("length", [8, 12])
def test_short_passwords_without_throttling_stop_the_start(length: int) -> None:
    """Eight characters are enough only because logins are throttled."""
    with pytest.raises(ValueError, match="without throttling"):
        require_enough_bits(PasswordPolicy(min_length=length), throttled=False)


@pytest.mark.rule("PWD-1", "LOG-2")
@pytest.mark.parametrize("length, throttled", [(8, True), (13, False), (13, True)])
def test_long_enough_passwords_let_the_provider_start(*, length: int, throttled: bool) -> None:
    """Eight with throttling, thirteen without."""
    require_enough_bits(PasswordPolicy(min_length=length), throttled=throttled)


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "password, level",
    [
        ("", StrengthLevel.WEAK),
        ("tR8!mZ2@", StrengthLevel.WEAK),
        ("tR8!mZ2@p", StrengthLevel.WEAK),
        ("tR8!mZ2@pL", StrengthLevel.MEDIUM),
        ("tR8!mZ2@pL5#", StrengthLevel.MEDIUM),
        ("tR8!mZ2@pL5#q", StrengthLevel.STRONG),
        ("correct-Horse7battery", StrengthLevel.STRONG),
        ("Aa1!" + "a" * 60, StrengthLevel.WEAK),
        ("Abcdefghijklmnop123456!", StrengthLevel.WEAK),
        ("xK7!xK7!xK7!xK7!xK7!", StrengthLevel.WEAK),
        ("山" * 40, StrengthLevel.WEAK),
        ("x" * 129, StrengthLevel.WEAK),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_strength_follows_what_guessing_would_take(password: str, level: StrengthLevel) -> None:
    """Thirteen random characters are strong; repetitions, runs and refrains add nothing."""
    assert strength(password).level is level


@pytest.mark.rule("PWD-6")
def test_strength_of_random_password_is_the_bits_of_its_alphabet() -> None:
    """The estimate is that of annex B for a password without a pattern."""
    assert strength("tR8!mZ2@pL5#q").bits == pytest.approx(83.76, abs=0.006)


@pytest.mark.rule("PWD-3")
def test_page_gets_the_same_definition_as_the_server() -> None:
    """What the live list needs travels as plain JSON values."""
    page = json.loads(json.dumps(to_browser(PasswordPolicy())))

    assert page["min_length"] == 8
    assert page["max_length"] == 128
    assert page["recommended_length"] == 13
    assert page["refused"] == list(REFUSED_CHARACTERS)
    assert list(page["classes"]) == ["no_uppercase", "no_lowercase", "no_digit", "no_special"]
    assert page["strength"] == {"class_sizes": [26, 26, 10, 25], "medium_bits": 64, "strong_bits": 80}


def test_page_without_composition_asks_for_no_class() -> None:
    """The switch acts on the page as on the server."""
    assert to_browser(PasswordPolicy(composition=False))["classes"] == {}
