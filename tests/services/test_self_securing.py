"""The button that secures an account: everything ends at once, and the mailbox gets a new link (LOG-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.domain.authentication import Authentication
from idp.domain.email_address import EmailAddress
from idp.services.account import deletion, email_address, password, self_securing
from idp.services.account.self_securing import AlreadySecured, Secured, SessionOver
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.password import Refused
from idp.services.sign_in.sessions import open_session
from idp.storage.models import account_links, audit_events, devices, throttle_counters
from tests.support.builders import HOME, OTHER_PASSWORD, PASSWORD, an_account, last_mail, mails

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.storage.repositories.sessions import SignedIn
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("LOG-6")
EMAIL = "zoe@example.fr"
NEW = "mallory@example.org"
BROWSER = bytes(32)
VISIT = Visit("Firefox sur Windows")


def present(context: Context, account: Account, *, ago: timedelta = timedelta(0)) -> SignedIn:
    """Open a session of somebody who proved who they are some time ago."""
    with context.database.write() as connection:
        opened = open_session(
            context,
            connection,
            account.account_id,
            Authentication.by_password(context.clock() - ago),
            browser="Firefox",
        )
    found = sessions.find(context, opened.cookie)
    assert found is not None
    return found


def enter(context: Context, typed: str = PASSWORD, email: str = EMAIL) -> object:
    """Sign in by password."""
    return sign_in.sign_in(context, email, typed, address=HOME, visit=VISIT)


def new_password(context: Context, token: str) -> object:
    """Choose another password by a mailed link."""
    return password.reset(context, token, OTHER_PASSWORD, browser_hash=BROWSER, device_hash=None)


def token_of(link: object) -> str:
    """Read the token of a link."""
    return parse_qs(urlsplit(str(link)).query)["token"][0]


def mailed_link(context: Context) -> str:
    """Read the token of the latest link."""
    return token_of(
        [mail.variables["link"] for mail in mails(context) if mail.event == "account_secured"][-1]
    )


def names_of_events(context: Context) -> list[str]:
    """List the names of the trail's lines."""
    with context.database.read() as connection:
        return list(connection.scalars(select(audit_events.c.name).order_by(audit_events.c.sequence)))


def test_session_that_has_ended_secures_nothing(context: Context) -> None:
    """A page that was open for long does nothing: the password goes on, and no mail is sent."""
    account = an_account(context)
    here = present(context, account)
    sessions.end(context, account.account_id, here.session.session_id)

    assert isinstance(self_securing.secure(context, here), SessionOver)

    assert mails(context) == []
    assert isinstance(enter(context), Arrived)


def test_second_press_changes_nothing(context: Context) -> None:
    """One mail and one line, and the link of that mail still works."""
    here = present(context, an_account(context))
    assert isinstance(self_securing.secure(context, here), Secured)

    assert isinstance(self_securing.secure(context, here), AlreadySecured)

    assert len(mails(context)) == 1
    assert names_of_events(context).count("account.secured") == 1
    assert isinstance(new_password(context, mailed_link(context)), password.Reset)


def test_everything_that_was_open_ends(context: Context) -> None:
    """This session, another, a link that was mailed before, the devices, the password."""
    account = an_account(context)
    entered = enter(context)
    assert isinstance(entered, Arrived)
    here = present(context, account)
    password.forgotten(context, EMAIL, language="fr")
    before = token_of(last_mail(context, EMAIL).variables["link"])

    done = self_securing.secure(context, here)

    assert isinstance(done, Secured)
    assert sessions.find(context, entered.opened.cookie) is None
    assert sessions.list_sessions(context, account.account_id) == []
    assert isinstance(enter(context), Refused)
    assert isinstance(new_password(context, before), password.LinkGone)
    with context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(devices)) == 0
        live = account_links.c.consumed_at.is_(None)
        assert connection.scalar(select(func.count()).where(live)) == 1


def test_old_login_is_enough(context: Context) -> None:
    """Whoever is in a hurry proves nothing again."""
    here = present(context, an_account(context), ago=timedelta(hours=10))

    assert isinstance(self_securing.secure(context, here), Secured)


def test_mailed_link_gives_the_account_back(context: Context) -> None:
    """The link of the mail sets a password, which opens the account."""
    here = present(context, an_account(context))
    self_securing.secure(context, here)

    assert isinstance(new_password(context, mailed_link(context)), password.Reset)
    assert isinstance(enter(context, OTHER_PASSWORD), Arrived)


