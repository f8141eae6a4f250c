"""The contact address: proven by a mailed link, used by lists, told to nobody else (PRO-2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select

from idp.crypto.opaque import digest
from idp.domain.civil_identity import CONTACT_EMAIL, Level, Source
from idp.domain.email_address import EmailAddress, canonical
from idp.domain.newsletters import Newsletter
from idp.domain.tokens import GrantedClaims, TokenFamily
from idp.services.account import contact_email, email_address, newsletters
from idp.services.account.contact_email import LINK_LIFETIME, Asked, Outcome
from idp.services.authorization.consents import Shown
from idp.services.operations.housekeeping import Retention, purge
from idp.services.tokens.person import Holder, Place, told
from idp.storage import models
from idp.storage.models import (
    account_attribute_changes,
    account_attributes,
    audit_events,
    contact_email_proofs,
)
from idp.storage.repositories import accounts, attributes
from tests.services.test_email_address import present
from tests.support.builders import HOME, an_account, last_mail, mails
from tests.support.pages import mailed_token
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("PRO-2")
LOGIN = "zoe@example.fr"
CONTACT = "Lettres.Zoe@example.org"
OTHER = "zoe.ailleurs@example.org"


@pytest.fixture
def zoe(context: Context) -> Account:
    """Somebody."""
    return an_account(context, LOGIN)


def begin(context: Context, account: Account, email: str = CONTACT) -> Asked:
    """Give an address."""
    return contact_email.begin(context, account, EmailAddress(email, canonical(email)))


def asked(context: Context, account: Account, email: str = CONTACT) -> str:
    """Give an address; gives back the token of the mail."""
    assert begin(context, account, email) is Asked.MAILED
    return mailed_token(context, email)


def proven(context: Context, account: Account, email: str = CONTACT) -> str:
    """Give and prove an address; gives back the token of the mail."""
    token = asked(context, account, email)
    assert contact_email.prove(context, account, token) is Outcome.PROVEN
    return token


def in_force(context: Context, account: Account) -> str | None:
    """Read the address that is used."""
    return contact_email.known(context, account.account_id).proven


def rows(context: Context, table: Any, *where: Any) -> list[Any]:
    """Read a table."""
    with context.database.read() as connection:
        return list(connection.execute(select(table).where(*where)))


def history(context: Context) -> list[tuple[str | None, str | None, str]]:
    """Read what the address was and has become, and who changed it."""
    table = account_attribute_changes
    found = sorted(rows(context, table, table.c.name == CONTACT_EMAIL), key=lambda row: row.change_id)
    return [(row.old_value, row.new_value, row.changed_by) for row in found]


def changes_login(context: Context, account: Account, email: str) -> None:
    """Change the login address, by the code that is mailed to the new one."""
    here = present(context, account)
    begun = email_address.begin(context, account, EmailAddress(email, canonical(email)), address=HOME)
    assert isinstance(begun, email_address.Begun)
    code = next(mail for mail in reversed(mails(context)) if mail.event == "email_change_code").variables[
        "code"
    ]
    assert isinstance(email_address.prove_by_code(context, here, str(code)), email_address.Changed)


@pytest.mark.parametrize(
    "token", [None, "", "x", "mpl_" + "a" * 49], ids=["none", "empty", "malformed", "of nobody"]
)
def test_link_that_is_no_link_proves_nothing(context: Context, zoe: Account, token: str | None) -> None:
    """Nothing is said of what waits."""
    asked(context, zoe)

    assert contact_email.address_of_link(context, zoe.account_id, token) is None
    assert contact_email.prove(context, zoe, token) is Outcome.GONE
    assert in_force(context, zoe) is None


def test_link_of_another_account_is_refused_and_stays(context: Context, zoe: Account) -> None:
    """Whoever merely reads the mailbox gains nothing, and takes nothing from who asked (S-272)."""
    token = asked(context, zoe)
    reader = an_account(context, "reader@example.org")

    assert contact_email.address_of_link(context, reader.account_id, token) is None
    assert contact_email.prove(context, reader, token) is Outcome.GONE
    assert in_force(context, reader) is None
    assert contact_email.prove(context, zoe, token) is Outcome.PROVEN


def test_link_is_dead_after_a_week_and_goes(context: Context, zoe: Account, clock: SettableClock) -> None:
    """Nothing waits any more, and the address that was typed is not kept."""
    token = asked(context, zoe)
    clock.advance(days=LINK_LIFETIME.days)

    assert contact_email.waiting(context, zoe.account_id) is None
    assert contact_email.address_of_link(context, zoe.account_id, token) is None
    assert contact_email.prove(context, zoe, token) is Outcome.GONE
    assert contact_email.resend(context, zoe) is Asked.GONE
    clock.advance(seconds=1)
    gone = purge(context, Retention(timedelta(days=1)), lambda _: None)
    assert gone["contact_email_proofs"] == 1


@pytest.mark.parametrize("again", ["the same", "another", "sent again"])
def test_newer_link_voids_the_older(context: Context, zoe: Account, again: str) -> None:
    """One link serves at a time, whichever address it went to."""
    older = asked(context, zoe)
    if again == "sent again":
        assert contact_email.resend(context, zoe) is Asked.MAILED
        newer = mailed_token(context, CONTACT)
    else:
        newer = asked(context, zoe, CONTACT if again == "the same" else OTHER)

    assert contact_email.prove(context, zoe, older) is Outcome.GONE
    assert contact_email.prove(context, zoe, newer) is Outcome.PROVEN
    assert in_force(context, zoe) == (OTHER if again == "another" else CONTACT)


def test_link_used_twice_is_told_to_be_done_and_later_to_be_gone(
    context: Context, zoe: Account, clock: SettableClock
) -> None:
    """A double click is harmless: one change, one line, one notice."""
    token = proven(context, zoe)

    assert contact_email.prove(context, zoe, token) is Outcome.ALREADY_PROVEN
    clock.advance(minutes=11)
    assert contact_email.prove(context, zoe, token) is Outcome.GONE
    assert history(context) == [(None, CONTACT, "person")]
    assert [mail.event for mail in mails(context)] == ["contact_email_confirm", "contact_email_changed"]


def test_wish_that_is_given_up_leaves_what_is_proven(context: Context, zoe: Account) -> None:
    """The link of the mail is dead; there is nothing to send again."""
    proven(context, zoe)
    token = asked(context, zoe, OTHER)

    contact_email.give_up(context, zoe.account_id)
    contact_email.give_up(context, zoe.account_id)

    assert contact_email.resend(context, zoe) is Asked.GONE
    assert contact_email.address_of_link(context, zoe.account_id, token) is None
    assert in_force(context, zoe) == CONTACT


@pytest.mark.parametrize("email", [LOGIN, "ZOE@EXAMPLE.FR"])
def test_login_address_is_no_contact_address(context: Context, zoe: Account, email: str) -> None:
    """It is used already, however it is typed; no mail leaves."""
    assert begin(context, zoe, email) is Asked.LOGIN_ADDRESS
    assert mails(context) == []
    assert contact_email.waiting(context, zoe.account_id) is None


def test_address_that_is_proven_is_not_asked_for_again(context: Context, zoe: Account) -> None:
    """However it is typed: two spellings of one mailbox are one."""
    proven(context, zoe)

    assert begin(context, zoe, CONTACT.lower()) is Asked.SAME
    assert contact_email.waiting(context, zoe.account_id) is None


def test_nothing_counts_before_the_mail_is_answered(context: Context, zoe: Account) -> None:
    """The address stands apart from what is known of the person; the link is kept as a hash."""
    token = asked(context, zoe)

    (row,) = rows(context, contact_email_proofs)
    assert (row.email, bytes(row.link_hash)) == (CONTACT, digest(token))
    assert rows(context, account_attributes, account_attributes.c.name == CONTACT_EMAIL) == []
    assert contact_email.address_of_link(context, zoe.account_id, token) == CONTACT
    assert in_force(context, zoe) is None


@pytest.mark.rule("FC-6")
def test_proven_address_has_its_source_its_level_and_its_history(
    context: Context, zoe: Account, clock: SettableClock
) -> None:
    """It is stored as it was typed; the trail names the attribute and no value."""
    proven(context, zoe)

    with context.database.read() as connection:
        held = attributes.read(connection, zoe.account_id)[CONTACT_EMAIL]
    assert (held.value, held.source, held.level) == (CONTACT, Source.MAIL, Level.PROVEN)
    assert held.recorded_at == clock()
    assert history(context) == [(None, CONTACT, "person")]
    (event,) = rows(context, audit_events, audit_events.c.name == "contact_details.edited")
    assert event.details == {"attributes": [CONTACT_EMAIL]}
    assert rows(context, contact_email_proofs) == []


def test_notice_goes_to_the_mailbox_that_gets_no_more_letters(context: Context, zoe: Account) -> None:
    """The login address first, then what was replaced, then what was removed: one mail each time."""
    for email in (CONTACT, OTHER):
        proven(context, zoe, email)
    assert contact_email.remove(context, zoe)

    notices = [mail for mail in mails(context) if mail.event == "contact_email_changed"]
    assert [mail.to for mail in notices] == [LOGIN, CONTACT, OTHER]
    assert [mail.variables["is_removed"] for mail in notices] == [False, False, True]
    assert [mail.variables["is_login_address"] for mail in notices] == [True, False, False]


def test_address_is_removed_once(context: Context, zoe: Account, clock: SettableClock) -> None:
    """The history keeps what was; there is nothing to remove a second time."""
    proven(context, zoe)
    clock.advance(days=1)

    assert contact_email.remove(context, zoe)
    assert not contact_email.remove(context, zoe)
    assert in_force(context, zoe) is None
    assert history(context) == [(None, CONTACT, "person"), (CONTACT, None, "person")]


def test_mails_are_braked_for_each_person(context: Context, zoe: Account, clock: SettableClock) -> None:
    """Five within the hour, whatever the addresses; what waits stays."""
    for number in range(5):
        asked(context, zoe, f"zoe{number}@example.org")

    assert begin(context, zoe) is Asked.WAIT
    assert contact_email.resend(context, zoe) is Asked.WAIT
    waiting = contact_email.waiting(context, zoe.account_id)
    assert waiting is not None
    assert waiting.email == "zoe4@example.org"
    assert len(mails(context)) == 5
    clock.advance(hours=1)
    assert begin(context, zoe) is Asked.MAILED


def test_mails_are_braked_for_each_mailbox(context: Context, zoe: Account) -> None:
    """Nobody floods a stranger's mailbox by many accounts; the answer says nothing of whose it is."""
    for number in range(5):
        asked(context, an_account(context, f"someone{number}@example.org"))

    assert begin(context, zoe) is Asked.WAIT
    assert contact_email.waiting(context, zoe.account_id) is None


