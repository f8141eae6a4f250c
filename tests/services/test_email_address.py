"""Another login address: proven by its mailbox, undone by the old one, and nothing told to strangers (PRO-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.crypto.opaque import digest
from idp.domain.account import AccountState
from idp.domain.authentication import Authentication
from idp.domain.email_address import EmailAddress
from idp.domain.errors import ThrottledUntil
from idp.services.account import email_address, password, securing, signup
from idp.services.account.email_address import (
    AddressTaken,
    AlreadyChanged,
    Begun,
    Changed,
    Gone,
    SameAddress,
    UndoGone,
    Undone,
    UndoneAndLocked,
    UndoUsed,
)
from idp.services.account.mailed_code import CodeExhausted, CodeExpired, MailsExhausted, Resent, WrongCode
from idp.services.operations.housekeeping import Retention, purge
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.password import Refused
from idp.services.sign_in.sessions import open_session
from idp.storage.models import audit_events, email_changes
from idp.storage.repositories import accounts, signups
from idp.storage.repositories.sessions import SignedIn
from tests.support.builders import HOME, OTHER_PASSWORD, PASSWORD, an_account, last_mail, mails
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("PRO-1")
OLD = "zoe@example.fr"
NEW = "zoe.dupont@example.org"
VISIT = Visit("Firefox sur Windows")


def present(context: Context, account: Account) -> SignedIn:
    """Open a session of somebody, just now."""
    with context.database.write() as connection:
        opened = open_session(
            context,
            connection,
            account.account_id,
            Authentication.by_password(context.clock()),
            browser="Firefox",
        )
    found = sessions.find(context, opened.cookie)
    assert found is not None
    return found


def begin(context: Context, account: Account, email: str = NEW, *, address: str = HOME) -> object:
    """Ask for another address."""
    return email_address.begin(context, account, EmailAddress(email, email.lower()), address=address)


def mailed_code(context: Context, to: str = NEW) -> str:
    """Read the code of the latest mail."""
    return str(last_mail(context, to).variables["code"])


def mailed_token(context: Context, to: str = NEW) -> str:
    """Read the token of the latest mail that has a link."""
    links = [mail.variables["link"] for mail in mails(context) if mail.to == to and "link" in mail.variables]
    token: str = parse_qs(urlsplit(links[-1]).query)["token"][0]
    return token


def changed(context: Context, here: SignedIn, email: str = NEW) -> str:
    """Change the address of somebody by the code; gives back the token that undoes it."""
    old = stored(context, here.account).email
    assert isinstance(begin(context, stored(context, here.account), email), Begun)
    assert isinstance(email_address.prove_by_code(context, here, mailed_code(context, email)), Changed)
    return mailed_token(context, old)


def stored(context: Context, account: Account) -> Account:
    """Read an account again."""
    with context.database.read() as connection:
        found = accounts.by_id(connection, account.account_id)
    assert found is not None
    return found


def enter(context: Context, email: str, typed: str = PASSWORD) -> object:
    """Sign in by password."""
    return sign_in.sign_in(context, email, typed, address=HOME, visit=VISIT)


def events(context: Context, name: str) -> list[str]:
    """List what the trail says under a name."""
    with context.database.read() as connection:
        rows = connection.execute(select(audit_events.c.details).where(audit_events.c.name == name))
        return [str(row.details) for row in rows]


def test_present_address_is_refused(context: Context) -> None:
    """Nothing is sent for the address that the account has, however it is written."""
    account = an_account(context)

    assert isinstance(begin(context, account, "ZOE@example.fr"), SameAddress)
    assert mails(context) == []


def test_address_changes_nothing_before_it_is_proven(context: Context) -> None:
    """The old address goes on signing in; the new one does not."""
    account = an_account(context)

    begin(context, account)

    assert isinstance(enter(context, OLD), Arrived)
    assert isinstance(enter(context, NEW), Refused)


def test_wrong_codes_are_counted_and_end_the_code(context: Context) -> None:
    """Five tries, then even the right code is refused; another mail opens it again."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account)
    code = mailed_code(context)
    wrong = "000000" if code != "000000" else "000001"

    outcomes = [email_address.prove_by_code(context, here, wrong) for _ in range(5)]

    assert outcomes == [WrongCode(4), WrongCode(3), WrongCode(2), WrongCode(1), CodeExhausted()]
    assert email_address.prove_by_code(context, here, code) == CodeExhausted()
    assert email_address.resend(context, account) == Resent()
    assert isinstance(email_address.prove_by_code(context, here, mailed_code(context)), Changed)


