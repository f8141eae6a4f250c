"""Whatever is called in whatever order, FranceConnect or an approved unlink alone change a locked value (FC-2, FC-6).

Two accounts and one identity that both want, on each kind of database: the identity form, contact details, sign-up,
logins through FranceConnect with the same and with another civil status, links under the same and another subject,
requests to unlink and what managers make of them, the administrator's other acts, writes of the repository that
read too early, statements of a console, and two connections at the same instant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.domain.civil_identity import LOCKED, PIVOT, PIVOT_ORDER, USAGE_NAME, Attribute, Level, Source
from idp.domain.email_address import parse
from idp.domain.errors import ThrottledUntil
from idp.services.account import contact_details, franceconnect_link, profile, securing, signup, unlinking
from idp.services.operations import unlinking as queue
from idp.services.sign_in import linking
from idp.services.sign_in.federated import FirstTime, LinkComparison, Purpose, SignedIn
from idp.storage.engine import open_database
from idp.storage.models import account_attribute_changes, account_attributes
from idp.storage.repositories import accounts, attributes
from tests.support.builders import HOME, PASSWORD, an_account, last_mail
from tests.support.franceconnect import IDENTITY
from tests.support.journeys import Journeys, journeys_on
from tests.support.race import race

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Executable

    from idp.domain.account import Account
    from tests.support.clock import SettableClock

NAMES = st.sampled_from([*sorted(LOCKED), USAGE_NAME, "idp_birthdate", "email", "level", "phone_number"])
VALUES = st.one_of(
    st.sampled_from(
        ["", "DUBOIS", "Dupont", "female", "male", "1962-08-24", "1990-01-01", "75107", "99100", "[]"]
    ),
    st.text(max_size=12),
)
FORMS = st.dictionaries(NAMES, VALUES, max_size=4)
#: What civil status changes, what the identity provider says, and what FranceConnect never changes.
CHANGES = st.sampled_from(
    [
        {},
        {"given_name": "Angela", "given_name_array": ["Angela"]},
        {"given_name": "Marie Ange Claire", "given_name_array": ["Marie Ange", "Claire"]},
        {"given_name": "Marie Ange Claire", "given_name_array": ["Marie", "Ange Claire"]},
        {"gender": "unspecified"},
        {"preferred_username": "King, Countess of Lovelace"},
        {"birthdate": "1962-08-25"},
        {"birthplace": "", "birthcountry": "99217"},
    ]
)
SUFFIXES = st.sampled_from(["", "", "-NOUVEAU"])
STATEMENTS = ("lower", "other source", "other value", "away", "renamed", "moved")


class Lock(RuleBasedStateMachine):
    """Does what people, managers, administrators and other programs do.

    The model is one mapping: what is locked, as FranceConnect last said it; None while nothing is.
    """

    journeys: ClassVar[Journeys]
    numbers: ClassVar[Iterator[int]]

    @initialize(is_linked=st.booleans())
    def begin(self, is_linked: bool) -> None:  # noqa: FBT001 - drawn
        """Two people with accounts, one of whom may be certified."""
        number = next(self.numbers)
        letters = "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
        self.context = self.journeys.context
        self.person = an_account(self.context, f"person{number}@example.fr")
        self.rival = an_account(self.context, f"rival{number}@example.fr")
        self.browser, self.other_browser = number.to_bytes(32), (number + (1 << 200)).to_bytes(32)
        self.family_name, self.subject = f"DUBOIS {letters}", f"{number:064x}v1"
        self.other_subject = f"{number + (1 << 200):064x}v1"
        self.locked: dict[str, str] | None = None
        self.floor: dict[str, int] = {}
        self.history: set[str] = set()
        self.authors: frozenset[str] = frozenset()
        self.request_id = "nothing"
        if is_linked:
            self.links({}, "", as_other_subject=False)

    # What the model knows

    def comes(self, changes: Mapping[str, Any], suffix: str, *, subject: str | None = None) -> dict[str, Any]:
        """Say who FranceConnect will send."""
        claims = {
            **IDENTITY,
            "family_name": self.family_name + suffix,
            **changes,
            "sub": subject or self.subject,
        }
        self.journeys.answers(**claims)
        return claims

    def note(self, outcome: object, claims: Mapping[str, Any]) -> None:
        """A login through FranceConnect says what is locked; nothing else that comes of it does."""
        if isinstance(outcome, SignedIn) and outcome.arrived.account.account_id == self.person.account_id:
            self.locked = {name: claims[name] for name in PIVOT_ORDER}
            self.locked["given_name_array"] = json.dumps(claims["given_name_array"], ensure_ascii=False)
            self.authors = frozenset({"franceconnect"})

    @property
    def is_locked(self) -> bool:
        """Whether FranceConnect vouches for the person."""
        return self.locked is not None

    # What people do

    @rule(form=FORMS)
    def declares(self, form: dict[str, str]) -> None:
        """The identity form, whatever is in it."""
        outcome = profile.declare(self.context, self.person.account_id, form)

        if self.is_locked:
            assert not (isinstance(outcome, profile.Saved) and self.would_change(form)), form

    def would_change(self, form: Mapping[str, str]) -> bool:
        """Tell whether a form holds a locked name with another value than the locked one."""
        posted = {name: form[name] for name in PIVOT & form.keys() - {"birthplace", "birthcountry"}}
        return any(value.split() != (self.locked or {})[name].split() for name, value in posted.items())

    @rule(form=FORMS)
    def gives_contact_details(self, form: dict[str, str]) -> None:
        """The other form, with fields that are not its own."""
        edition = contact_details.known_contact_details(self.context, self.person.account_id).edition
        typed = {"phone_number": "+33142764040"} | form
        contact_details.declare(self.context, self.person.account_id, typed, edition=edition)

    @rule(changes=CHANGES, suffix=SUFFIXES)
    def comes_by_franceconnect(self, changes: dict[str, Any], suffix: str) -> None:
        """A login: refreshed when linked, refused with other birth data, asked otherwise."""
        claims = self.comes(changes, suffix)
        self.note(self.journeys.go(browser=self.browser), claims)

    @rule(changes=CHANGES, suffix=SUFFIXES, as_other_subject=st.booleans())
    def links(self, changes: dict[str, Any], suffix: str, *, as_other_subject: bool) -> None:
        """A link from the identity page, compared and confirmed."""
        claims = self.comes(changes, suffix, subject=self.other_subject if as_other_subject else None)
        account = self.known(self.person)
        came = self.journeys.go(Purpose.LINK, account, browser=self.browser)
        self.note(came, claims)
        if not isinstance(came, LinkComparison):
            return
        self.confirms(claims)

    def confirms(self, claims: Mapping[str, Any]) -> None:
        """The button under the comparison."""
        confirmed = franceconnect_link.confirm_link(
            self.context, self.known(self.person), None, self.browser, visit=self.journeys.visit
        )
        self.note(confirmed, claims)

    @rule(changes=CHANGES, as_other_subject=st.booleans())
    def links_by_password(self, changes: dict[str, Any], *, as_other_subject: bool) -> None:
        """A first visit through FranceConnect, and the password of the account."""
        claims = self.comes(changes, "", subject=self.other_subject if as_other_subject else None)
        came = self.journeys.go(browser=self.browser)
        self.note(came, claims)
        if not isinstance(came, FirstTime):
            return
        outcome = linking.link_with_password(
            self.context,
            self.person.email,
            PASSWORD,
            address=HOME,
            browser_hash=self.browser,
            visit=self.journeys.visit,
        )
        self.note(outcome, claims)
        if isinstance(outcome, linking.ToCompare):
            self.confirms(claims)

    @rule()
    def begins_to_link(self) -> None:
        """A comparison that is cancelled."""
        claims = self.comes({}, "")
        self.note(self.journeys.go(Purpose.LINK, self.known(self.person), browser=self.browser), claims)
        franceconnect_link.cancel(self.context, Purpose.LINK, None, self.browser)

    @rule(as_other_subject=st.booleans())
    def rival_links(self, *, as_other_subject: bool) -> None:
        """Somebody else wants the identity of this account."""
        self.comes({}, "", subject=self.other_subject if as_other_subject else None)
        rival = self.known(self.rival)
        self.journeys.go(Purpose.LINK, rival, browser=self.other_browser)
        franceconnect_link.confirm_link(
            self.context, rival, None, self.other_browser, visit=self.journeys.visit
        )

    @rule(form=FORMS)
    def signs_up_again(self, form: dict[str, str]) -> None:
        """A sign-up by mail with the address of the account, and another identity."""
        address = parse(self.person.email)
        assert address is not None
        begun = signup.begin(
            self.context, address, browser_hash=self.other_browser, address=HOME, language="fr"
        )
        if not isinstance(begun, signup.Begun):
            return
        code = last_mail(self.context, self.person.email).variables.get("code", "0")
        signup.prove_by_code(self.context, begun.handle, self.other_browser, code)
        details = signup.Details(password=PASSWORD, identity=form, accepts_terms=True)
        signup.complete(
            self.context,
            begun.handle,
            self.other_browser,
            details,
            language="fr",
            visit=self.journeys.visit,
        )

    @rule(way=st.sampled_from(["ask", "ask", "withdraw"]))
    def asks_to_be_unlinked(self, way: str) -> None:
        """A request alone changes nothing."""
        account = self.known(self.person)
        if way == "withdraw":
            unlinking.withdraw(self.context, account)
            return
        with suppress(ThrottledUntil):
            asked = unlinking.ask(self.context, account, "Ce n’est pas moi.")
            if isinstance(asked, unlinking.Asked):
                self.request_id = asked.request.request_id

    # What the city's staff do

    @rule(is_approved=st.booleans())
    def manager_decides(self, *, is_approved: bool) -> None:
        """An approval, and nothing else, gives the values back to the person."""
        if not is_approved:
            queue.refuse(self.context, self.request_id, by="ana", reason="non")
            return
        was_locked = self.is_locked
        outcome = queue.approve(self.context, self.request_id, by="ana")

        if isinstance(outcome, queue.Approved):
            assert was_locked
            self.locked, self.floor, self.authors = None, {}, frozenset({"administrator"})
            sources = {one.source for one in self.read().values()}
            assert Source.FRANCECONNECT not in sources

    @rule()
    def administrator_locks_and_unlocks_the_account(self) -> None:
        """The other lock has nothing to do with this one."""
        securing.lock(self.context, self.person.account_id, "essai")
        claims = self.comes({}, "-BLOQUÉ")
        self.note(self.journeys.go(browser=self.browser), claims)
        securing.unlock(self.context, self.person.account_id)

    # What other programs do

    @rule(
        name=st.sampled_from(sorted(LOCKED)),
        level=st.sampled_from([Level.DECLARED, Level.PROVEN]),
        is_stale=st.booleans(),
        is_removed=st.booleans(),
    )
    @precondition(lambda self: self.is_locked)
    def repository_writes(self, name: str, level: Level, *, is_stale: bool, is_removed: bool) -> None:
        """A writer that read too early, or that means to lower: told no, and nothing is written."""
        source = Source.DECLARED if level is Level.DECLARED else Source.MAIL
        written = Attribute(name, "Dupont", source, level, self.context.clock())
        known = {name: written} if is_stale else self.read()
        after = {key: one for key, one in known.items() if key != name}
        if not is_removed:
            after[name] = (
                written if not is_stale else Attribute(name, "Durand", source, level, written.recorded_at)
            )

        blocked: str | None = None
        # Without the triggers the repository refuses by itself; removing what is certified, they do.
        with suppress(IntegrityError), self.context.database.write() as connection:
            blocked = attributes.write(
                connection,
                self.person.account_id,
                known,
                after,
                changed_by="person",
                now=self.context.clock(),
            )

        assert blocked == name or (is_removed and not is_stale)

    @rule(way=st.sampled_from(STATEMENTS), name=st.sampled_from(sorted(LOCKED)))
    @precondition(lambda self: self.is_locked)
    def console_writes(self, way: str, name: str) -> None:
        """A statement of somebody who has the database's password: its triggers refuse."""
        with (
            pytest.raises(IntegrityError, match="FC-2"),
            self.context.database.write() as connection,
        ):
            connection.execute(self.statement(way, name))

    def statement(self, way: str, name: str) -> Executable:
        """Write a statement that takes a locked value away, or makes another of it."""
        mine: tuple[ColumnElement[bool], ...] = (
            account_attributes.c.account_id == self.person.account_id,
            account_attributes.c.name == name,
        )
        change = update(account_attributes).where(*mine)
        return {
            "lower": change.values(level=250),
            "other source": change.values(source="declared"),
            "other value": change.values(value="Dupont", source="mail", level=600),
            "away": delete(account_attributes).where(*mine),
            "renamed": change.values(name="nickname"),
            "moved": change.values(account_id=self.rival.account_id),
        }[way]

    @rule(form=FORMS, changes=CHANGES, suffix=SUFFIXES)
    def two_at_once(self, form: dict[str, str], changes: dict[str, Any], suffix: str) -> None:
        """FranceConnect and the form at the same instant, each by a connection of its own."""
        claims = self.comes(changes, suffix)
        purpose, account = (
            (Purpose.SIGN_IN, None) if self.is_locked else (Purpose.LINK, self.known(self.person))
        )
        state = self.journeys.leave(purpose, account, browser=self.browser)

        def comes_back() -> object:
            return self.journeys.come_back(state, account=account, browser=self.browser)

        def declares() -> object:
            return profile.declare(self.context, self.person.account_id, form)

        came, _ = race(comes_back, declares)
        self.note(came, claims)
        if isinstance(came, LinkComparison):
            confirmed, _ = race(
                lambda: franceconnect_link.confirm_link(
                    self.context, self.known(self.person), None, self.browser, visit=self.journeys.visit
                ),
                declares,
            )
            self.note(confirmed, claims)
            # Whichever was first: the person may have said something just before.
            self.authors |= {"person"}

    # What must hold

    @invariant()
    def locked_values_are_those_that_franceconnect_said(self) -> None:
        """All of them, at the highest level, or the model says that nothing is locked."""
        known = self.read()
        certified = {name for name, one in known.items() if one.level >= Level.FRANCECONNECT}
        if self.locked is None:
            assert not certified
            return
        assert {name: known[name].value for name in self.locked} == self.locked
        assert certified == set(LOCKED)
        assert {known[name].source for name in LOCKED} == {Source.FRANCECONNECT}

    @invariant()
    def no_proven_level_goes_down(self) -> None:
        """Nor does a value that was proven go away; an approved unlink starts anew."""
        known = self.read()
        for name, level in self.floor.items():
            if level > Level.DECLARED:
                assert name in known, name
                assert known[name].level >= level, name
        self.floor = {name: one.level for name, one in known.items()}

    @invariant()
    def history_says_who(self) -> None:
        """No locked value changed without a line of history by who may change it."""
        with self.context.database.read() as connection:
            lines = connection.execute(
                select(account_attribute_changes).where(
                    account_attribute_changes.c.account_id == self.person.account_id
                )
            ).all()
        new = [line for line in lines if line.change_id not in self.history]
        self.history |= {line.change_id for line in new}
        if self.is_locked or "administrator" in self.authors:
            authors = {line.changed_by for line in new if line.name in LOCKED}
            assert authors <= self.authors, authors
        self.authors = frozenset()
        known = self.read()
        for name in LOCKED:
            said = [line for line in lines if line.name == name]
            latest = [line for line in said if line.changed_at == max(one.changed_at for one in said)]
            value = known[name].value if name in known else None
            assert value in {line.new_value for line in latest} or (value is None and not said)
        self.context_clock.advance(seconds=2)

    # Tools

    @property
    def context_clock(self) -> SettableClock:
        """The time, to move."""
        return self.journeys.forged.clock

    def read(self) -> dict[str, Attribute]:
        """Read what is known of the person."""
        with self.context.database.read() as connection:
            return attributes.read(connection, self.person.account_id)

    def known(self, account: Account) -> Account:
        """Read an account again."""
        with self.context.database.read() as connection:
            found = accounts.by_id(connection, account.account_id)
        assert found is not None
        return found


@pytest.mark.rule("FC-2", "FC-3", "FC-5", "FC-6", "ACC-6")
def test_no_sequence_of_calls_changes_what_is_locked(database_url: str, clock: SettableClock) -> None:
    """Nothing but a login through FranceConnect or an approved unlink does; the history says who did."""
    database = open_database(database_url)

    class LockHere(Lock):
        journeys = journeys_on(database, clock)
        numbers = count(1)

    run(
        LockHere,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    database.dispose()
