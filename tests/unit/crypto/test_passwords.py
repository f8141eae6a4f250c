"""Argon2id: parameters, bounded concurrency, equal work for every refusal (PWD-4, PWD-5, PWD-7, LOG-2)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import argon2
import pytest

from idp.crypto.passwords import HashingBusy, PasswordHasher, Verification
from idp.domain.errors import RuleRefused

PASSWORD = "Abcdef1!"
WRONG = Verification(ok=False)
RIGHT = Verification(ok=True)


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    """Make a hasher with the default parameters."""
    return PasswordHasher()


@pytest.fixture(scope="module")
def stored(hasher: PasswordHasher) -> str:
    """Hash the password of an account."""
    return hasher.hash(PASSWORD)


def cpu_time(work: Callable[[], object]) -> float:
    """Measure what one call costs this thread, in seconds: the median of five."""

    def once() -> float:
        before = time.thread_time()
        work()
        return time.thread_time() - before

    return median(once() for _ in range(5))


@pytest.mark.rule("PWD-5")
@pytest.mark.parametrize(
    "parameters",
    [
        {"memory_kib": 19455},
        {"time_cost": 1},
        {"memory_kib": 12288, "time_cost": 3},
        {"memory_kib": 47103, "time_cost": 1},
        {"parallelism": 0},
        {"hash_length": 31},
        {"salt_length": 15},
        {"concurrency": 0},
    ],
    ids=str,
)
def test_parameters_under_the_floor_are_refused(parameters: dict[str, Any]) -> None:
    """A configuration weaker than OWASP's first choice stops the start, and says what is wrong."""
    with pytest.raises(ValueError, match="hashing: .*" + next(iter(parameters))):
        PasswordHasher(**parameters)


@pytest.mark.rule("PWD-5")
def test_second_choice_of_owasp_is_accepted() -> None:
    """More memory and one pass are as strong."""
    assert PasswordHasher(memory_kib=47104, time_cost=1, concurrency=1)


@pytest.mark.rule("PWD-4")
@pytest.mark.parametrize("password", ["x" * 129, "é" * 513, "x" * 1_000_000], ids=["129", "bytes", "1 MB"])
def test_password_over_the_limit_is_refused_before_hashing(
    password: str, hasher: PasswordHasher, stored: str
) -> None:
    """A long input costs nothing, when it is set and at login."""
    with pytest.raises(RuleRefused, match="PWD-4"):
        hasher.hash(password)
    assert hasher.verify(stored, password) == WRONG
    assert cpu_time(lambda: hasher.verify(stored, password)) < cpu_time(
        lambda: hasher.verify(stored, "wrong")
    )


@pytest.mark.rule("PWD-5")
def test_hash_is_argon2id_with_the_parameters_of_the_configuration(stored: str) -> None:
    """The first choice of OWASP's cheat sheet is the default, with a salt of 16 bytes and a hash of 32."""
    parameters = argon2.extract_parameters(stored)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


def test_same_password_hashed_twice_gives_two_hashes(hasher: PasswordHasher, stored: str) -> None:
    """Nobody sees in the database that two people chose alike."""
    assert hasher.hash(PASSWORD) != stored


@pytest.mark.parametrize(
    "password", ["", "abcdef1!", PASSWORD + " ", "Abcdef1", "\ud800", "Abcdef1!\x00"], ids=ascii
)
def test_wrong_password_is_refused(password: str, hasher: PasswordHasher, stored: str) -> None:
    """Case, spaces and what follows a null count."""
    assert hasher.verify(stored, password) == WRONG


def test_right_password_is_accepted(hasher: PasswordHasher, stored: str) -> None:
    """Who knows the password comes in, and nothing is to be stored again."""
    assert hasher.verify(stored, PASSWORD) == RIGHT


@pytest.mark.rule("PWD-4")
def test_password_typed_in_nfd_is_the_one_set_in_nfc(hasher: PasswordHasher) -> None:
    """Another keyboard sends the accent apart; it is the same password."""
    stored = hasher.hash("Ab\xeacde1!")

    assert hasher.verify(stored, "Abe\u0302cde1!") == RIGHT


@pytest.mark.rule("PWD-4")
def test_password_of_128_characters_counts_to_the_last(hasher: PasswordHasher) -> None:
    """Nothing is cut off."""
    stored = hasher.hash("é" * 128)

    assert hasher.verify(stored, "é" * 127 + "è") == WRONG
    assert hasher.verify(stored, "é" * 128) == RIGHT


@pytest.mark.rule("PWD-5")
def test_hash_of_other_parameters_is_to_be_made_again(stored: str) -> None:
    """When the configuration changes, each login brings one account up to date."""
    stronger = PasswordHasher(time_cost=3)

    assert stronger.verify(stored, PASSWORD) == Verification(ok=True, needs_rehash=True)
    assert stronger.verify(stored, "wrong") == WRONG
    assert stronger.verify(stronger.hash(PASSWORD), PASSWORD) == RIGHT


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "password_hash",
    [
        None,
        "",
        "!",
        "é",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAA$BBBB",
    ],
    ids=ascii,
)
def test_account_without_a_password_costs_the_same_and_refuses(
    password_hash: str | None, hasher: PasswordHasher, stored: str
) -> None:
    """Unknown account, or a hash that can't be read: the time tells nothing."""
    assert hasher.verify(password_hash, PASSWORD) == WRONG

    known = cpu_time(lambda: hasher.verify(stored, "wrong"))
    unknown = cpu_time(lambda: hasher.verify(password_hash, "wrong"))
    assert 0.5 < unknown / known < 2


@pytest.mark.rule("LOG-2")
def test_empty_password_costs_the_same(hasher: PasswordHasher, stored: str) -> None:
    """An empty field is no way to see which accounts exist."""
    known, empty = (cpu_time(lambda p=p: hasher.verify(stored, p)) for p in ("wrong", ""))

    assert 0.5 < empty / known < 2


@pytest.mark.rule("PWD-7")
def test_generated_password_is_a_hash_that_nothing_opens(hasher: PasswordHasher) -> None:
    """Nobody knows it: two are different, made like any other, and refuse what one may guess."""
    one, other = hasher.generate(), hasher.generate()

    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher.verify(one, "") == hasher.verify(one, one) == WRONG


@pytest.mark.rule("PWD-5")
def test_hash_without_a_turn_in_time_is_busy() -> None:
    """A login storm is answered with a moment to come back, not with more memory."""
    hasher = PasswordHasher(concurrency=1, max_wait=timedelta(milliseconds=10))
    stored = hasher.hash(PASSWORD)
    outcomes: list[object] = []
    barrier = threading.Barrier(16)

    def log_in() -> None:
        barrier.wait()
        try:
            outcomes.append(hasher.verify(stored, PASSWORD))
        except HashingBusy as busy:
            outcomes.append(busy.retry_after)

    threads = [threading.Thread(target=log_in) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert RIGHT in outcomes
    assert timedelta(seconds=1) in outcomes
    assert len(outcomes) == 16
    assert hasher.verify(stored, PASSWORD) == RIGHT


def test_argon2_out_of_memory_is_no_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without memory answers an error, never that the password is wrong."""
    hasher = PasswordHasher()

    def no_memory(*_: object) -> bool:
        raise argon2.exceptions.VerificationError("Memory allocation error")

    monkeypatch.setattr(argon2.PasswordHasher, "verify", no_memory)

    with pytest.raises(argon2.exceptions.VerificationError, match="Memory"):
        hasher.verify("$argon2id$v=19$m=19456,t=2,p=1$AAAA$BBBB", PASSWORD)
