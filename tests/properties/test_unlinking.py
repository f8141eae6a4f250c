"""Always true: an identity is certified while it is linked, and what was decided of a request stands (FC-5).

A person asks and withdraws, managers approve and refuse whatever they find, FranceConnect certifies again, in any
order: a model says what is open, linked and certified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from idp.domain.civil_identity import PIVOT, CivilIdentity, Gender, apply_certified, is_locked
from idp.services.account import profile, unlinking
from idp.services.account.profile import Locked, Saved
from idp.services.account.unlinking import Asked, NotLinked
from idp.services.operations import unlinking as manager
from idp.services.operations.unlinking import AlreadyDecided, Approved, Refused
from idp.storage.models import unlink_requests
from idp.storage.repositories import attributes, franceconnect
from tests.support.certified import ANGELA, a_certified_account
from tests.support.unlinking import links_of

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.provider import Provider

IDENTITY = CivilIdentity(
    given_names=tuple(ANGELA["given_name"].split()),
    birth_name=ANGELA["family_name"],
    birthdate=ANGELA["birthdate"],
    gender=Gender(ANGELA["gender"]),
    birthplace=ANGELA["birthplace"],
    birthcountry=ANGELA["birthcountry"],
)
_PICK = st.integers(min_value=0, max_value=20)


class Unlinking(RuleBasedStateMachine):
    """One account, and all that is asked and decided about it."""

    provider: ClassVar[Provider]

    def __init__(self) -> None:
        super().__init__()
        self.account: Account = a_certified_account(self.provider)
        self.is_linked = True
        self.open: str | None = None
        self.decided: dict[str, Any] = {}

    @rule(message=st.text(alphabet="é a\n'", max_size=20))
    def ask(self, message: str) -> None:
        """Ask, linked or not, with a request open or not; the brake of a day is another test's."""
        self.provider.clock.advance(hours=6)
        outcome = unlinking.ask(self.provider.context, self.account, message)
        if not self.is_linked:
            assert outcome == NotLinked()
            return
        assert isinstance(outcome, Asked)
        assert self.open in {None, outcome.request.request_id}
        self.open = outcome.request.request_id

    @rule()
    def withdraw(self) -> None:
        """Take it back, if there is something."""
        assert unlinking.withdraw(self.provider.context, self.account) is (self.open is not None)
        self._close()

    @precondition(lambda self: self.decided or self.open)
    @rule(pick=_PICK, approves=st.booleans())
    def decide(self, pick: int, approves: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Decide about any request that ever was."""
        known = [*self.decided, *([self.open] if self.open else [])]
        request_id = known[pick % len(known)]
        context = self.provider.context
        outcome = (
            manager.approve(context, request_id, by="claire")
            if approves
            else manager.refuse(context, request_id, by="claire", reason="Non.")
        )
        if request_id != self.open:
            assert isinstance(outcome, AlreadyDecided)
            return
        assert isinstance(outcome, Approved if approves else Refused)
        self.is_linked = not approves
        self._close()

    @precondition(lambda self: not self.is_linked)
    @rule()
    def link(self) -> None:
        """Link the very same identity again, as a confirmed comparison does."""
        now, account_id = self.provider.clock(), self.account.account_id
        (former, *_) = links_of(self.provider, self.account)
        number = len(links_of(self.provider, self.account))
        with self.provider.context.database.write() as connection:
            link = franceconnect.Link(
                f"{account_id}-{number}", account_id, former.upstream_subject, former.pivot_hash
            )
            assert franceconnect.create_link(connection, link, now)
            before = attributes.read(connection, account_id)
            after, _ = apply_certified(before, IDENTITY, now)
            blocked = attributes.write(
                connection, account_id, before, after, changed_by="franceconnect", now=now
            )
        assert blocked is None
        self.is_linked = True

    @rule(name=st.sampled_from(["Dubois", "Martin"]))
    def edit(self, name: str) -> None:
        """Send the form of the identity page."""
        outcome = profile.declare(self.provider.context, self.account.account_id, {"family_name": name})
        assert isinstance(outcome, Locked if self.is_linked else Saved)

    @invariant()
    def certified_means_linked(self) -> None:
        """All six at 600, or all that is left at 100."""
        with self.provider.context.database.read() as connection:
            known = attributes.read(connection, self.account.account_id)
            links = franceconnect.links_of_account(connection, self.account.account_id)
        assert bool(links) is self.is_linked
        assert is_locked(known) is self.is_linked
        assert {known[name].level for name in PIVOT if name in known} == {600 if self.is_linked else 100}

    @invariant()
    def decisions_stand(self) -> None:
        """At most one is open, and a closed one never changes."""
        rows = self._rows()
        assert [name for name, row in rows.items() if row.state == "open"] == (
            [self.open] if self.open else []
        )
        assert {name: rows[name] for name in self.decided} == self.decided

    def _close(self) -> None:
        if self.open is not None:
            self.decided[self.open] = self._rows()[self.open]
        self.open = None

    def _rows(self) -> dict[str, Any]:
        statement = select(unlink_requests).where(unlink_requests.c.account_id == self.account.account_id)
        with self.provider.context.database.read() as connection:
            return {row.request_id: row for row in connection.execute(statement)}


@pytest.mark.rule("FC-5", "FC-2", "FC-6")
def test_identity_is_certified_while_linked_whatever_is_asked_and_decided(patient_provider: Provider) -> None:
    """Any order of acts: the model and the database agree after each of them."""
    Unlinking.provider = patient_provider

    run_state_machine_as_test(
        Unlinking,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
