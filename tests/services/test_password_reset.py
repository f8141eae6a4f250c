"""Forgotten and changed passwords: one link, one use, and the end of everything the old one opened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, insert, select

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.account import Account
from idp.domain.authentication import Authentication
from idp.domain.email_address import EmailAddress
from idp.domain.password_policy import BrokenRuleKind
from idp.domain.pending_authorization import PendingAuthorization
from idp.services.account import password, securing, signup
from idp.services.account.password import (
    Changed,
    FranceConnectNeeded,
    LinkGone,
    Reset,
    RulesBroken,
    WrongCurrent,
)
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Arrived, Visit, arrive
from idp.services.sign_in.password import Refused, Throttled
from idp.storage.models import account_links, audit_events, clients, outbox
from idp.storage.repositories import pending_authorizations
from idp.storage.repositories.sessions import SignedIn
from tests.support.builders import (
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    an_account,
    last_mail,
    mails,
)
from tests.support.queries import Recording, recorded_queries

if TYPE_CHECKING:
    from idp.services.context import Context
    from tests.support.clock import SettableClock

BROWSER = bytes(32)
VISIT = Visit("Firefox sur Windows")


def ask(context: Context, email: str = "zoe@example.fr", *, pending_id: str | None = None) -> str:
    """Ask for a link; gives back its token."""
    password.forgotten(context, email, language="fr", pending_id=pending_id)
    return parse_qs(urlsplit(last_mail(context).variables["link"]).query)["token"][0]


def reset(context: Context, token: str | None, typed: str = OTHER_PASSWORD) -> object:
    """Set a password by a link."""
    return password.reset(context, token, typed, browser_hash=BROWSER, device_hash=None)


def enter(context: Context, typed: str = PASSWORD, *, visit: Visit = VISIT) -> object:
    """Sign Zoé in."""
    return sign_in.sign_in(context, "zoe@example.fr", typed, address=HOME, visit=visit)


def signed_in(context: Context, typed: str = PASSWORD) -> SignedIn:
    """Sign Zoé in, and find whom the cookie speaks for."""
    arrived = enter(context, typed)
    assert isinstance(arrived, Arrived)
    found = sessions.find(context, arrived.opened.cookie)
    assert found is not None
    return found


def by_franceconnect(context: Context, account: Account) -> SignedIn:
    """Open a session as FranceConnect's callback does."""
    with context.database.write() as connection:
        arrived = arrive(
            context,
            connection,
            account,
            Authentication.by_franceconnect(context.clock(), "eidas1"),
            VISIT,
            upstream="franceconnect",
        )
    return SignedIn(arrived.opened.session, account)


def change(
    context: Context, present: SignedIn, current: str | None = PASSWORD, typed: str = OTHER_PASSWORD
) -> object:
    """Change the password from the account."""
    return password.change(context, present, current, typed, address=HOME, device_hash=None)


@pytest.mark.rule("PWD-8")
def test_unknown_address_gets_no_mail(context: Context) -> None:
    """Nobody is written to who has no account here."""
    password.forgotten(context, "personne@example.fr", language="fr")
    password.forgotten(context, "pas une adresse", language="fr")
    password.forgotten(context, "", language="fr")

    assert mails(context) == []


@pytest.mark.rule("PWD-8")
def test_known_and_unknown_addresses_cost_the_same_statements(context: Context) -> None:
    """Asking takes the same time for everyone: with an account, without, locked, or with a generated password."""
    an_account(context, "connue@example.fr")
    an_account(context, "bloquee@example.fr", is_locked=True)
    an_account(context, "creee-par-franceconnect@example.fr", is_generated=True)
    names = ("inconnue", "connue", "bloquee", "creee-par-franceconnect")

    recordings = [record_asking(context, f"{name}@example.fr") for name in names]

    assert all(recording.statements == recordings[0].statements for recording in recordings)
    assert {recording.commits for recording in recordings} == {1}


def record_asking(context: Context, email: str) -> Recording:
    """Record what asking for a link costs."""
    with recorded_queries(context.database.reader, context.database.writer) as recording:
        password.forgotten(context, email, language="fr")
    return recording