def test_code_lives_ten_minutes_and_its_link_a_day(context: Context, clock: SettableClock) -> None:
    """After ten minutes the link still proves; after a day nothing does."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account)
    code, token = mailed_code(context), mailed_token(context)
    clock.advance(minutes=10)

    assert email_address.prove_by_code(context, here, code) == CodeExpired()
    assert email_address.address_of_link(context, account.account_id, token) == NEW
    clock.advance(hours=24)
    assert email_address.address_of_link(context, account.account_id, token) is None
    assert email_address.prove_by_link(context, here, token) == Gone()
    assert email_address.prove_by_code(context, here, code) == Gone()


@pytest.mark.rule("ACC-5")
def test_link_of_another_account_changes_nothing(context: Context) -> None:
    """Whoever owns the mailbox, signed in to an account of their own, is not made to confirm a stranger's change."""
    mallory, zoe = an_account(context, "mallory@example.org"), an_account(context)
    begin(context, mallory)
    token = mailed_token(context)

    outcome = email_address.prove_by_link(context, present(context, zoe), token)

    assert outcome == Gone()
    assert email_address.address_of_link(context, zoe.account_id, token) is None
    assert (stored(context, zoe).email, stored(context, mallory).email) == (OLD, "mallory@example.org")


@pytest.mark.rule("ACC-5")
def test_address_of_somebody_gets_the_owner_s_mail_and_never_proves(context: Context) -> None:
    """The owner is told that somebody tried; the same number of statements runs for an address that is free."""
    mallory = an_account(context, "mallory@example.org")
    an_account(context)
    with recorded_queries(context.database.writer) as free:
        assert begin(context, mallory, NEW) == Begun()
    with recorded_queries(context.database.writer) as taken:
        assert begin(context, mallory, OLD) == Begun()

    assert len(free.statements) == len(taken.statements)
    assert last_mail(context, OLD).event == "signup_existing_account"
    assert "code" not in last_mail(context, OLD).variables
    waits = email_address.waiting(context, mallory.account_id)
    assert waits is not None
    assert waits.email == OLD
    assert email_address.prove_by_code(context, present(context, mallory), "123456") == WrongCode(4)


@pytest.mark.rule("ACC-4")
def test_mails_to_one_address_and_of_one_account_are_limited(context: Context) -> None:
    """After five mails within the hour the code that was sent still holds, and no other address gets one either."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account)
    outcomes = [email_address.resend(context, account) for _ in range(5)]

    assert outcomes[:4] == [Resent()] * 4
    assert isinstance(outcomes[4], MailsExhausted)
    assert isinstance(begin(context, account, "other@example.org"), ThrottledUntil)
    assert isinstance(email_address.prove_by_code(context, here, mailed_code(context)), Changed)


def test_new_change_replaces_the_one_that_waits(context: Context) -> None:
    """What the first mail carried proves nothing any more."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account, "first@example.org")
    first = mailed_token(context, "first@example.org")

    begin(context, account)

    assert email_address.prove_by_link(context, here, first) == Gone()
    assert isinstance(email_address.prove_by_link(context, here, mailed_token(context)), Changed)


@pytest.mark.rule("ACC-5")
def test_change_that_waits_ends_when_the_owner_of_the_address_arrives(context: Context) -> None:
    """A sign-up of the address, or a change to it, drops what others had begun."""
    mallory, zoe = an_account(context, "mallory@example.org"), an_account(context)
    begin(context, mallory)

    changed(context, present(context, zoe))

    assert email_address.waiting(context, mallory.account_id) is None