def test_trail_says_how_many_sessions_ended(context: Context) -> None:
    """This one counts."""
    account = an_account(context)
    present(context, account)

    self_securing.secure(context, present(context, account))

    with context.database.read() as connection:
        secured = audit_events.c.name == "account.secured"
        [line] = connection.execute(select(audit_events).where(secured)).all()
    assert line.details == {"sessions": 2}
    assert line.account_id == account.account_id


def test_links_are_mailed_so_many_times_an_hour(context: Context, clock: SettableClock) -> None:
    """Past the limit everything still ends; only the mail waits."""
    account = an_account(context)
    for _ in range(5):
        done = self_securing.secure(context, present(context, account))
        assert isinstance(done, Secured)
        assert done.is_mailed

    beyond = self_securing.secure(context, present(context, account))

    assert isinstance(beyond, Secured)
    assert not beyond.is_mailed
    assert len(mails(context)) == 5
    assert sessions.list_sessions(context, account.account_id) == []
    clock.advance(timedelta(hours=2))
    later = self_securing.secure(context, present(context, account))
    assert isinstance(later, Secured)
    assert later.is_mailed


def test_stranger_who_asks_for_links_does_not_keep_this_one_away(context: Context) -> None:
    """The counters of forgotten passwords are others."""
    account = an_account(context)
    for _ in range(7):
        password.forgotten(context, EMAIL, language="fr")

    done = self_securing.secure(context, present(context, account))

    assert isinstance(done, Secured)
    assert done.is_mailed


def test_former_address_hears_of_it_after_a_change(context: Context, clock: SettableClock) -> None:
    """Whoever took the account over gets the link; its owner hears where, and undoes the change from the other box."""
    account = an_account(context)
    thief = present(context, account)
    email_address.begin(context, account, EmailAddress(NEW, NEW), address=HOME)
    email_address.prove_by_code(context, thief, str(last_mail(context, NEW).variables["code"]))
    undo = token_of(last_mail(context, EMAIL).variables["link"])
    clock.advance(timedelta(days=2))
    here = present(context, account)
    assert self_securing.foresee(context, here.account).is_changed_lately

    self_securing.secure(context, here)

    told = {mail.event: mail for mail in mails(context)[-2:]}
    assert told["account_secured"].to == NEW
    assert told["account_secured_former"].to == EMAIL
    assert told["account_secured_former"].variables["days_left"] == 5
    assert "link" not in told["account_secured_former"].variables
    assert isinstance(email_address.undo(context, undo), email_address.Undone)
    assert isinstance(new_password(context, mailed_link(context)), password.LinkGone)


def test_former_address_hears_nothing_past_the_time_to_undo(context: Context, clock: SettableClock) -> None:
    """An address of long ago is nobody's business."""
    account = an_account(context)
    email_address.begin(context, account, EmailAddress(NEW, NEW), address=HOME)
    here = present(context, account)
    email_address.prove_by_code(context, here, str(last_mail(context, NEW).variables["code"]))
    clock.advance(timedelta(days=8))
    here = present(context, account)

    self_securing.secure(context, here)

    assert not self_securing.foresee(context, here.account).is_changed_lately
    assert mails(context)[-1].event == "account_secured"


@pytest.mark.parametrize(
    "ticket", [None, "", "x", "é" * 40, "AAAA" * 20], ids=["none", "empty", "short", "accents", "altered"]
)
def test_ticket_that_is_none_names_nobody(context: Context, ticket: str | None) -> None:
    """The page says nothing of any account."""
    here = present(context, an_account(context))
    self_securing.secure(context, here)

    assert self_securing.where_mailed(context, ticket, BROWSER) is None


def test_ticket_serves_one_browser_for_as_long_as_the_link(context: Context, clock: SettableClock) -> None:
    """Another browser, an account that was not secured, or half an hour later: nothing."""
    account = an_account(context)
    ticket = self_securing.ticket(context, account.account_id, BROWSER)
    assert self_securing.where_mailed(context, ticket, BROWSER) is None

    self_securing.secure(context, present(context, account))

    assert self_securing.where_mailed(context, ticket, BROWSER) == "z•••@example.fr"
    assert self_securing.where_mailed(context, ticket, bytes([1]) * 32) is None
    clock.advance(timedelta(minutes=31))
    assert self_securing.where_mailed(context, ticket, BROWSER) is None


@pytest.mark.rule("LIF-4")
def test_counter_of_links_goes_with_the_account(context: Context) -> None:
    """What counted a person's presses is erased with them."""
    account = an_account(context)
    self_securing.secure(context, present(context, account))

    deletion.delete(context, account.account_id)

    with context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(throttle_counters)) == 0
