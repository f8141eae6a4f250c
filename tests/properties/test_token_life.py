"""Codes, tokens, refreshes, revocations in any order: alive is what a model says, and nothing else (OID-2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from idp.services.authorization import consents
from tests.support.clock import SettableClock
from tests.support.provider import Provider, Service, answer_of

OFFLINE = "openid offline_access"


@dataclass
class Family:
    """What the model knows of one authorization."""

    service: Service
    code: str
    ends: float
    is_alive: bool = True
    is_redeemed: bool = False
    access_tokens: dict[str, float] = field(default_factory=dict)
    refresh_tokens: list[str] = field(default_factory=list)
    used_at: dict[str, float] = field(default_factory=dict)

    @property
    def newest(self) -> str | None:
        """The refresh token that has no successor yet."""
        return self.refresh_tokens[-1] if self.refresh_tokens else None


class TokenLife(RuleBasedStateMachine):
    """Does what services, people and thieves do."""

    provider: ClassVar[Provider]
    families = Bundle("families")

    @initialize()
    def begin(self) -> None:
        """Somebody new, with a server's client and an app."""
        self.clock: SettableClock = self.provider.clock
        self.start = self.clock().timestamp()
        self.person = self.provider.an_account()
        self.services = [
            self.provider.a_client(consent_required=True),
            self.provider.a_client(is_public=True),
        ]
        self.known: list[Family] = []

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock().timestamp() - self.start

    @rule(target=families, number=st.integers(0, 1))
    def authorize(self, number: int) -> Any:
        """A service gets a code."""
        service = self.services[number]
        browser = self.provider.signed_in(self.person)
        answer = self.provider.authorize(browser, service, scope=OFFLINE)
        if "/consent" in answer.headers.get("Location", ""):
            answer = self.provider.consent(browser, answer.location)
        family = Family(service, answer_of(answer)["code"], self.now + 60)
        self.known.append(family)
        return family

    @rule(family=families)
    def redeem(self, family: Family) -> None:
        """The code is brought, for the first time or again."""
        answer = self.provider.redeem(family.service, family.code)
        is_good = family.is_alive and not family.is_redeemed and self.now < family.ends
        assert (answer.status_code == 200) is is_good
        if family.is_redeemed:
            family.is_alive = False
        family.is_redeemed = True
        if is_good:
            family.access_tokens[answer.json["access_token"]] = self.now + 300
            family.refresh_tokens.append(answer.json["refresh_token"])

    @rule(family=families, number=st.integers(0, 5))
    def refresh(self, family: Family, number: int) -> None:
        """A refresh token is brought, the newest or an older one."""
        if not family.refresh_tokens:
            return
        token = family.refresh_tokens[max(0, len(family.refresh_tokens) - 1 - number)]
        answer = self.provider.refresh(family.service, token)
        newest, previous = token == family.newest, token in family.refresh_tokens[-2:-1]
        is_retry = previous and self.now < family.used_at.get(token, 0) + 10
        is_good = family.is_alive and (newest or is_retry)
        assert (answer.status_code == 200) is is_good, (number, answer.text)
        if not newest and not is_retry:
            family.is_alive = False
        if is_good:
            family.access_tokens[answer.json["access_token"]] = self.now + 300
            if answer.json["refresh_token"] not in family.refresh_tokens:
                assert family.service.client.is_public
                family.used_at[token] = self.now
                family.refresh_tokens.append(answer.json["refresh_token"])

    @rule(family=families)
    def revoke_refresh_token(self, family: Family) -> None:
        """The service gives everything back."""
        if family.newest is not None:
            assert self.provider.post("/revoke", family.service, token=family.newest).status_code == 200
            family.is_alive = False

    @rule(family=families)
    def revoke_access_token(self, family: Family) -> None:
        """The service gives one access token back."""
        if family.access_tokens:
            token = next(iter(family.access_tokens))
            self.provider.post("/revoke", family.service, token=token)
            family.access_tokens[token] = 0

    @rule(number=st.integers(0, 1))
    def withdraw(self, number: int) -> None:
        """The person takes the consent back."""
        service = self.services[number]
        consents.withdraw(self.provider.context, self.person.account_id, service.client_id)
        for family in self.known:
            if family.service is service:
                family.is_alive = False

    @rule(family=families, number=st.integers(0, 1))
    def steal(self, family: Family, number: int) -> None:
        """Another client tries what is not its own: nothing is given, and nothing changes."""
        thief = self.services[number]
        if thief is family.service:
            return
        assert self.provider.redeem(thief, family.code).status_code == 400
        if family.newest is not None:
            assert self.provider.refresh(thief, family.newest).status_code == 400
            self.provider.post("/revoke", thief, token=family.newest)

    @rule(seconds=st.sampled_from([1, 9, 10, 61, 299, 300]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds=seconds)

    @invariant()
    def alive_is_what_the_model_says(self) -> None:
        """Every access token answers, or does not, as the model says."""
        for family in getattr(self, "known", []):
            for token, ends in family.access_tokens.items():
                lives = family.is_alive and self.now < ends
                assert (self.provider.userinfo(token).status_code == 200) is lives


@pytest.mark.rule("OID-1", "OID-2", "CON-4")
def test_tokens_live_as_the_model_says(patient_provider: Provider) -> None:
    """Thirty lives of twenty-five acts."""
    machine = type("Life", (TokenLife,), {"provider": patient_provider})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