@pytest.mark.rule("PWD-8")
@pytest.mark.parametrize(
    "typed",
    ["zoe@example.fr,mallory@example.org", "zoe@example.fr\nmallory@example.org", "zoe@example.fr;x@y.fr"],
    ids=["comma", "line break", "semicolon"],
)
def test_list_of_addresses_reaches_nobody(context: Context, typed: str) -> None:
    """The link goes to the one account found, and such a text finds none."""
    an_account(context)

    password.forgotten(context, typed, language="fr")

    assert mails(context) == []


@pytest.mark.rule("PWD-8", "ACC-5")
def test_link_goes_to_the_stored_address_in_the_language_of_the_account(context: Context) -> None:
    """What was typed is used to find, never to send."""
    an_account(context, "Zoe@example.fr", language="en")

    password.forgotten(context, "zoe@EXAMPLE.FR", language="fr")

    mail = last_mail(context)
    assert (mail.to, mail.event, mail.language) == ("Zoe@example.fr", "password_reset", "en")
    assert mail.variables["link_minutes"] == 30
    assert mail.variables["link"].startswith("https://compte.example.org/new-password?token=mpl_")


@pytest.mark.rule("PWD-8")
@pytest.mark.parametrize("typed", ["zo\u00eb@example.fr", "z\u043ee@example.fr", "zoe@ex\u0101mple.fr"])
def test_look_alike_address_finds_no_account(context: Context, typed: str) -> None:
    """Another letter is another mailbox."""
    an_account(context)

    password.forgotten(context, typed, language="fr")

    assert mails(context) == []


@pytest.mark.rule("LOG-6")
def test_locked_account_gets_no_link(context: Context) -> None:
    """A lock is not lifted by whoever reads the mailbox."""
    an_account(context, is_locked=True)

    password.forgotten(context, "zoe@example.fr", language="fr")

    assert mails(context) == []


@pytest.mark.rule("PWD-8")
def test_mails_to_one_address_are_bounded(context: Context, clock: SettableClock) -> None:
    """Five an hour, silently; the latest link still works."""
    an_account(context)
    for _ in range(8):
        token = ask(context)

    assert len(mails(context)) == 5
    assert isinstance(reset(context, token), Reset)
    clock.advance(hours=1)
    assert ask(context) != token


@pytest.mark.rule("PWD-8")
@pytest.mark.parametrize(
    "token",
    [None, "", "mpl_", new_secret(SecretKind.LINK), new_secret(SecretKind.SESSION)],
    ids=["absent", "empty", "cut", "unknown", "of another kind"],
)
def test_unknown_link_sets_nothing(context: Context, token: str | None) -> None:
    """A link that was never sent is answered as one that has served."""
    an_account(context)

    assert password.address_of_link(context, token) is None
    assert reset(context, token) == LinkGone()
    assert isinstance(enter(context), Arrived)


@pytest.mark.rule("PWD-8")
def test_link_of_a_sign_up_sets_no_password(context: Context) -> None:
    """Each link serves its one purpose."""
    an_account(context)
    email = EmailAddress("max@example.fr", "max@example.fr")
    signup.begin(context, email, browser_hash=BROWSER, address=HOME, language="fr")
    token = parse_qs(urlsplit(last_mail(context).variables["link"]).query)["token"][0]

    assert reset(context, token) == LinkGone()
    assert signup.prove_by_link(context, ask(context), BROWSER) == signup.Gone()


@pytest.mark.rule("PWD-8")
def test_second_click_finds_what_the_first_one_did(context: Context, clock: SettableClock) -> None:
    """For a minute, and for the link that set the present password: one that was voided, or is old, did nothing."""
    an_account(context)
    voided, token = ask(context), ask(context)
    before = password.just_reset(context, token, browser_hash=BROWSER)
    clock.advance(seconds=1)
    reset(context, token)

    found = password.just_reset(context, token, browser_hash=BROWSER)

    assert before is None
    assert found == Reset(0, None, None)
    assert password.just_reset(context, voided, browser_hash=BROWSER) is None
    assert password.just_reset(context, "nothing", browser_hash=BROWSER) is None
    clock.advance(minutes=2)
    assert password.just_reset(context, token, browser_hash=BROWSER) is None


