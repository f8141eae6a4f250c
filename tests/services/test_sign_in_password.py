"""Signing in by password: one answer for whatever is wrong, brakes that spare the owner, a session at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.crypto.passwords import PasswordHasher
from idp.services.account import securing
from idp.services.sign_in import password, sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.password import Checked, Refused, Throttled
from idp.storage.models import accounts, audit_events
from idp.storage.repositories import accounts as stored_accounts
from tests.support.builders import (
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    a_context,
    an_account,
    hash_of,
    mails,
)
from tests.support.queries import Recording, recorded_queries

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

WRONG = "Autre-Chose.88"
VISIT = Visit("Firefox sur Windows")


def sign_in(
    context: Context,
    email: str = "zoe@example.fr",
    typed: str = PASSWORD,
    *,
    address: str = HOME,
    visit: Visit = VISIT,
) -> Arrived | Refused | Throttled:
    """Try to sign in, as Zoé does from home unless told otherwise."""
    return password.sign_in(context, email, typed, address=address, visit=visit)


def arrived(outcome: object) -> Arrived:
    """Give the outcome of a sign-in that must succeed."""
    assert isinstance(outcome, Arrived), outcome
    return outcome


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "typed",
    [WRONG, "", PASSWORD.lower(), PASSWORD + " ", " " + PASSWORD, PASSWORD + "\x00", "x" * 10_000],
    ids=[
        "another password",
        "no password",
        "another case",
        "a space after",
        "a space before",
        "a null after",
        "ten thousand characters",
    ],
)
def test_wrong_password_is_refused(context: Context, typed: str) -> None:
    """Only the password itself opens the account, as it was set, to the last character."""
    an_account(context)

    assert sign_in(context, typed=typed) == Refused()


@pytest.mark.rule("LOG-2")
def test_unknown_address_is_refused_as_a_wrong_password_is(context: Context) -> None:
    """The answer does not tell which of the two was wrong."""
    an_account(context)

    unknown = sign_in(context, "personne@example.fr")
    wrong = sign_in(context, typed=WRONG)

    assert unknown == wrong == Refused()


@pytest.mark.rule("LOG-6")
def test_locked_account_is_refused_with_the_right_password(context: Context) -> None:
    """A lock closes the door, and does not tell a thief that the password is right."""
    an_account(context, is_locked=True)

    assert sign_in(context) == Refused()


@pytest.mark.rule("LOG-2", "PWD-7")
@pytest.mark.parametrize("with_device", [False, True], ids=["no device cookie", "a device cookie"])
def test_refusals_cost_the_same_statements_and_hashes(context: Context, *, with_device: bool) -> None:
    """Unknown, wrong, locked, generated and empty: what the server does is the same, so that time tells nothing."""
    an_account(context, "connue@example.fr")
    an_account(context, "bloquee@example.fr", is_locked=True)
    an_account(context, "creee-par-franceconnect@example.fr", OTHER_PASSWORD, is_generated=True)
    device_hash = digest(new_secret(SecretKind.DEVICE)) if with_device else None
    tries = [
        ("inconnue@example.fr", WRONG),
        ("connue@example.fr", WRONG),
        ("bloquee@example.fr", PASSWORD),
        ("creee-par-franceconnect@example.fr", WRONG),
        ("connue@example.fr", ""),
        ("inconnue@example.fr", ""),
    ]

    recordings = [
        record_try(context, email, typed, f"203.0.113.{index}", device_hash)
        for index, (email, typed) in enumerate(tries)
    ]

    assert all(recording.statements == recordings[0].statements for recording in recordings)
    assert {recording.commits for recording in recordings} == {2}


def record_try(
    context: Context, email: str, typed: str, address: str, device_hash: bytes | None
) -> Recording:
    """Record what a refused try asks of the database."""
    visit = Visit("Firefox sur Windows", device_hash)
    with recorded_queries(context.database.reader, context.database.writer) as recording:
        assert sign_in(context, email, typed, address=address, visit=visit) == Refused()
    return recording


@pytest.mark.rule("LOG-2")
def test_sixth_wrong_password_waits_a_minute_then_longer(context: Context, clock: SettableClock) -> None:
    """Five free tries, then one, two, four minutes: a right password too must wait."""
    an_account(context)
    addresses = iter(range(1, 200))

    def guess() -> Arrived | Refused | Throttled:
        return sign_in(context, typed=WRONG, address=f"10.{next(addresses)}.0.1")

    free = [guess() for _ in range(5)]
    waits = []
    for _ in range(3):
        refused = guess()
        assert isinstance(refused, Throttled)
        waits.append(refused.until - clock())
        clock.set(refused.until)
        assert guess() == Refused()

    assert free == [Refused()] * 5
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
    assert isinstance(sign_in(context), Throttled)


@pytest.mark.rule("LOG-2")
def test_account_is_looked_at_no_more_than_25_times_a_day(context: Context, clock: SettableClock) -> None:
    """Whoever waits each delay out, from a new network each time, gets 25 guesses in any 24 hours."""
    an_account(context)
    began, looked_at = clock(), []

    while clock() < began + timedelta(hours=48):
        outcome = sign_in(
            context, typed="", address=f"10.{len(looked_at) % 250}.{clock().minute}.1", visit=VISIT
        )
        if isinstance(outcome, Throttled):
            clock.set(outcome.until)
        else:
            looked_at.append(clock())

    busiest = max(
        sum(1 for at in looked_at if start <= at < start + timedelta(hours=24)) for start in looked_at
    )
    assert busiest <= 25


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "spelling",
    ["ZOE@example.fr", "zoe@EXAMPLE.FR", "Zoe@Example.Fr"],
)
def test_other_spelling_of_an_address_shares_its_counter(context: Context, spelling: str) -> None:
    """Five guesses are five guesses, however the address is written."""
    an_account(context)
    for index in range(5):
        sign_in(context, spelling, WRONG, address=f"10.{index}.0.1")

    assert isinstance(sign_in(context, address=ELSEWHERE), Throttled)


@pytest.mark.rule("LOG-2")
def test_unknown_address_is_throttled_as_a_known_one(context: Context) -> None:
    """The brake does not tell who has an account."""
    an_account(context, "connue@example.fr")

    outcomes = {
        email: [sign_in(context, email, WRONG, address=f"10.{index}.0.1") for index in range(7)]
        for email in ("connue@example.fr", "inconnue@example.fr")
    }

    assert outcomes["connue@example.fr"] == outcomes["inconnue@example.fr"]
    assert isinstance(outcomes["inconnue@example.fr"][-1], Throttled)


@pytest.mark.rule("LOG-2")
def test_stranger_does_not_lock_the_owner_out_of_a_known_device(context: Context) -> None:
    """A flood from elsewhere leaves the browser that signed in before as free as it was."""
    an_account(context)
    first = arrived(sign_in(context))
    assert first.new_device is not None
    for index in range(50):
        sign_in(context, typed=WRONG, address=f"10.{index}.0.1")

    at_home = Visit("Firefox sur Windows", digest(first.new_device))

    assert isinstance(sign_in(context, address=ELSEWHERE), Throttled)
    assert isinstance(sign_in(context, visit=at_home), Arrived)


@pytest.mark.rule("LOG-2")
def test_device_of_another_account_has_no_counter_of_its_own(context: Context) -> None:
    """A browser known to Max is a stranger to Zoé's account."""
    an_account(context)
    an_account(context, "max@example.fr", OTHER_PASSWORD)
    device = arrived(sign_in(context, "max@example.fr", OTHER_PASSWORD)).new_device
    assert device is not None
    visit = Visit("Firefox sur Windows", digest(device))
    for index in range(5):
        sign_in(context, typed=WRONG, address=f"10.{index}.0.1", visit=visit)

    assert isinstance(sign_in(context, address=ELSEWHERE, visit=visit), Throttled)


