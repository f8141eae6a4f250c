"""Several requests at the same instant: callbacks, first accounts, certified values."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import pytest
from sqlalchemy import func, select

from idp.domain.email_address import parse
from idp.services.account import franceconnect_link, profile, signup
from idp.services.account.profile import Locked, Saved
from idp.services.authorization import terms
from idp.services.sign_in import federated, linking
from idp.services.sign_in.arrival import Arrived
from idp.services.sign_in.federated import Doubled, Purpose
from idp.services.sign_in.portals import FRANCECONNECT, FRANCECONNECT_PLUS, Choice
from idp.storage.models import account_attribute_changes, accounts, franceconnect_links
from idp.storage.repositories import attributes
from tests.support.builders import HOME, PASSWORD, an_account, last_mail
from tests.support.franceconnect import SUBJECT, ForgedFranceConnect
from tests.support.journeys import BROWSER, Journeys, journeys_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Table

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

THREADS = 16
ROUNDS = 20
Result = TypeVar("Result")


class InstantPasswords:
    """Hashes at once: sixteen real hashes a round would measure nothing but Argon2id."""

    def generate(self) -> str:
        """Give a hash that no password has."""
        return "x"


@pytest.fixture
def journeys(database: Database, clock: SettableClock) -> Journeys:
    """The use cases, with a FranceConnect that answers what the test says."""
    return journeys_on(database, clock, passwords=InstantPasswords())


def at_once(acts: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run acts in threads that start together."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Result]) -> Result:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def rows(journeys: Journeys, table: Table, *conditions: Any) -> int:
    """Count the rows of a table."""
    statement = select(func.count()).select_from(table).where(*conditions)
    with journeys.context.database.read() as connection:
        return connection.scalar(statement) or 0


@pytest.mark.rule("FC-1")
def test_one_of_sixteen_callbacks_does_the_work(journeys: Journeys) -> None:
    """One UPDATE decides: the code is exchanged once, the others are told."""
    journeys.person()
    for _ in range(ROUNDS):
        state = journeys.leave()
        asked = journeys.forged.asked.count("/token")

        outcomes = at_once([lambda state=state: journeys.come_back(state)] * THREADS)  # type: ignore[misc]

        assert [type(one) for one in outcomes].count(federated.SignedIn) == 1
        assert [type(one) for one in outcomes].count(Doubled) == THREADS - 1
        assert journeys.forged.asked.count("/token") == asked + 1


@pytest.mark.rule("ACC-6", "FC-3")
def test_sixteen_first_accounts_of_one_identity_are_one_account(journeys: Journeys) -> None:
    """One identity in sixteen browsers with sixteen proven addresses: one account, one link, no error page."""
    for number in range(ROUNDS):
        journeys.answers(sub=f"{number:064x}v1", family_name=f"DUBOIS{chr(65 + number)}")
        browsers = [bytes([number, thread]) * 16 for thread in range(THREADS)]
        handles = [
            proven(journeys, f"personne{number}-{thread}@example.fr", browser)
            for thread, browser in enumerate(browsers)
        ]

        outcomes = at_once(
            [
                lambda handle=handle, browser=browser: journeys.finish(handle, browser=browser)  # type: ignore[misc]
                for handle, browser in zip(handles, browsers, strict=True)
            ]
        )

        assert all(isinstance(one, Arrived) for one in outcomes), outcomes
        assert len({one.account.account_id for one in outcomes if isinstance(one, Arrived)}) == 1
        assert rows(journeys, accounts) == number + 1
        assert rows(journeys, franceconnect_links) == number + 1


@pytest.mark.rule("ACC-5", "ACC-6")
def test_sixteen_first_accounts_of_one_address_are_one_account(journeys: Journeys) -> None:
    """Sixteen clicks on one sign-up: one account."""
    for number in range(ROUNDS):
        journeys.answers(sub=f"{number:064x}v1", family_name=f"DURAND{chr(65 + number)}")
        handle = proven(journeys, f"personne{number}@example.fr", BROWSER)

        outcomes = at_once([lambda handle=handle: journeys.finish(handle)] * THREADS)  # type: ignore[misc]

        assert [type(one) for one in outcomes].count(Arrived) == 1
        assert [type(one) for one in outcomes].count(signup.Gone) == THREADS - 1
        assert rows(journeys, accounts) == number + 1


@pytest.mark.rule("ACC-6")
def test_one_identity_is_linked_to_one_of_sixteen_accounts(journeys: Journeys) -> None:
    """Sixteen accounts confirm the same identity at the same instant: one gets it."""
    for number in range(ROUNDS):
        journeys.answers(sub=f"{number:064x}v1", family_name=f"PETIT{chr(65 + number)}")
        people = [
            (an_account(journeys.context, f"p{number}-{thread}@example.fr"), bytes([number, thread]) * 16)
            for thread in range(THREADS)
        ]
        for account, browser in people:
            journeys.go(Purpose.LINK, account, browser=browser)

        outcomes = at_once(
            [
                lambda account=account, browser=browser: franceconnect_link.confirm_link(  # type: ignore[misc]
                    journeys.context, account, None, browser, visit=journeys.visit
                )
                for account, browser in people
            ]
        )

        assert [type(one) for one in outcomes].count(federated.SignedIn) == 1
        assert rows(journeys, franceconnect_links) == number + 1


@pytest.mark.rule("ACC-6", "FC-3")
def test_one_identity_is_linked_to_one_of_two_accounts_at_two_portals(
    journeys: Journeys, clock: SettableClock
) -> None:
    """One person's identity, confirmed for two accounts at the same instant, each through another portal."""
    plus = ForgedFranceConnect(clock, issuer="https://fcplus.example/api/v2")
    context = replace(journeys.context, franceconnect_plus=plus.client(acr_values="eidas2"))
    both = Journeys(context, journeys.forged, journeys.visit, plus)
    choices = {FRANCECONNECT: None, FRANCECONNECT_PLUS: Choice(FRANCECONNECT_PLUS)}
    for number in range(ROUNDS):
        name = {"family_name": f"ROUX{chr(65 + number)}"}
        both.answers(sub=f"{number:064x}v1", **name)
        plus.id_token = {"acr": "eidas2", "sub": f"{number + 500:064x}v1"}
        plus.userinfo = {"sub": f"{number + 500:064x}v1", **name}
        people = []
        for portal, choice in choices.items():
            account = an_account(context, f"r{number}-{portal.replace('_', '-')}@example.fr")
            browser = bytes([number, len(portal)]) * 16
            both.go(Purpose.LINK, account, browser=browser, portal=choice)
            people.append((account, browser))

        outcomes = at_once(
            [
                lambda account=account, browser=browser: franceconnect_link.confirm_link(  # type: ignore[misc]
                    context, account, None, browser, visit=both.visit
                )
                for account, browser in people
            ]
        )

        assert [type(one) for one in outcomes].count(federated.SignedIn) == 1, outcomes
        assert rows(both, franceconnect_links) == number + 1


