"""Which characters a password needs (PWD-1), and that every broken rule is told at once (PWD-3)."""

from __future__ import annotations

import pytest

from idp.domain.password_policy import (
    BrokenRule,
    BrokenRuleKind,
    PasswordPolicy,
    broken_rules,
    is_too_long,
    normalise,
)


def kinds(password: str, policy: PasswordPolicy | None = None) -> list[str]:
    """Name the rules that a password breaks, common and personal ones left out."""
    rules = broken_rules(password, policy=policy or PasswordPolicy(), is_common=lambda _: False)
    return [rule.kind.value for rule in rules]


@pytest.mark.rule("PWD-1", "PWD-3")
@pytest.mark.parametrize(
    "password, broken",
    [
        ("", ["too_short", "no_uppercase", "no_lowercase", "no_digit", "no_special"]),
        ("Abcde1!", ["too_short"]),
        ("abcdefg1!", ["no_uppercase"]),
        ("ABCDEFG1!", ["no_lowercase"]),
        ("Abcdefgh!", ["no_digit"]),
        ("Abcdefgh1", ["no_special"]),
        ("abcdefgh", ["no_uppercase", "no_digit", "no_special"]),
        ("12345678", ["no_uppercase", "no_lowercase", "no_special"]),
        ("        ", ["no_uppercase", "no_lowercase", "no_digit", "no_special"]),
        ("Abcdefg1 ", ["no_special"]),
        ("Abcdefg1\u00a0", ["no_special"]),
        ("Abcdefg1\u200b", ["no_special"]),
        ("Abcdefg1ê", ["no_special"]),
        ("Abcdefg1x\u0331", ["no_special"]),
        ("Abcdefg²!", ["no_digit"]),
        ("山田太郎1234!", ["no_uppercase", "no_lowercase"]),
        ("ǅabcdef1!", ["no_uppercase"]),
        ("ABCDEF1!é", ["no_lowercase", "refused_characters"]),
        ("Abcdefg1&", ["no_special", "refused_characters"]),
        ("é\t", ["too_short", "no_uppercase", "no_lowercase", "no_digit", "no_special",
                 "refused_characters", "control_characters"]),
    ],
    ids=ascii,
)  # fmt: skip
def test_password_that_breaks_rules_is_told_all_of_them(password: str, broken: list[str]) -> None:
    """Each missing class is named, in one order, whatever else is wrong."""
    assert kinds(password) == broken


@pytest.mark.rule("PWD-1")
@pytest.mark.parametrize(
    "password",
    [
        "Abcdef1!",
        " Abcdef1! ",
        "Une phrase avec 1 point!",
        "Êtñabcd1!",
        "Ñandú2024$",
        "Жизнь12345%",
        "Abcdefg٣!",
        "Abcdefg1€",
        "Abcdefg1²",
        "Abcdefg1😀",
        "Abcdefg1👨\u200d👩\u200d👧",
        "Abcdefg1`",
        "Abcdefg1|",
        *(f"Abcdefg1{special}" for special in "!#$%()*+,-./:;=?@[]^_{}"),
    ],
    ids=ascii,
)
def test_password_with_the_four_classes_is_accepted(password: str) -> None:
    """Letters and digits of any script count, and so does every sign that is not refused."""
    assert kinds(password) == []


@pytest.mark.rule("PWD-1")
@pytest.mark.parametrize("password", ["😀😀😀Aa1!", "Abcde1e\u0302!"], ids=ascii)
def test_length_counts_code_points_in_nfc(password: str) -> None:
    """Bytes and combining sequences don't make a password longer; seven are refused, eight accepted."""
    if len(normalise(password)) == 7:
        assert kinds(password) == ["too_short"]
    assert kinds(password + "x") == []


@pytest.mark.rule("PWD-4")
@pytest.mark.parametrize("extra, broken", [(120, []), (121, ["too_long"])], ids=["128", "129"])
def test_password_of_more_than_128_characters_is_refused(extra: int, broken: list[str]) -> None:
    """128 are accepted, 129 refused; nothing is cut."""
    assert kinds("Abcdef1!" + "x" * extra) == broken


@pytest.mark.rule("PWD-4")
def test_password_of_128_characters_in_nfd_is_accepted() -> None:
    """The limit is counted once composed."""
    assert kinds("Abcdef1!" + "e\u0302" * 120) == []


@pytest.mark.rule("PWD-4")
@pytest.mark.parametrize(
    "password", ["\u0301" * 1025, "é" * 513, "x" * 10_000_000], ids=["marks", "bytes", "10 MB"]
)
def test_password_over_the_limit_is_looked_at_no_further(password: str) -> None:
    """Nothing is computed on an input that is too long: one rule is told, the list is not asked."""

    def never(_: str) -> bool:
        raise AssertionError("the list was asked")

    assert is_too_long(password)
    assert broken_rules(password, policy=PasswordPolicy(), is_common=never) == (
        BrokenRule(BrokenRuleKind.TOO_LONG),
    )


@pytest.mark.rule("PWD-1")
def test_password_without_composition_needs_length_only() -> None:
    """The composition rule is one switch; refused characters stay refused."""
    policy = PasswordPolicy(composition=False)

    assert kinds("une phrase de passe", policy) == []
    assert kinds("une phrase d'été", policy) == ["refused_characters"]