@pytest.mark.rule("LOG-2")
def test_known_device_that_guesses_is_braked_too(context: Context) -> None:
    """A stolen device cookie gives five tries, as a stranger has."""
    an_account(context)
    device = arrived(sign_in(context)).new_device
    assert device is not None
    visit = Visit("Firefox sur Windows", digest(device))

    outcomes = [sign_in(context, typed=WRONG, visit=visit) for _ in range(6)]

    assert outcomes[:5] == [Refused()] * 5
    assert isinstance(outcomes[5], Throttled)


@pytest.mark.rule("LOG-2")
def test_own_sign_in_between_guesses_leaves_the_network_braked(context: Context) -> None:
    """Twenty a minute from one network, whatever the accounts, however many of them succeed."""
    an_account(context, "mallory@example.fr", OTHER_PASSWORD)
    guesses = []
    for index in range(25):
        guesses.append(sign_in(context, f"victime{index}@example.fr", WRONG))
        sign_in(context, "mallory@example.fr", OTHER_PASSWORD)

    assert guesses[:20] == [Refused()] * 20
    assert all(isinstance(guess, Throttled) for guess in guesses[20:])


@pytest.mark.rule("LOG-2")
def test_many_people_of_one_network_sign_in(context: Context) -> None:
    """A library, an office: right passwords brake nobody."""
    for index in range(30):
        an_account(context, f"usager{index}@example.fr")

    outcomes = [sign_in(context, f"usager{index}@example.fr") for index in range(30)]

    assert all(isinstance(outcome, Arrived) for outcome in outcomes)


@pytest.mark.rule("LOG-3", "LIF-1")
def test_right_password_opens_a_session_and_dates_the_use(context: Context, clock: SettableClock) -> None:
    """The cookie speaks for the account; activity is written."""
    account = an_account(context)
    clock.advance(hours=1)

    entered = arrived(sign_in(context))

    found = sessions.find(context, entered.opened.cookie)
    assert found is not None
    assert found.account.account_id == account.account_id
    assert found.account.last_sign_in_at == clock()
    assert found.session.authentication.methods == ("pwd",)


