"""Services that want certified identity, with the simulator, on both databases (FC-6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from idp.crypto import jwt
from idp.domain.client import ClaimUse
from idp.storage.engine import Database
from tests.support.builders import an_account
from tests.support.certified import ANGELA, BORN, CONTRACT, asked_in, verified
from tests.support.franceconnect_pages import pages_on
from tests.support.provider import answer_of, pending_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock
    from tests.support.franceconnect_pages import Pages
    from tests.support.provider import Service

EVIDENCE = [{"type": {"value": "electronic_record"}, "record": {"type": None, "source": {"name": None}}}]
ESSENTIAL = asked_in(
    "userinfo", verified() | {"claims": {"family_name": {"essential": True}, "birthdate": None}}
)


@pytest.fixture
def both(database: Database, clock: SettableClock) -> Iterator[Pages]:
    """Our application and the simulator; the test runs once on each kind of database."""
    with pages_on(database, clock) as pages:
        yield pages


def a_person_by_password(pages: Pages) -> FlaskClient:
    """Sign in somebody whose account is linked to nothing."""
    return pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())


def told(pages: Pages, service: Service, parameters: dict[str, str]) -> dict[str, Any]:
    """Redeem an answer; gives what UserInfo says."""
    assert "code" in parameters, parameters
    tokens = pages.provider.redeem(service, parameters["code"]).json
    claims: dict[str, Any] = pages.provider.userinfo(tokens["access_token"]).json or {}
    return claims


@pytest.mark.rule("FC-6", "FC-8")
def test_whole_identity_of_a_login_through_franceconnect(both: Pages, clock: SettableClock) -> None:
    """Everything that is certified, in both places, with the date of this very login."""
    both.sign_up(both.browser())
    clock.advance(days=3)
    service = both.provider.a_client(claims=CONTRACT)
    element = verified(*ANGELA, "place_of_birth", assurance_level=None, time=None, evidence=EVIDENCE)
    claims = json.dumps({"userinfo": {"verified_claims": element}, "id_token": {"verified_claims": element}})
    browser = both.browser()
    asked = both.provider.authorize(browser, service, claims=claims)

    answer = answer_of(both.go(browser, f"/franceconnect/login?pending={pending_of(asked.location)}"))

    tokens = both.provider.redeem(service, answer["code"]).json
    keys = both.provider.context.keys.keyring().public_keys()
    found = both.provider.userinfo(tokens["access_token"]).json["verified_claims"]
    assert found == jwt.verified_claims(tokens["id_token"], keys)["verified_claims"]
    assert found["claims"] == ANGELA | {"place_of_birth": BORN}
    assert found["verification"]["time"] == clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["verification"]["assurance_level"] == "low"


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "is_required", [False, True], ids=["essential in the request", "required by contract"]
)
def test_person_by_password_is_led_through_franceconnect_inside_the_request(
    both: Pages, *, is_required: bool
) -> None:
    """Both sides are proven, the request goes on, and the service reads what is certified."""
    service = both.provider.a_client(
        claims=(
            ClaimUse("family_name", {"fr": "x"}, required=is_required),
            ClaimUse("birthdate", {"fr": "x"}),
        )
    )
    browser = a_person_by_password(both)
    wanted = asked_in("userinfo", verified("family_name", "birthdate")) if is_required else ESSENTIAL
    asked = both.provider.authorize(browser, service, claims=wanted)
    assert urlsplit(asked.location).path == "/step-up"
    back = both.go(browser, f"/franceconnect/login?pending={pending_of(asked.location)}")

    answer = both.post(browser, back.location, decision="confirm")

    found = told(both, service, answer_of(answer))["verified_claims"]
    assert found["claims"] == {"family_name": "DUBOIS", "birthdate": "1962-08-24"}


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("choice, expected", [("without", "code"), ("refuse", "error")])
def test_person_may_go_on_without_certified_identity(both: Pages, choice: str, expected: str) -> None:
    """The service gets an answer without it; or its access_denied, when the person says so."""
    service = both.provider.a_client(claims=CONTRACT)
    browser = a_person_by_password(both)
    asked = both.provider.authorize(browser, service, claims=ESSENTIAL)
    assert "Continuer sans FranceConnect" in browser.get(asked.location).text

    answer = answer_of(both.post(browser, asked.location, choice=choice))

    assert expected in answer
    if choice == "without":
        assert told(both, service, answer).keys() == {"sub"}


@pytest.mark.rule("FC-6", "LOG-4")
@pytest.mark.parametrize(
    "claims, prompt",
    [(asked_in("userinfo", verified("family_name")), None), (ESSENTIAL, "none")],
    ids=["voluntary", "in silence"],
)
def test_nobody_is_sent_to_franceconnect_for_a_wish_or_in_silence(
    both: Pages, claims: str, prompt: str | None
) -> None:
    """The answer comes at once, without what is not certified."""
    service = both.provider.a_client(claims=CONTRACT)
    browser = a_person_by_password(both)

    answer = answer_of(both.provider.authorize(browser, service, claims=claims, prompt=prompt))

    assert told(both, service, answer).keys() == {"sub"}


@pytest.mark.rule("FC-2", "FC-6")
def test_address_and_usage_name_are_never_verified(both: Pages) -> None:
    """They come from the identity provider: told plainly with their level, and never as verified."""
    both.sign_up(both.browser(), login="avec_nom_dusage")
    uses = tuple(ClaimUse(name, {"fr": "x"}) for name in ("email", "preferred_username", "family_name"))
    service = both.provider.a_client(claims=uses)
    claims = asked_in(
        "userinfo",
        verified("email", "preferred_username", "family_name"),
        email=None,
        preferred_username=None,
        certification=None,
    )
    browser = both.browser()
    asked = both.provider.authorize(browser, service, claims=claims)

    back = both.go(
        browser, f"/franceconnect/login?pending={pending_of(asked.location)}", login="avec_nom_dusage"
    )

    found = told(both, service, answer_of(back))
    assert found["verified_claims"]["claims"].keys() == {"family_name"}
    assert found["certification"]["email"] == {"level": 250, "source": "mail"}
    assert found["certification"]["preferred_username"]["level"] == 100