def test_answer_is_the_same_for_an_address_that_has_an_account(context: Context, zoe: Account) -> None:
    """Its mailbox gets the same mail, and its owner may use it for both accounts (ACC-5)."""
    an_account(context, "angela@example.org")

    proven(context, zoe, "angela@example.org")

    assert last_mail(context, "angela@example.org").event == "contact_email_confirm"
    with context.database.read() as connection:
        owner = accounts.by_email(connection, "angela@example.org")
    assert owner is not None
    assert owner.account_id != zoe.account_id


@pytest.mark.rule("LIF-4")
def test_account_that_is_gone_asks_and_proves_nothing(context: Context, zoe: Account) -> None:
    """The link in the mailbox leads nowhere."""
    token = asked(context, zoe)
    with context.database.write() as connection:
        connection.execute(delete(models.accounts).where(models.accounts.c.account_id == zoe.account_id))

    assert contact_email.prove(context, zoe, token) is Outcome.GONE
    assert begin(context, zoe) is Asked.GONE
    assert rows(context, contact_email_proofs) == []


@pytest.mark.rule("PRO-1")
@pytest.mark.parametrize("state", ["proven", "waiting"])
def test_contact_address_that_becomes_the_login_address_is_one_no_longer(
    context: Context, zoe: Account, state: str
) -> None:
    """It is distinct from the identifier; its mailbox goes on getting the letters, and nobody is told."""
    (proven if state == "proven" else asked)(context, zoe)

    changes_login(context, zoe, CONTACT.lower())

    assert contact_email.known(context, zoe.account_id) == contact_email.KnownContactEmail(None, None)
    lines = [(None, CONTACT, "person"), (CONTACT, None, "person")]
    assert sorted(history(context), key=str) == sorted(lines if state == "proven" else [], key=str)
    notices = [mail.to for mail in mails(context) if mail.event == "contact_email_changed"]
    assert notices == ([LOGIN] if state == "proven" else [])


