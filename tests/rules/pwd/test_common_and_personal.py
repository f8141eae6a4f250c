"""Passwords that anyone would guess: common, breached, or made of the person's own name (PWD-6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idp.domain.password_policy import PasswordPolicy, broken_rules
from idp.outbound.breached_passwords import EmbeddedBreachedPasswords, NullBreachedPasswords

PERSON = ("Marie.Lefèvre+ville@example.org", "Léa-Marie", "LEFÈVRE", "Cœur", "")


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBreachedPasswords]:
    """Open the list that the package carries."""
    listed = EmbeddedBreachedPasswords()
    yield listed
    listed.close()


def kinds(password: str, policy: PasswordPolicy | None = None) -> list[str]:
    """Name the rules that a password of this person breaks."""
    rules = broken_rules(
        password,
        policy=policy or PasswordPolicy(),
        personal=PERSON,
        is_common=NullBreachedPasswords().is_common,
    )
    return [rule.kind.value for rule in rules]


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "password",
    [
        "Password1!",
        "pASSWORD1!",
        "Azerty123!",
        "Soleil2024!",
        "Bonjour75!",
        "P@ssw0rd75!",
        "!!Septembre24",
        "M0tdepasse!",
        "Qwerty123$",
        "Welcome1!",
        "\uff30assword1!",
        "Paris2024!",
    ],
    ids=ascii,
)
def test_common_password_is_refused(password: str, embedded: EmbeddedBreachedPasswords) -> None:
    """The rules of composition are no use to who dresses up the first word that comes to mind."""
    rules = broken_rules(password, policy=PasswordPolicy(), is_common=embedded.is_common)

    assert "common" in [rule.kind.value for rule in rules]


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "password", ["correct-Horse7battery", "tR8!mZ2@", "Soleil-de-minuit-75", "Soleil83!92.471*"]
)
def test_password_of_ones_own_is_accepted(password: str, embedded: EmbeddedBreachedPasswords) -> None:
    """A phrase, or enough that is not a word, is nobody's first guess."""
    assert broken_rules(password, policy=PasswordPolicy(), is_common=embedded.is_common) == ()


@pytest.mark.rule("PWD-6")
def test_common_passwords_may_be_allowed() -> None:
    """The rule is beyond the terms of use: an administrator can switch it off."""
    policy = PasswordPolicy(refuse_common=False)

    assert broken_rules("Password1!", policy=policy, is_common=lambda _: True) == ()


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "password",
    [
        "marie.lefevre+ville@example.org1A",
        "X1!marie.lefevre+ville",
        "XXMARIE!2024x",
        "Lefevre-2024",
        "L\u00eaf\u00eavre-2024",
        "Lea!2024xyzB",
        "2024!Coeurs",
    ],
    ids=ascii,
)
def test_password_with_the_persons_address_or_name_is_refused(password: str) -> None:
    """Case and accents hide nothing; a name of three letters counts when it stands alone."""
    assert kinds(password) == ["personal"]


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize("password", ["Release!2024", "Example!org1", "Vi11e+Lac#9"])
def test_password_that_only_looks_like_the_name_is_accepted(password: str) -> None:
    """Three letters inside a word, or the domain of the address, are nobody's name."""
    assert kinds(password) == []


@pytest.mark.rule("PWD-6")
def test_password_with_the_persons_name_may_be_allowed() -> None:
    """The rule is beyond the terms of use: an administrator can switch it off."""
    assert kinds("Lefevre-2024", PasswordPolicy(refuse_personal=False)) == []


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize("password", ["MonParis2026!", "Exampletown2026!"])
def test_password_with_the_citys_words_is_refused(password: str) -> None:
    """Words that every resident thinks of are refused inside a password."""
    policy = PasswordPolicy(context_words=("monparis", "Exampletown"))

    assert kinds(password, policy) == ["context"]