@pytest.mark.rule("PWD-8")
def test_link_serves_once(context: Context) -> None:
    """The second time it sets nothing."""
    an_account(context)
    token = ask(context)

    first = reset(context, token)
    second = reset(context, token, "Encore.Un.Autre1")

    assert isinstance(first, Reset)
    assert second == LinkGone()
    assert isinstance(enter(context, OTHER_PASSWORD), Arrived)


@pytest.mark.rule("PWD-8")
def test_link_of_thirty_minutes_ago_is_refused(context: Context, clock: SettableClock) -> None:
    """The link lives half an hour."""
    an_account(context)
    token = ask(context)

    clock.advance(minutes=30)

    assert password.address_of_link(context, token) is None
    assert reset(context, token) == LinkGone()


@pytest.mark.rule("PWD-8")
def test_newer_link_voids_the_older(context: Context) -> None:
    """Only the latest mail counts."""
    an_account(context)
    older, newer = ask(context), ask(context)

    assert reset(context, older) == LinkGone()
    assert isinstance(reset(context, newer), Reset)


@pytest.mark.rule("PWD-8")
def test_opening_the_link_changes_nothing(context: Context) -> None:
    """Programs that read mail follow links: only the form uses it up."""
    an_account(context)
    token = ask(context)

    assert [password.address_of_link(context, token) for _ in range(3)] == ["zoe@example.fr"] * 3
    assert isinstance(reset(context, token), Reset)


@pytest.mark.rule("PWD-1", "PWD-2", "PWD-3")
def test_password_that_breaks_rules_leaves_the_link_good(context: Context) -> None:
    """Every broken rule is named, and the person tries again with the same link."""
    an_account(context)
    token = ask(context)

    refused = reset(context, token, "été")

    assert isinstance(refused, RulesBroken)
    assert BrokenRuleKind.REFUSED_CHARACTERS in {rule.kind for rule in refused.rules}
    assert isinstance(reset(context, token), Reset)


@pytest.mark.rule("PWD-8")
def test_reset_ends_every_session_and_link_and_tells_the_owner(context: Context) -> None:
    """Whoever had come in by the old password is out; nobody is signed in by the link."""
    account = an_account(context)
    arrived = [enter(context), enter(context)]
    token = ask(context)

    done = reset(context, token)

    assert isinstance(done, Reset)
    assert done.sessions_ended == 2
    for one in arrived:
        assert isinstance(one, Arrived)
        assert sessions.find(context, one.opened.cookie) is None
    assert sessions.list_sessions(context, account.account_id) == []
    assert last_mail(context).event == "password_changed"
    assert enter(context) == Refused()
    with context.database.read() as connection:
        live = connection.scalar(select(func.count()).where(account_links.c.consumed_at.is_(None)))
        names = set(connection.scalars(select(audit_events.c.name)))
    assert live == 0
    assert "password.changed" in names


@pytest.mark.rule("PWD-7", "PWD-8")
def test_generated_password_is_replaced_by_a_link(context: Context) -> None:
    """An account made through FranceConnect gets its first password this way."""
    an_account(context, is_generated=True)

    assert isinstance(reset(context, ask(context)), Reset)

    assert not signed_in(context, OTHER_PASSWORD).account.password_is_generated


@pytest.mark.rule("LOG-6")
def test_link_of_an_account_locked_meanwhile_sets_nothing(context: Context) -> None:
    """A lock ends the links too."""
    account = an_account(context)
    token = ask(context)

    securing.lock(context, account.account_id, "vol")

    assert reset(context, token) == LinkGone()


@pytest.mark.rule("PWD-8", "LOG-2")
def test_owner_of_a_flooded_account_comes_in_by_a_new_password(context: Context) -> None:
    """While strangers guess, the mailbox gives the password, and the browser a counter of its own."""
    an_account(context)
    for index in range(50):
        sign_in.sign_in(context, "zoe@example.fr", "Faux", address=f"10.{index}.0.1", visit=VISIT)
    assert isinstance(enter(context), Throttled)

    done = reset(context, ask(context))

    assert isinstance(done, Reset)
    assert done.new_device is not None
    known = Visit("Firefox sur Windows", digest(done.new_device))
    assert isinstance(enter(context, OTHER_PASSWORD, visit=known), Arrived)