@pytest.mark.rule("PRO-1")
def test_contact_address_stays_when_the_login_address_becomes_another(context: Context, zoe: Account) -> None:
    """What is proven, and what waits."""
    proven(context, zoe)
    asked(context, zoe, OTHER)

    changes_login(context, zoe, "zoe.dupont@example.org")

    known = contact_email.known(context, zoe.account_id)
    assert known.waiting is not None
    assert (known.proven, known.waiting.email) == (CONTACT, OTHER)


@pytest.mark.rule("PRO-1", "LOG-6")
def test_contact_address_that_an_undo_makes_the_login_address_goes(context: Context, zoe: Account) -> None:
    """Who changed the login address, and then had letters come to the old one, takes the change back."""
    changes_login(context, zoe, "zoe.dupont@example.org")
    undo = mailed_token(context, LOGIN)
    with context.database.read() as connection:
        renamed = accounts.by_id(connection, zoe.account_id)
    assert renamed is not None
    proven(context, renamed, LOGIN)

    assert isinstance(email_address.undo(context, undo), email_address.Undone)
    assert in_force(context, zoe) is None


@pytest.mark.rule("PRO-7")
def test_lists_are_read_with_the_contact_address_once_it_is_proven(
    database: Database, clock: SettableClock
) -> None:
    """While a change waits the former one goes on; and it is noted which of the two was told (PRI-2)."""
    provider = a_provider(database, clock)
    context, zoe = provider.context, provider.an_account(LOGIN)
    news = Newsletter("news", {"fr": "Actualités"}, {"fr": "Ce qui change."})
    owner = provider.a_client(newsletters=(news,)).client
    newsletters.subscribe(context, zoe, owner.client_id, "news")
    newsletters.confirm(context, mailed_token(context, LOGIN), Shown("Je m’abonne.", "fr", "mail"))

    def told_address() -> str:
        page = newsletters.subscribers(context, owner, "news", after=b"", limit=10)
        assert page is not None
        return page.subscribers[0].email

    asked(context, zoe)
    assert told_address() == LOGIN
    proven(context, zoe)
    asked(context, zoe, OTHER)
    assert told_address() == CONTACT
    contact_email.remove(context, zoe)
    assert told_address() == LOGIN
    assert newsletters.address_of(context, zoe) == LOGIN
    context.disclosures.flush(database)
    names = {tuple(sorted(row.claims.split())) for row in rows(context, models.disclosures)}
    assert names == {("email", "language"), (CONTACT_EMAIL, "language")}


