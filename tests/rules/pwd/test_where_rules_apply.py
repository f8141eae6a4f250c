"""The rules of passwords hold wherever one is set, and nowhere else (PWD-1, PWD-2, PWD-3, PWD-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.authentication import Authentication
from idp.domain.email_address import EmailAddress
from idp.domain.password_policy import REFUSED_CHARACTERS, BrokenRuleKind
from idp.services.account import password, signup
from idp.services.account.password import RulesBroken
from idp.services.account.signup import Begun, Details, Incomplete
from idp.services.sign_in import password as sign_in
from idp.services.sign_in.arrival import Arrived, Visit, arrive
from idp.storage.repositories.sessions import SignedIn
from tests.support.builders import HOME, PASSWORD, TERMS_VERSION, an_account, last_mail
from tests.support.pages import mailed_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.domain.password_policy import BrokenRule
    from idp.services.context import Context

BROWSER = bytes(32)
VISIT = Visit("Firefox (Windows)")


def at_sign_up(context: Context, typed: str) -> tuple[BrokenRule, ...]:
    """Choose a password for a new account."""
    email = EmailAddress("max@example.fr", "max@example.fr")
    begun = signup.begin(context, email, browser_hash=BROWSER, address=HOME, language="fr")
    assert isinstance(begun, Begun)
    signup.prove_by_code(context, begun.handle, BROWSER, str(last_mail(context).variables["code"]))
    details = Details(
        password=typed,
        identity={"given_name": "Max", "family_name": "Martin"},
        accepts_terms=True,
        terms_version=TERMS_VERSION,
    )
    outcome = signup.complete(context, begun.handle, BROWSER, details, language="fr", visit=VISIT)
    return outcome.password if isinstance(outcome, Incomplete) else ()


def at_reset(context: Context, typed: str) -> tuple[BrokenRule, ...]:
    """Choose a password by a mailed link."""
    an_account(context)
    password.forgotten(context, "zoe@example.fr", language="fr")
    token = mailed_token(context)
    outcome = password.reset(context, token, typed, browser_hash=BROWSER, device_hash=None)
    return outcome.rules if isinstance(outcome, RulesBroken) else ()


def at_change(context: Context, typed: str) -> tuple[BrokenRule, ...]:
    """Choose a password from the account."""
    account = an_account(context)
    with context.database.write() as connection:
        present = arrive(context, connection, account, Authentication.by_password(context.clock()), VISIT)
    outcome = password.change(
        context,
        SignedIn(present.opened.session, account),
        PASSWORD,
        typed,
        address=HOME,
        device_hash=None,
    )
    return outcome.rules if isinstance(outcome, RulesBroken) else ()


PLACES = {"sign-up": at_sign_up, "reset": at_reset, "change": at_change}


@pytest.mark.rule("PWD-2")
@pytest.mark.parametrize("choose", PLACES.values(), ids=PLACES.keys())
def test_every_refused_character_is_refused_wherever_a_password_is_set(
    context: Context, choose: Callable[[Context, str], tuple[BrokenRule, ...]]
) -> None:
    """All seventeen in one password, each named."""
    broken = choose(context, "Vingt2.Tramways" + "".join(REFUSED_CHARACTERS))

    assert [(rule.kind, rule.characters) for rule in broken] == [
        (BrokenRuleKind.REFUSED_CHARACTERS, REFUSED_CHARACTERS)
    ]


@pytest.mark.rule("PWD-1", "PWD-3", "PWD-6")
@pytest.mark.parametrize("choose", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize(
    "typed, kinds",
    [
        ("", {"too_short", "no_uppercase", "no_lowercase", "no_digit", "no_special"}),
        ("wqzk", {"too_short", "no_uppercase", "no_digit", "no_special"}),
        ("Bonjour-MonParis.1", {"context"}),
        ("Soleil2024!", {"common"}),
        ("A1!" + "b" * 126, {"too_long"}),
    ],
    ids=["empty", "short", "the name of the service", "common", "too long"],
)
def test_rules_are_the_same_wherever_a_password_is_set(
    context: Context,
    choose: Callable[[Context, str], tuple[BrokenRule, ...]],
    typed: str,
    kinds: set[str],
) -> None:
    """One definition serves every page."""
    assert {rule.kind.value for rule in choose(context, typed)} == kinds


@pytest.mark.rule("PWD-2", "PWD-4")
@pytest.mark.parametrize("older", ["é", "azerty", "a" * 128, "mot de passe"])
def test_no_rule_is_asked_for_at_sign_in(context: Context, older: str) -> None:
    """An account made under other rules opens with its password."""
    an_account(context, password=older)

    outcome = sign_in.sign_in(context, "zoe@example.fr", older, address=HOME, visit=VISIT)

    assert isinstance(outcome, Arrived)
