"""Laws of the password rules (PWD-1, PWD-2, PWD-3, PWD-4)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.password_policy import (
    MAX_BYTES,
    REFUSED_CHARACTERS,
    BrokenRuleKind,
    PasswordPolicy,
    broken_rules,
    is_too_long,
    normalise,
    strength,
)

# The first table of characters takes seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
POLICY = PasswordPolicy()
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
ORDER = list(BrokenRuleKind)


def kinds(password: str) -> list[BrokenRuleKind]:
    """Name the rules that a password breaks."""
    rules = broken_rules(password, policy=POLICY, personal=(password,), is_common=lambda _: True)
    return [rule.kind for rule in rules]


@pytest.mark.rule("PWD-3")
@PATIENT
@given(ANY_TEXT)
def test_any_input_is_answered_with_rules_in_order_each_once(password: str) -> None:
    """Whatever is typed, the answer is a list without repetition, always in one order."""
    found = kinds(password)

    assert found == sorted(set(found), key=ORDER.index)


@pytest.mark.rule("PWD-4")
@PATIENT
@given(ANY_TEXT)
def test_normal_forms_of_one_password_break_the_same_rules(password: str) -> None:
    """The keyboard that sends accents apart makes no difference."""
    composed = normalise(password)

    assert normalise(composed) == composed
    if len(unicodedata.normalize("NFD", password).encode(errors="surrogatepass")) <= MAX_BYTES:
        assert kinds(unicodedata.normalize("NFD", password)) == kinds(composed)


@pytest.mark.rule("PWD-2")
@PATIENT
@given(ANY_TEXT, st.sampled_from(REFUSED_CHARACTERS), ANY_TEXT)
def test_refused_character_is_never_accepted(before: str, character: str, after: str) -> None:
    """Whatever stands around it, a password with a refused character is refused."""
    # A combining mark would make another letter of it: é followed by a macron is ḗ, which is on no list.
    if not normalise(before + character + after).count(character):
        return
    found = kinds(before + character + after)

    assert {BrokenRuleKind.REFUSED_CHARACTERS, BrokenRuleKind.TOO_LONG} & set(found)


@pytest.mark.rule("PWD-4")
@PATIENT
@given(st.text(st.characters(exclude_categories=()), min_size=100))
def test_accepted_length_is_bounded_whatever_the_script(password: str) -> None:
    """What is not too long fits 128 code points of UTF-8."""
    if not is_too_long(password):
        assert len(normalise(password).encode(errors="surrogatepass")) <= 128 * 4


@pytest.mark.rule("PWD-6")
@PATIENT
@given(ANY_TEXT, st.characters())
def test_one_more_character_never_makes_a_password_weaker(password: str, more: str) -> None:
    """The meter never goes down while typing, up to the limit."""
    longer = password + more
    # A combining mark may join the letter before it: the password is then no longer.
    if not is_too_long(longer) and normalise(longer).startswith(normalise(password)):
        assert strength(longer).bits >= strength(password).bits