def test_address_taken_meanwhile_is_told_and_changes_nothing(context: Context) -> None:
    """The unique constraint decides, and the change is over."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account)
    code = mailed_code(context)
    an_account(context, NEW)

    assert email_address.prove_by_code(context, here, code) == AddressTaken()
    assert stored(context, account).email == OLD
    assert email_address.waiting(context, account.account_id) is None
    assert events(context, "account.email_changed") == []


def test_proven_address_signs_in_and_ends_the_rest(context: Context) -> None:
    """Other sessions, mailed links and waiting sign-ups end; this session stays; both addresses are told."""
    account = an_account(context)
    here, elsewhere = present(context, account), present(context, account)
    password.forgotten(context, OLD, language="fr")
    reset = mailed_token(context, OLD)
    begin(context, account)
    code = mailed_code(context)
    signup.begin(context, EmailAddress(NEW, NEW), browser_hash=bytes(32), address=HOME, language="fr")

    outcome = email_address.prove_by_code(context, here, code)

    assert isinstance(outcome, Changed)
    assert outcome.sessions_ended == 1
    kept = sessions.list_sessions(context, account.account_id)
    assert [one.session.session_id for one in kept] == [here.session.session_id]
    assert elsewhere.session.session_id != here.session.session_id
    assert password.address_of_link(context, reset) is None
    assert isinstance(enter(context, OLD), Refused)
    assert isinstance(enter(context, NEW), Arrived)
    assert last_mail(context, OLD).event == "email_changed"
    assert last_mail(context, NEW).event in {"email_changed_new", "new_device"}
    [line] = events(context, "account.email_changed")
    assert "@" not in line
    with context.database.read() as connection:
        assert signups.find(connection, bytes(32), bytes(32), context.clock()) is None
        assert connection.scalar(select(func.count()).select_from(email_changes)) == 1


def test_second_click_finds_the_address_changed(context: Context) -> None:
    """The same code again is no error."""
    account = an_account(context)
    here = present(context, account)
    begin(context, account)
    code, token = mailed_code(context), mailed_token(context)
    email_address.prove_by_code(context, here, code)

    assert email_address.prove_by_code(context, here, code) == AlreadyChanged()
    assert email_address.prove_by_link(context, here, token) == AlreadyChanged()


@pytest.mark.rule("ACC-5")
def test_new_password_ends_the_change_that_waits_and_keeps_the_undo(context: Context) -> None:
    """What a stranger had begun ends with their stay; what they can't void is the owner's way back."""
    account = an_account(context)
    here = present(context, account)
    undo = changed(context, here)
    begin(context, stored(context, account), "third@example.org")

    securing.lock(context, account.account_id, "lost")

    assert email_address.waiting(context, account.account_id) is None
    assert not isinstance(email_address.look_at_undo(context, undo), UndoGone)


@pytest.mark.rule("LOG-6")
def test_undo_restores_the_address_and_secures_the_account(context: Context) -> None:
    """Sessions and links end, no password opens the account until one is chosen by the mailed link."""
    account = an_account(context)
    undo = changed(context, present(context, account))
    password.forgotten(context, NEW, language="fr")
    stranger_s = mailed_token(context, NEW)

    assert email_address.undo(context, undo) == Undone()

    assert stored(context, account).email == OLD
    assert sessions.list_sessions(context, account.account_id) == []
    assert password.address_of_link(context, stranger_s) is None
    assert isinstance(enter(context, OLD), Refused)
    assert isinstance(enter(context, NEW), Refused)
    assert last_mail(context, OLD).event == "email_undone"
    password.reset(
        context, mailed_token(context, OLD), OTHER_PASSWORD, browser_hash=bytes(32), device_hash=None
    )
    assert isinstance(enter(context, OLD, OTHER_PASSWORD), Arrived)
    [line] = events(context, "account.email_change_undone")
    assert "@" not in line


def test_undo_serves_once_and_for_seven_days(context: Context, clock: SettableClock) -> None:
    """Used, expired, cut and unknown links change nothing, and are told apart where that tells nothing."""
    account = an_account(context)
    undo = changed(context, present(context, account))
    clock.advance(days=7, seconds=-1)

    assert email_address.undo(context, undo) == Undone()
    assert email_address.undo(context, undo) == UndoUsed()
    late = changed(context, present(context, account), "late@example.org")
    clock.advance(days=7)
    assert email_address.undo(context, late) == UndoGone()
    assert email_address.undo(context, late[:-1]) == UndoGone()
    assert email_address.undo(context, None) == UndoGone()
    assert stored(context, account).email == "late@example.org"


@pytest.mark.rule("LOG-6")
def test_first_undo_wins_over_a_second_change(context: Context, clock: SettableClock) -> None:
    """Whoever took an account and moved it twice can't void the owner's link by their own."""
    account = an_account(context)
    here = present(context, account)
    owner_s = changed(context, here)
    clock.advance(minutes=1)
    stranger_s = changed(context, here, "mallory@example.org")

    assert email_address.undo(context, stranger_s) == Undone()
    assert stored(context, account).email == NEW
    assert email_address.undo(context, owner_s) == Undone()
    assert stored(context, account).email == OLD


def test_undo_voids_what_undoes_later_changes(context: Context, clock: SettableClock) -> None:
    """The address that a stranger had moved the account to can't take it back."""
    account = an_account(context)
    here = present(context, account)
    owner_s = changed(context, here)
    clock.advance(minutes=1)
    stranger_s = changed(context, here, "mallory@example.org")

    assert email_address.undo(context, owner_s) == Undone()
    assert email_address.undo(context, stranger_s) == UndoGone()
    assert stored(context, account).email == OLD


@pytest.mark.rule("LOG-6")
def test_undo_of_an_address_that_is_taken_locks_the_account(context: Context) -> None:
    """The other account keeps the address; nobody gets in until the owner has called."""
    account = an_account(context)
    undo = changed(context, present(context, account))
    an_account(context, OLD)

    assert email_address.undo(context, undo) == UndoneAndLocked()

    assert stored(context, account).state is AccountState.LOCKED
    assert stored(context, account).email == NEW
    assert sessions.list_sessions(context, account.account_id) == []
    assert email_address.undo(context, undo) == UndoUsed()


def test_secrets_are_hashed_at_rest(context: Context) -> None:
    """Neither a code nor a link can be read in the table."""
    account = an_account(context)
    begin(context, account)
    code, token = mailed_code(context), mailed_token(context)
    with context.database.read() as connection:
        row = connection.execute(select(email_changes)).one()

    assert row.link_hash == digest(token)
    assert code not in str(row)
    assert token not in str(row)


@pytest.mark.rule("PRI-3")
def test_changes_are_purged_once_nobody_can_use_them(context: Context, clock: SettableClock) -> None:
    """An unproven change goes after a day; a proven one after the seven days of its undo."""
    zoe, other = an_account(context), an_account(context, "other@example.fr")
    changed(context, present(context, zoe))
    begin(context, other, "another@example.org")
    kept = Retention(session_idle=timedelta(hours=20))
    clock.advance(hours=24, seconds=1)

    assert purge(context, kept, lambda _: None)["email_changes"] == 1
    clock.advance(days=6)
    assert purge(context, kept, lambda _: None)["email_changes"] == 1