def test_subscription_is_confirmed_where_its_letters_will_go(
    database: Database, clock: SettableClock
) -> None:
    """Who reads the letters agrees to them."""
    provider = a_provider(database, clock)
    context, zoe = provider.context, provider.an_account(LOGIN)
    news = Newsletter("news", {"fr": "Actualités"}, {"fr": "Ce qui change."})
    owner = provider.a_client(newsletters=(news,)).client
    proven(context, zoe)

    newsletters.subscribe(context, zoe, owner.client_id, "news")

    assert last_mail(context).to == CONTACT


def test_login_tells_nothing_of_the_contact_address(database: Database, clock: SettableClock) -> None:
    """The claim `email` is the login address; the contact address is no claim, and moves no date that is one."""
    provider = a_provider(database, clock)
    context, zoe = provider.context, provider.an_account(LOGIN, given_name="Zoé")
    family = TokenFamily(
        family_id="family",
        client_id=provider.a_client().client_id,
        account_id=zoe.account_id,
        consent_id=None,
        session_id=None,
        subject="subject",
        scopes=frozenset({"openid"}),
        claims=GrantedClaims(),
        nonce=None,
        auth_time=0,
        acr=None,
        amr=(),
        created_at=clock(),
        expires_at=clock(),
    )

    def claims() -> dict[str, Any]:
        place = Place(("email", "given_name", "updated_at", "certification", CONTACT_EMAIL), ())
        with database.read() as connection:
            return told(connection, family, place, Holder(zoe.account_id, zoe.email, zoe.language))

    before = claims()
    clock.advance(days=1)
    proven(context, zoe)

    assert claims() == before
    assert before["email"] == LOGIN
    assert CONTACT_EMAIL not in before
