"""Subscriptions: asked, confirmed once by a mail, ended by one click, read by its service (PRO-7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from idp.domain.account import AccountState
from idp.domain.newsletters import CONFIRMATION_LIFETIME, Newsletter
from idp.services.account import newsletters
from idp.services.account.newsletters import Asked
from idp.services.authorization.consents import Shown
from idp.services.clients import registry
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.models import accounts, audit_events, ledger_entries, newsletter_subscriptions
from tests.support.builders import mails
from tests.support.pages import mailed_token
from tests.support.provider import a_provider
from tests.support.race import race

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-7")

NEWS = Newsletter(
    "news",
    {"fr": "Actualités", "en": "News"},
    {"fr": "Ce qui change.", "en": "What changes."},
)
SHOWN = Shown("Je m’abonne.", "fr", "mail")


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider on an empty database."""
    return a_provider(database, clock)


@pytest.fixture
def context(provider: Provider) -> Context:
    """Its parts."""
    return provider.context


@pytest.fixture
def owner(provider: Provider) -> Client:
    """A service with a list."""
    return an_owner(provider)


@pytest.fixture
def zoe(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account("zoe@example.fr")


def an_owner(provider: Provider, **fields: Any) -> Client:
    """Register a service with a list."""
    service = provider.a_client(**{"newsletters": (NEWS,), "policy_version": "3"} | fields)
    return service.client


def asked(context: Context, account: Account, client: Client) -> str:
    """Ask for the list; gives the token of the mail."""
    outcome = newsletters.subscribe(context, account, client.client_id, "news")
    assert outcome is Asked.MAILED
    return mailed_token(context)


def subscribed(context: Context, account: Account, client: Client) -> str:
    """Subscribe; gives the token of the mail."""
    token = asked(context, account, client)
    assert newsletters.confirm(context, token, SHOWN) is not None
    return token


def read(context: Context, client: Client, *, limit: int = 500, after: bytes = b"") -> newsletters.Page:
    """Read the list as its service does."""
    page = newsletters.subscribers(context, client, "news", after=after, limit=limit)
    assert page is not None
    return page


def letter_token(context: Context, client: Client) -> str:
    """Give the token of the letters of the only subscriber."""
    return read(context, client).subscribers[0].unsubscribe_url.partition("token=")[2]


def acts(context: Context) -> list[Any]:
    """Read the ledger's acts about lists."""
    statement = select(ledger_entries).order_by(ledger_entries.c.entry_id)
    with context.database.read() as connection:
        rows = connection.execute(statement).all()
    return [row for row in rows if "newsletter" in (row.details or {})]


def test_nothing_counts_before_the_mail_is_answered(context: Context, owner: Client, zoe: Account) -> None:
    """Double opt-in: neither the service nor the ledger hears of a mere wish."""
    asked(context, zoe, owner)

    assert read(context, owner).subscribers == ()
    assert acts(context) == []
    assert newsletters.of_account(context, zoe.account_id)[0].is_waiting


@pytest.mark.parametrize("name", ["other", ""])
def test_list_that_there_is_not_is_not_subscribed_to(
    context: Context, owner: Client, zoe: Account, name: str
) -> None:
    """No mail leaves."""
    outcome = newsletters.subscribe(context, zoe, owner.client_id, name)

    assert (outcome, mails(context)) == (Asked.UNKNOWN, [])


def test_list_of_a_closed_service_is_neither_offered_nor_confirmed(
    context: Context, owner: Client, zoe: Account
) -> None:
    """A mail that is answered too late for its service changes nothing."""
    token = asked(context, zoe, owner)
    registry.disable(context, owner.client_id)

    again = newsletters.subscribe(context, zoe, owner.client_id, "news")
    assert again is Asked.UNKNOWN
    assert newsletters.of_confirmation(context, token) is None
    assert newsletters.confirm(context, token, SHOWN) is None


def test_confirmation_enters_the_ledger_with_the_words_that_were_shown(
    context: Context, owner: Client, zoe: Account
) -> None:
    """Who, which list, which version of the policy, which words, how (CON-5)."""
    subscribed(context, zoe, owner)

    (act,) = acts(context)
    assert (act.matter, act.act, act.channel, act.client_id) == (
        "consent",
        "given",
        "mail",
        owner.client_id,
    )
    assert (act.document["name"], act.document["version"]) == ("news", "3")


def test_link_confirms_once_however_often_it_is_pressed(
    context: Context, owner: Client, zoe: Account
) -> None:
    """Eight at once: one entry; each of them is told that it is done."""
    token = asked(context, zoe, owner)

    outcomes = race(*[lambda: newsletters.confirm(context, token, SHOWN)] * 8)

    assert all(one is not None and one.subscription.is_confirmed for one in outcomes)
    assert len(acts(context)) == 1


def test_link_is_dead_after_a_week_and_goes(
    context: Context, owner: Client, zoe: Account, clock: SettableClock
) -> None:
    """Nobody stays on a list that they never confirmed, nor in our records of it."""
    token = asked(context, zoe, owner)
    clock.advance(seconds=CONFIRMATION_LIFETIME.total_seconds())

    assert newsletters.confirm(context, token, SHOWN) is None
    clock.advance(seconds=1)
    gone = purge(context, Retention(timedelta(days=1)), lambda _: None)
    assert gone["newsletter_subscriptions"] == 1


def test_purge_leaves_confirmed_subscriptions(
    context: Context, owner: Client, zoe: Account, clock: SettableClock
) -> None:
    """They end by their person's word alone."""
    subscribed(context, zoe, owner)
    clock.advance(seconds=40 * 24 * 3600)

    purge(context, Retention(timedelta(days=1)), lambda _: None)

    assert len(read(context, owner).subscribers) == 1


def test_newer_link_voids_the_older(context: Context, owner: Client, zoe: Account) -> None:
    """One link at a time."""
    older = asked(context, zoe, owner)
    newer = asked(context, zoe, owner)

    assert newsletters.confirm(context, older, SHOWN) is None
    assert newsletters.confirm(context, newer, SHOWN) is not None


def test_subscriber_who_asks_again_gets_no_mail(context: Context, owner: Client, zoe: Account) -> None:
    """There is nothing to confirm."""
    subscribed(context, zoe, owner)
    before = len(mails(context))

    outcome = newsletters.subscribe(context, zoe, owner.client_id, "news")

    assert (outcome, len(mails(context))) == (Asked.SUBSCRIBED, before)


def test_mails_are_braked(context: Context, owner: Client, zoe: Account) -> None:
    """Twenty in a day."""
    for _ in range(20):
        asked(context, zoe, owner)

    outcome = newsletters.subscribe(context, zoe, owner.client_id, "news")

    assert outcome is Asked.WAIT


def test_locked_account_confirms_nothing(context: Context, owner: Client, zoe: Account) -> None:
    """LOG-6."""
    token = asked(context, zoe, owner)
    change(context, zoe, state=AccountState.LOCKED)

    assert newsletters.confirm(context, token, SHOWN) is None


@pytest.mark.rule("PRI-4")
@pytest.mark.parametrize("how", ["locked", "limited"])
def test_service_reads_nobody_who_is_locked_or_limited(
    context: Context, owner: Client, zoe: Account, how: str
) -> None:
    """Nothing is told of them as long as this lasts; the subscription waits."""
    subscribed(context, zoe, owner)
    fields = {"state": AccountState.LOCKED} if how == "locked" else {"limited_at": context.clock()}

    change(context, zoe, **fields)

    assert read(context, owner).subscribers == ()


@pytest.mark.rule("CON-6", "PRI-2")
def test_service_reads_its_own_subject_the_address_and_is_noted(
    context: Context, provider: Provider, owner: Client, zoe: Account
) -> None:
    """Another service with a list of the same name reads nothing."""
    other = an_owner(provider)
    subscribed(context, zoe, owner)

    (told,) = read(context, owner).subscribers
    context.disclosures.flush(context.database)

    assert (told.email, told.language) == ("zoe@example.fr", "fr")
    assert zoe.account_id not in told.subject + told.unsubscribe_url
    assert read(context, other).subscribers == ()
    assert newsletters.subscribers(context, other, "none", after=b"", limit=1) is None


def test_pages_hold_each_subscriber_once_even_when_one_leaves_meanwhile(
    context: Context, provider: Provider, owner: Client
) -> None:
    """The next page begins after a place, not after a person."""
    people = [provider.an_account() for _ in range(5)]
    for person in people:
        subscribed(context, person, owner)

    first = read(context, owner, limit=2)
    left = first.subscribers[-1].unsubscribe_url.partition("token=")[2]
    newsletters.unsubscribe_by_letter(context, left, SHOWN)
    assert first.next is not None
    second = read(context, owner, limit=2, after=first.next)
    assert second.next is not None
    third = read(context, owner, limit=2, after=second.next)

    found = [one.email for page in (first, second, third) for one in page.subscribers]
    assert sorted(found) == sorted(person.email for person in people)
    assert third.next is None


@pytest.mark.spec("RFC 8058", "3.1", "MUST")
def test_letter_ends_the_subscription_once_without_a_login(
    context: Context, owner: Client, zoe: Account
) -> None:
    """The token alone names list and person; what follows finds nothing left, and the ledger has one end."""
    subscribed(context, zoe, owner)
    token = letter_token(context, owner)

    assert newsletters.of_letter(context, token) is not None
    assert newsletters.unsubscribe_by_letter(context, token, SHOWN)
    assert not newsletters.unsubscribe_by_letter(context, token, SHOWN)
    assert newsletters.of_letter(context, token) is None
    assert sorted(act.act for act in acts(context)) == ["given", "withdrawn"]
    assert read(context, owner).subscribers == ()


@pytest.mark.parametrize("token", [None, "", "mpl_x", "é"])
def test_token_that_is_none_of_ours_does_nothing(context: Context, token: str | None) -> None:
    """Neither link takes anything else."""
    assert newsletters.of_confirmation(context, token) is None
    assert newsletters.confirm(context, token, SHOWN) is None
    assert newsletters.of_letter(context, token) is None
    assert not newsletters.unsubscribe_by_letter(context, token, SHOWN)


def test_link_of_a_letter_stays_the_same_for_whoever_comes_back(
    context: Context, owner: Client, zoe: Account
) -> None:
    """An old letter still ends what was begun anew."""
    subscribed(context, zoe, owner)
    before = letter_token(context, owner)
    newsletters.unsubscribe(context, zoe.account_id, owner.client_id, "news", SHOWN)
    subscribed(context, zoe, owner)

    assert letter_token(context, owner) == before
    assert rows(context) == 1


def test_wish_that_is_taken_back_leaves_no_trace_in_the_ledger(
    context: Context, owner: Client, zoe: Account
) -> None:
    """Nothing was agreed to; the link of the mail is dead."""
    token = asked(context, zoe, owner)

    assert newsletters.unsubscribe(context, zoe.account_id, owner.client_id, "news", SHOWN)

    assert newsletters.confirm(context, token, SHOWN) is None
    assert acts(context) == []
    assert rows(context) == 0


def test_list_that_its_service_took_away_can_still_be_left(
    context: Context, provider: Provider, zoe: Account
) -> None:
    """It is shown by its name, for leaving alone."""
    service = provider.a_client(newsletters=(NEWS,))
    subscribed(context, zoe, service.client)
    provider.change(service, newsletters=())

    (listed,) = newsletters.of_account(context, zoe.account_id)

    assert (listed.name, listed.newsletter) == ("news", None)
    assert newsletters.unsubscribe(context, zoe.account_id, service.client_id, "news", SHOWN)


def test_trail_has_both_ends(context: Context, owner: Client, zoe: Account) -> None:
    """Who runs the place can see them."""
    subscribed(context, zoe, owner)
    newsletters.unsubscribe(context, zoe.account_id, owner.client_id, "news", SHOWN)

    with context.database.read() as connection:
        names = connection.scalars(select(audit_events.c.name)).all()
    assert {"newsletter.subscribed", "newsletter.unsubscribed"} <= set(names)


def change(context: Context, account: Account, **values: Any) -> None:
    """Change a row of an account."""
    with context.database.write() as connection:
        connection.execute(
            update(accounts).where(accounts.c.account_id == account.account_id).values(**values)
        )


def rows(context: Context) -> int:
    """Count the subscriptions that are kept."""
    with context.database.read() as connection:
        return len(connection.execute(select(newsletter_subscriptions)).all())