@pytest.mark.rule("FC-4", "ACC-6")
def test_one_account_linked_in_two_ways_at_once_is_linked_once(
    database: Database, clock: SettableClock
) -> None:
    """By the password in one tab, by the comparison in another: one link, and nobody waits for somebody who waits."""
    journeys = journeys_on(database, clock)
    for number in range(ROUNDS):
        journeys.answers(sub=f"{number:064x}v1", family_name=f"BLANC{chr(65 + number)}")
        account = an_account(journeys.context, f"b{number}@example.fr")
        tabs = bytes([number, 1]) * 16, bytes([number, 2]) * 16
        journeys.go(browser=tabs[0])
        journeys.go(Purpose.LINK, account, browser=tabs[1])

        def by_password(account: Account = account, browser: bytes = tabs[0]) -> object:
            return linking.link_with_password(
                journeys.context,
                account.email,
                PASSWORD,
                address=HOME,
                browser_hash=browser,
                visit=journeys.visit,
            )

        def by_comparison(account: Account = account, browser: bytes = tabs[1]) -> object:
            return franceconnect_link.confirm_link(
                journeys.context, account, None, browser, visit=journeys.visit
            )

        outcomes = at_once([by_password, by_comparison])

        # Whoever came second finds the link, and is in as well.
        assert all(isinstance(one, federated.SignedIn) for one in outcomes), outcomes
        assert rows(journeys, franceconnect_links) == number + 1


@pytest.mark.rule("FC-2", "FC-6")
def test_declared_write_never_survives_a_certification(journeys: Journeys) -> None:
    """Forms posted while FranceConnect certifies: in the end every certified value stands."""
    for number in range(ROUNDS):
        account = an_account(journeys.context, f"zoe{number}@example.fr")
        journeys.answers(sub=f"{number:064x}v1", family_name=f"MOREL{chr(65 + number)}")
        journeys.go(Purpose.LINK, account)
        forms = [{"family_name": f"Autre{chr(65 + n)}", "given_name": "Zoé"} for n in range(THREADS - 1)]

        def confirm(account: Any = account) -> object:
            return franceconnect_link.confirm_link(
                journeys.context, account, None, BROWSER, visit=journeys.visit
            )

        outcomes = at_once(
            [
                confirm,
                *(
                    lambda form=form, account=account: profile.declare(  # type: ignore[misc]
                        journeys.context, account.account_id, form
                    )
                    for form in forms
                ),
            ]
        )

        assert isinstance(outcomes[0], federated.SignedIn)
        assert all(isinstance(one, Saved | Locked) for one in outcomes[1:])
        with journeys.context.database.read() as connection:
            known = attributes.read(connection, account.account_id)
        assert known["family_name"].value == f"MOREL{chr(65 + number)}"
        assert {one.level for name, one in known.items() if name != "preferred_username"} == {600}


@pytest.mark.rule("FC-3")
def test_parallel_logins_record_a_change_once(journeys: Journeys) -> None:
    """A changed name in sixteen tabs: one line of history, one mail."""
    journeys.person(sub=SUBJECT)
    first = rows(journeys, account_attribute_changes)
    journeys.answers(sub=SUBJECT, family_name="DURAND")
    states = [journeys.leave() for _ in range(THREADS)]

    outcomes = at_once([lambda state=state: journeys.come_back(state) for state in states])  # type: ignore[misc]

    assert all(isinstance(one, federated.SignedIn) for one in outcomes), outcomes
    assert rows(journeys, account_attribute_changes) == first + 1


def proven(journeys: Journeys, email: str, browser: bytes) -> str:
    """Prepare a sign-up whose address is proven."""
    # So that the mail of this sign-up is the last one.
    journeys.forged.clock.advance(seconds=1)
    journeys.go(browser=browser)
    address = parse(email)
    assert address is not None
    begun = franceconnect_link.begin_signup(
        journeys.context,
        address,
        terms.in_force(journeys.context, "fr"),
        browser_hash=browser,
        # A network of its own for each: the brake on sign-ups is another test's.
        address=str(IPv4Address(crc32(email.encode()))),
        language="fr",
        pending_id=None,
        service_name=None,
    )
    assert isinstance(begun, signup.Begun), begun
    signup.prove_by_code(
        journeys.context, begun.handle, browser, last_mail(journeys.context).variables["code"]
    )
    return begun.handle
