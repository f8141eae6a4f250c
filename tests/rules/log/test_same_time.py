"""What is wrong does not show in the time of the answer (LOG-2, PWD-8, ACC-4).

A hash takes fifty times as long as all the rest: where every class of try costs the same number of hashes,
nobody can tell them apart over a network. The statements are compared one by one in tests/services.
"""

from __future__ import annotations

from statistics import median
from time import thread_time
from typing import TYPE_CHECKING

import pytest

from idp.crypto.passwords import PasswordHasher
from idp.domain.email_address import EmailAddress
from idp.services.account import password as passwords
from idp.services.account import signup
from idp.services.sign_in import password
from idp.services.sign_in.arrival import Visit
from idp.services.sign_in.password import Refused
from tests.support.builders import OTHER_PASSWORD, PASSWORD, a_context, an_account, some_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

WRONG = "Autre.Chose.88"
VISIT = Visit("Firefox (Windows)")
CLASSES = {
    "unknown": ("inconnue@example.fr", WRONG),
    "known": ("connue@example.fr", WRONG),
    "locked, right password": ("bloquee@example.fr", PASSWORD),
    "generated": ("generee@example.fr", WRONG),
    "known, empty password": ("connue@example.fr", ""),
    "unknown, empty password": ("inconnue@example.fr", ""),
    "no address": ("", WRONG),
}


def everybody(context: Context) -> None:
    """Write an account of each class."""
    an_account(context, "connue@example.fr")
    an_account(context, "bloquee@example.fr", is_locked=True)
    an_account(context, "generee@example.fr", OTHER_PASSWORD, is_generated=True)


class CountingHasher(PasswordHasher):
    """Counts what it is asked, and does it."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[str] = []

    def hash(self, typed: str) -> str:
        """Count a hash."""
        self.work.append("hash")
        return super().hash(typed)

    def verify(self, password_hash: str | None, typed: str) -> object:  # type: ignore[override] # the same answer
        """Count a check."""
        self.work.append("verify")
        return super().verify(password_hash, typed)


@pytest.mark.rule("LOG-2")
def test_every_refused_sign_in_checks_one_hash(database: Database, clock: SettableClock) -> None:
    """Also where there is no account, no password, or a lock."""
    hasher = CountingHasher()
    context = a_context(database, clock, passwords=hasher)
    everybody(context)
    work = {}

    for index, (name, (email, typed)) in enumerate(CLASSES.items()):
        hasher.work.clear()
        assert password.sign_in(context, email, typed, address=f"10.{index}.0.1", visit=VISIT) == Refused()
        work[name] = tuple(hasher.work)

    assert set(work.values()) == {("verify",)}


@pytest.mark.rule("LOG-2")
def test_every_refused_sign_in_takes_the_same_processor_time(context: Context) -> None:
    """Measured: none takes twice as long as another, where a missing hash would make it twenty times."""
    everybody(context)
    spent: dict[str, list[float]] = {name: [] for name in CLASSES}

    for turn in range(5):
        for index, (name, (email, typed)) in enumerate(CLASSES.items()):
            context.clock.advance(hours=2)  # type: ignore[attr-defined] # the clock of the tests
            address = f"10.{turn}.{index}.1"
            spent[name].append(time_of(lambda e=email, t=typed, a=address: try_once(context, e, t, a)))

    medians = [median(times) for times in spent.values()]
    assert max(medians) / min(medians) < 2, spent


def try_once(context: Context, email: str, typed: str, address: str) -> None:
    """Try to sign in."""
    assert password.sign_in(context, email, typed, address=address, visit=VISIT) == Refused()


def time_of(act: Callable[[], None]) -> float:
    """Measure the processor time of this thread: what else runs on the machine does not count."""
    began = thread_time()
    act()
    return thread_time() - began


@pytest.mark.rule("PWD-8", "ACC-4")
def test_asking_for_a_mail_checks_no_hash(database: Database, clock: SettableClock) -> None:
    """Neither for a new password nor for a sign-up, whoever has an account."""
    hasher = CountingHasher()
    context = a_context(database, clock, passwords=hasher)
    some_terms(context)
    everybody(context)

    for name in ("inconnue", "connue", "bloquee", "generee"):
        address = EmailAddress(f"{name}@example.fr", f"{name}@example.fr")
        passwords.forgotten(context, address.typed, language="fr")
        signup.begin(context, address, browser_hash=bytes(32), address="192.0.2.1", language="fr")

    assert hasher.work == []