@pytest.mark.rule("LOG-3")
def test_sign_in_again_gives_the_session_another_cookie(context: Context) -> None:
    """A proof of presence rotates the cookie; the old value opens nothing."""
    an_account(context)
    first = arrived(sign_in(context))

    second = arrived(sign_in(context, visit=Visit("Firefox sur Windows", replaces=first.opened.session)))

    assert second.opened.session.session_id == first.opened.session.session_id
    assert sessions.find(context, first.opened.cookie) is None
    assert sessions.find(context, second.opened.cookie) is not None


@pytest.mark.rule("LOG-3")
def test_sign_in_of_another_person_ends_the_session_of_the_first(context: Context) -> None:
    """One browser speaks for one person."""
    an_account(context)
    an_account(context, "max@example.fr", OTHER_PASSWORD)
    zoe = arrived(sign_in(context))

    sign_in(
        context,
        "max@example.fr",
        OTHER_PASSWORD,
        visit=Visit("Firefox sur Windows", replaces=zoe.opened.session),
    )

    assert sessions.find(context, zoe.opened.cookie) is None


@pytest.mark.rule("LOG-5")
def test_new_device_is_told_by_mail_and_a_known_one_is_not(context: Context) -> None:
    """The owner hears of a browser that was never seen, once."""
    an_account(context)

    first = arrived(sign_in(context))
    assert first.new_device is not None
    sign_in(context, visit=Visit("Firefox sur Windows", digest(first.new_device)))

    told = [mail for mail in mails(context) if mail.event == "new_device"]
    assert [mail.to for mail in told] == ["zoe@example.fr"]
    assert told[0].variables["device"] == "Firefox sur Windows"
    assert told[0].variables["method"] == "password"


@pytest.mark.rule("PWD-5")
def test_hash_of_older_parameters_is_renewed_at_sign_in(
    context: Context, database: Database, clock: SettableClock
) -> None:
    """The password stays, its hash follows the configuration."""
    an_account(context)
    stronger = a_context(database, clock, passwords=PasswordHasher(time_cost=3))

    assert isinstance(sign_in(stronger), Arrived)

    with database.read() as connection:
        stored = connection.scalar(select(accounts.c.password_hash))
    assert stored != hash_of(PASSWORD)
    assert "t=3" in str(stored)
    assert isinstance(sign_in(stronger), Arrived)


@pytest.mark.rule("PWD-2")
def test_password_of_older_rules_still_signs_in(context: Context) -> None:
    """Rules are asked for when a password is set, never at login."""
    an_account(context, password="é&ù")

    assert isinstance(sign_in(context, typed="é&ù"), Arrived)


@pytest.mark.rule("PWD-4")
def test_decomposed_letters_are_the_same_password(context: Context) -> None:
    """Keyboards that send e and its accent apart sign in too."""
    an_account(context, password="Forêt.de.Fontaine1")

    assert isinstance(sign_in(context, typed="Fore\u0302t.de.Fontaine1"), Arrived)


@pytest.mark.rule("LOG-6")
def test_lock_between_check_and_session_wins(context: Context) -> None:
    """A check that took its time opens nothing once the account is locked."""
    account = an_account(context)
    checked = password.check(context, "zoe@example.fr", PASSWORD, address=HOME, device_hash=None)
    assert isinstance(checked, Checked)

    securing.lock(context, account.account_id, "vol")

    with context.database.write() as connection:
        assert not password.confirm(context, connection, checked, context.clock())


@pytest.mark.rule("PWD-8")
def test_new_password_between_check_and_session_wins(context: Context, clock: SettableClock) -> None:
    """Who knew the old password gets no session after it was replaced."""
    account = an_account(context)
    checked = password.check(context, "zoe@example.fr", PASSWORD, address=HOME, device_hash=None)
    assert isinstance(checked, Checked)
    clock.advance(seconds=1)

    with context.database.write() as connection:
        stored_accounts.set_password(connection, account.account_id, hash_of(OTHER_PASSWORD), clock())

    with context.database.write() as connection:
        assert not password.confirm(context, connection, checked, clock())


@pytest.mark.rule("ADM-3", "PRI-3")
def test_trail_tells_each_outcome_and_no_address(context: Context) -> None:
    """Refusals, brakes and logins are written; the account by its identifier, nobody by an address."""
    account = an_account(context)
    sign_in(context, "personne@example.fr", WRONG)
    sign_in(context)
    for _ in range(6):
        sign_in(context, typed=WRONG)

    with context.database.read() as connection:
        rows = connection.execute(select(audit_events)).all()

    events = [(row.name, row.account_id, row.details.get("reason")) for row in rows]
    assert ("sign_in.refused", None, "wrong_password") in events
    assert ("sign_in.succeeded", account.account_id, None) in events
    assert ("sign_in.refused", account.account_id, "throttled") in events
    assert "example.fr" not in str(rows)
