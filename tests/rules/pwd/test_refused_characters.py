"""Which characters are refused anywhere in a password (PWD-2)."""

from __future__ import annotations

import unicodedata

import pytest

from idp.domain.password_policy import (
    REFUSED_CHARACTERS,
    BrokenRule,
    BrokenRuleKind,
    PasswordPolicy,
    broken_rules,
)

# Written once more, from the rule itself, so that the list in the code is checked and not repeated.
LIST_OF_THE_RULE = ["&", "é", '"', "'", "è", "ç", "à", "~", "\\", "ù", "<", ">", "µ", "£", "¤", "§", "\u2019"]


def refused(password: str) -> tuple[BrokenRule, ...]:
    """Tell what is wrong with a password."""
    return broken_rules(password, policy=PasswordPolicy(), is_common=lambda _: False)


@pytest.mark.rule("PWD-2")
def test_refused_characters_are_those_of_the_terms_of_use() -> None:
    """Neither more nor fewer are refused."""
    assert list(REFUSED_CHARACTERS) == LIST_OF_THE_RULE


@pytest.mark.rule("PWD-2", "PWD-3")
@pytest.mark.parametrize("character", LIST_OF_THE_RULE, ids=unicodedata.name)
@pytest.mark.parametrize(
    "pattern", ["{}Abcdef1!", "Abc{}def1!", "Abcdef1!{}"], ids=["first", "inside", "last"]
)
def test_refused_character_anywhere_is_named(character: str, pattern: str) -> None:
    """Wherever it stands, the page can say which character it was."""
    assert refused(pattern.format(character)) == (
        BrokenRule(BrokenRuleKind.REFUSED_CHARACTERS, (character,)),
    )


@pytest.mark.rule("PWD-2")
@pytest.mark.parametrize(
    "typed, character",
    [
        ("e\u0301", "é"),
        ("e\u0341", "é"),
        ("e\u0300", "è"),
        ("e\u0340", "è"),
        ("c\u0327", "ç"),
        ("a\u0300", "à"),
        ("u\u0300", "ù"),
    ],
    ids=ascii,
)
def test_character_that_nfc_makes_refused_is_refused(typed: str, character: str) -> None:
    """A keyboard that sends the accent apart gets the same answer."""
    assert refused(f"Abcdef1!{typed}") == (BrokenRule(BrokenRuleKind.REFUSED_CHARACTERS, (character,)),)


@pytest.mark.rule("PWD-2", "PWD-3")
def test_several_refused_characters_are_all_named_once_in_the_order_of_the_list() -> None:
    """Nobody has to find them one by one."""
    assert refused("§Abc'def'1!é&") == (BrokenRule(BrokenRuleKind.REFUSED_CHARACTERS, ("&", "é", "'", "§")),)


@pytest.mark.rule("PWD-2")
@pytest.mark.parametrize("character", "ÉÈÇÀÙêôñœ‘´`\u03bc", ids=unicodedata.name)
def test_neighbour_of_a_refused_character_is_accepted(character: str) -> None:
    """Capitals and other accents are not on the list."""
    assert refused(f"Abcdef1!{character}") == ()


@pytest.mark.rule("PWD-2")
@pytest.mark.parametrize(
    "character, shown",
    [
        ("\x00", "U+0000"),
        ("\t", "U+0009"),
        ("\n", "U+000A"),
        ("\x1b", "U+001B"),
        ("\x7f", "U+007F"),
        ("\x85", "U+0085"),
        ("\u2028", "U+2028"),
        ("\u2029", "U+2029"),
        ("\ud800", "U+D800"),
    ],
    ids=ascii,
)
def test_control_character_is_refused_by_its_code_point(character: str, shown: str) -> None:
    """What can't be seen is named by its number."""
    assert refused(f"Abcdef1!{character}") == (BrokenRule(BrokenRuleKind.CONTROL_CHARACTERS, (shown,)),)


@pytest.mark.rule("PWD-2")
def test_refused_characters_may_be_set() -> None:
    """Another city may have another list; it is compared in NFC."""
    policy = PasswordPolicy(refused_characters=("e\u0301",))

    assert broken_rules("Abcdef1!é&", policy=policy, is_common=lambda _: False) == (
        BrokenRule(BrokenRuleKind.REFUSED_CHARACTERS, ("é",)),
    )
