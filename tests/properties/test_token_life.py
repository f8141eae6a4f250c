"""Codes, tokens, refreshes, revocations in any order: alive is what a model says, and nothing else (OID-2).

Four services do it: one with a secret, an app, an app whose tokens are bound to a key (RFC 9449), and one whose tokens
are for an API (RFC 8707), which alone can say whether they live.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

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
from idp.storage.engine import open_database
from tests.support.builders import CONFIRMED
from tests.support.clock import SettableClock
from tests.support.dpop import ProofMaker
from tests.support.provider import Provider, Service, a_provider, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from tests.support.databases import Databases

OFFLINE = "openid offline_access"
API = "https://api.example.org/"


class Number(IntEnum):
    """The services that are not like the others."""

    BOUND = 2
    FOR_API = 3


SERVICES = len(Number) + 2


@dataclass
class Family:
    """What the model knows of one authorization."""

    number: int
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
        self.browser = self.provider.signed_in(self.person)
        self.services = [
            self.provider.a_client(consent_required=True),
            self.provider.a_client(is_public=True),
            self.provider.a_client(is_public=True, dpop_bound_access_tokens=True),
            self.provider.a_client(consent_required=True, resources=(API,)),
        ]
        self.api = self.provider.a_client(resource_identifier=API)
        self.key, self.thiefs_key = ProofMaker(self.clock), ProofMaker(self.clock)
        self.known: list[Family] = []

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock().timestamp() - self.start

    def bring(self, number: int, key: ProofMaker | None = None, **form: str) -> TestResponse:
        """Send a form to /token, with a proof when the service's tokens are bound or a key is given."""
        headers, proof = self.services[number].authentication()
        if number == Number.BOUND or key is not None:
            headers = headers | {"DPoP": (key or self.key).proof()}
        return self.provider.back_channel.post("/token", data=proof | form, headers=headers)

    def redeemed(self, number: int, code: str) -> TestResponse:
        """Bring a code."""
        service = self.services[number]
        return self.bring(
            number,
            grant_type="authorization_code",
            code=code,
            redirect_uri=service.callback,
            code_verifier=service.verifier,
        )

    def refreshed(self, number: int, token: str, key: ProofMaker | None = None) -> TestResponse:
        """Bring a refresh token."""
        return self.bring(number, key, grant_type="refresh_token", refresh_token=token)

    def lives(self, family: Family, token: str) -> bool:
        """Ask whoever the token is for."""
        match family.number:
            case Number.FOR_API:
                return bool(self.provider.introspect(self.api, token)["active"])
            case Number.BOUND:
                proof = self.key.proof("/userinfo", method="GET", access_token=token)
                headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
                return self.provider.back_channel.get("/userinfo", headers=headers).status_code == 200
            case _:
                return self.provider.userinfo(token).status_code == 200

    @rule(target=families, number=st.integers(0, SERVICES - 1))
    def authorize(self, number: int) -> Any:
        """A service gets a code."""
        service = self.services[number]
        asked = {Number.FOR_API: {"resource": API}, Number.BOUND: {"dpop_jkt": self.key.jkt}}.get(number, {})
        answer = self.provider.authorize(self.browser, service, scope=OFFLINE, **asked)
        if "/consent" in answer.headers.get("Location", ""):
            answer = self.provider.consent(self.browser, answer.location)
        family = Family(number, service, answer_of(answer)["code"], self.now + 60)
        self.known.append(family)
        return family

    @rule(target=families, number=st.integers(0, SERVICES - 1))
    def sign_in(self, number: int) -> Any:
        """A service gets a code, and brings it at once: most do."""
        family = self.authorize(number)
        self.redeem(family)
        return family

    @rule(family=families)
    def redeem(self, family: Family) -> None:
        """The code is brought, for the first time or again."""
        answer = self.redeemed(family.number, family.code)
        is_good = family.is_alive and not family.is_redeemed and self.now < family.ends
        assert (answer.status_code == 200) is is_good
        if family.is_redeemed:
            family.is_alive = False
        family.is_redeemed = True
        if is_good:
            family.access_tokens[answer.json["access_token"]] = self.now + 300
            family.refresh_tokens.append(answer.json["refresh_token"])

    @rule(family=families, numbers=st.lists(st.sampled_from([0, 0, 0, 1, 1, 5]), min_size=1, max_size=4))
    def refresh(self, family: Family, numbers: list[int]) -> None:
        """Refresh tokens are brought, the newest or older ones."""
        for number in numbers:
            if family.refresh_tokens:
                self.refresh_once(family, number)

    def refresh_once(self, family: Family, number: int) -> None:
        """The newest refresh token is brought, or one that so many have followed."""
        token = family.refresh_tokens[max(0, len(family.refresh_tokens) - 1 - number)]
        answer = self.refreshed(family.number, token)
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

    @rule(number=st.integers(0, SERVICES - 1))
    def withdraw(self, number: int) -> None:
        """The person takes the consent back."""
        service = self.services[number]
        consents.withdraw(self.provider.context, self.person.account_id, service.client_id, CONFIRMED)
        for family in self.known:
            if family.service is service:
                family.is_alive = False

    @rule(family=families, number=st.integers(0, SERVICES - 1))
    def steal(self, family: Family, number: int) -> None:
        """Another client tries what is not its own: nothing is given, and nothing changes."""
        thief = self.services[number]
        if thief is family.service:
            return
        assert self.redeemed(number, family.code).status_code == 400
        if family.newest is not None:
            assert self.refreshed(number, family.newest).status_code == 400
            self.provider.post("/revoke", thief, token=family.newest)

    @rule(family=families, number=st.integers(0, 5))
    def steal_from_the_bound(self, family: Family, number: int) -> None:
        """Who has tokens of the third service without its key gets nothing, and ends nothing."""
        if family.number != Number.BOUND or not family.refresh_tokens:
            return
        token = family.refresh_tokens[max(0, len(family.refresh_tokens) - 1 - number)]
        assert self.refreshed(Number.BOUND, token, self.thiefs_key).status_code == 400
        assert self.provider.refresh(family.service, token).status_code == 400
        assert self.provider.userinfo(next(iter(family.access_tokens))).status_code == 401

    @rule(seconds=st.sampled_from([1, 9, 10, 61, 299, 300]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds=seconds)

    @invariant()
    def alive_is_what_the_model_says(self) -> None:
        """Every access token answers, or does not, as the model says."""
        for family in getattr(self, "known", []):
            for token, ends in family.access_tokens.items():
                assert self.lives(family, token) is (family.is_alive and self.now < ends)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def moving_provider(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Provider]:
    """A provider whose clock the lives move on, on each kind of database."""
    with databases.new(request.param) as url:
        opened = open_database(url)
        yield a_provider(opened, SettableClock())
        opened.dispose()


@pytest.mark.rule("OID-1", "OID-2", "OID-5", "CON-4")
def test_tokens_live_as_the_model_says(moving_provider: Provider) -> None:
    """Thirty lives of twenty-five acts."""
    machine = type("Life", (TokenLife,), {"provider": moving_provider})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