@pytest.mark.rule("PWD-8")
def test_reset_in_the_browser_of_a_request_says_which_one_goes_on(
    context: Context, clock: SettableClock
) -> None:
    """The request waits for the new login, in the browser that brought it and no other."""
    an_account(context)
    pending = a_pending_request(context, clock)

    here = reset(context, ask(context, pending_id=pending))
    elsewhere = password.reset(
        context,
        ask(context, pending_id=pending),
        "Encore.Un.Autre1",
        browser_hash=b"\x01" * 32,
        device_hash=None,
    )

    assert isinstance(here, Reset)
    assert isinstance(elsewhere, Reset)
    assert (here.pending_id, elsewhere.pending_id) == (pending, None)


def a_pending_request(context: Context, clock: SettableClock) -> str:
    """Keep an authorization request that waits in the browser."""
    pending_id = new_secret(SecretKind.PENDING)
    with context.database.write() as connection:
        connection.execute(
            insert(clients).values(
                client_id="parking", version=1, name="Parking", metadata={}, created_at=clock()
            )
        )
        pending_authorizations.create(
            connection,
            PendingAuthorization(pending_id, "parking", {}, clock(), clock() + timedelta(hours=20)),
            browser_hash=BROWSER,
        )
    return pending_id


@pytest.mark.rule("PWD-9", "LOG-2")
def test_wrong_current_password_changes_nothing_and_is_counted(context: Context) -> None:
    """Guessing from an open session meets the same brakes as signing in."""
    an_account(context)
    present = signed_in(context)

    outcomes = [change(context, present, "Faux") for _ in range(6)]

    assert outcomes[:5] == [WrongCurrent()] * 5
    assert isinstance(outcomes[5], Throttled)
    assert isinstance(
        sign_in.sign_in(context, "zoe@example.fr", PASSWORD, address=ELSEWHERE, visit=VISIT), Throttled
    )


@pytest.mark.rule("PWD-9")
@pytest.mark.parametrize("current", [None, ""], ids=["absent", "empty"])
def test_missing_current_password_changes_nothing(context: Context, current: str | None) -> None:
    """An open session alone does not set a password."""
    an_account(context)

    assert change(context, signed_in(context), current) == WrongCurrent()


@pytest.mark.rule("PWD-9")
def test_change_that_breaks_rules_counts_no_try(context: Context) -> None:
    """The new password is looked at first: correcting it costs nothing."""
    an_account(context)
    present = signed_in(context)

    outcomes = [change(context, present, typed="court") for _ in range(10)]

    assert all(isinstance(outcome, RulesBroken) for outcome in outcomes)
    assert change(context, present) == Changed(0)


@pytest.mark.rule("PWD-9")
def test_change_ends_the_other_sessions_and_tells_the_owner(context: Context) -> None:
    """The browser where it was changed stays; links die."""
    an_account(context)
    other, present = signed_in(context), signed_in(context)
    token = ask(context)

    assert change(context, present) == Changed(1)

    left = sessions.list_sessions(context, present.account.account_id)
    assert [one.session.session_id for one in left] == [present.session.session_id]
    assert other.session.session_id != present.session.session_id
    assert reset(context, token) == LinkGone()
    assert last_mail(context).event == "password_changed"
    assert isinstance(enter(context, OTHER_PASSWORD), Arrived)


@pytest.mark.rule("PWD-7", "PWD-9")
def test_generated_password_asks_for_a_fresh_franceconnect_login(
    context: Context, clock: SettableClock
) -> None:
    """Nobody knows the current one: a session of FranceConnect, of minutes ago, stands for it."""
    account = an_account(context, is_generated=True)
    present = by_franceconnect(context, account)

    clock.advance(minutes=15)
    late = change(context, present, None)
    fresh = change(context, by_franceconnect(context, account), None)

    assert late == FranceConnectNeeded()
    assert fresh == Changed(1)


def test_mails_that_are_not_wanted_are_not_queued(context: Context) -> None:
    """The same statement runs, and leaves no row that the worker would look at."""
    password.forgotten(context, "personne@example.fr", language="fr")

    with context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 0
