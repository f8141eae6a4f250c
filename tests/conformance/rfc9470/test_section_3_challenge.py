"""RFC 9470: UserInfo asks for a fresher or stronger login; introspection tells APIs what they need to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from idp.domain.authentication import ACR_EIDAS1, ACR_PASSWORD
from idp.storage.models import token_families
from idp.storage.repositories import tokens
from tests.support.dpop import ProofMaker, a_code, redeem, userinfo

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


def assert_challenged(answer: TestResponse, **expected: str) -> None:
    """Say that a better login is asked for, and which."""
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert answer.json["error"] == "insufficient_user_authentication"
    assert 'error="insufficient_user_authentication"' in challenge
    for name, value in expected.items():
        assert f'{name}="{value}"' in challenge
    for name in {"acr_values", "max_age"} - expected.keys():
        assert name not in challenge


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9470", "3", "MUST")
def test_login_that_is_too_weak_is_challenged_with_the_level(lasting_provider: Provider) -> None:
    """A password, where an administrator wants FranceConnect."""
    service = lasting_provider.a_client(userinfo_acr=ACR_EIDAS1)
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    assert_challenged(lasting_provider.userinfo(token), acr_values=ACR_EIDAS1)


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9470", "3", "MUST")
def test_login_that_is_too_old_is_challenged_with_the_age(provider: Provider, clock: SettableClock) -> None:
    """Counted from the login, not from the token; refreshing makes it no younger."""
    service = provider.a_client(userinfo_max_age=120)
    tokens = provider.tokens(provider.signed_in(), service, scope="openid offline_access")

    clock.advance(seconds=120)
    fresh = provider.userinfo(tokens["access_token"])
    clock.advance(seconds=1)
    old = provider.userinfo(tokens["access_token"])
    refreshed = provider.userinfo(provider.refresh(service, tokens["refresh_token"]).json["access_token"])

    assert fresh.status_code == 200
    assert_challenged(old, max_age="120")
    assert_challenged(refreshed, max_age="120")


@pytest.mark.spec("RFC 9470", "3", "MAY")
def test_challenge_names_both_when_both_are_wanted(lasting_provider: Provider) -> None:
    """A client that comes again with one of them would come twice."""
    service = lasting_provider.a_client(userinfo_acr=ACR_EIDAS1, userinfo_max_age=600)
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    assert_challenged(lasting_provider.userinfo(token), acr_values=ACR_EIDAS1, max_age="600")


@pytest.mark.spec("RFC 9470", "3", "MUST")
def test_bound_token_is_challenged_in_its_scheme(lasting_provider: Provider) -> None:
    """After its proof: nothing is told to who has none."""
    service = lasting_provider.a_client(userinfo_acr=ACR_EIDAS1)
    key = ProofMaker(lasting_provider.clock)
    token = redeem(lasting_provider, service, a_code(lasting_provider, service), key.proof()).json[
        "access_token"
    ]

    proven = userinfo(lasting_provider, token, key.proof("/userinfo", method="GET", access_token=token))
    without = userinfo(lasting_provider, token, None)

    assert_challenged(proven, acr_values=ACR_EIDAS1)
    assert proven.headers["WWW-Authenticate"].startswith("DPoP ")
    assert without.json["error"] == "invalid_dpop_proof"


@pytest.mark.spec("RFC 9470", "3", "MUST")
@pytest.mark.parametrize(
    "reached, wanted, status",
    [
        (ACR_PASSWORD, ACR_PASSWORD, 200),
        (ACR_EIDAS1, ACR_PASSWORD, 200),
        (ACR_EIDAS1, ACR_EIDAS1, 200),
        (None, ACR_PASSWORD, 401),
        ("other", ACR_PASSWORD, 401),
        (ACR_EIDAS1, "other", 401),
        ("other", "other", 200),
    ],
)
def test_level_that_is_reached_or_passed_is_enough(
    lasting_provider: Provider, reached: str | None, wanted: str, status: int
) -> None:
    """Levels that are not ours are compared as they stand."""
    service = lasting_provider.a_client(userinfo_acr=wanted)
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]
    let_the_level_be(lasting_provider, service.client_id, reached)

    assert lasting_provider.userinfo(token).status_code == status


@pytest.mark.spec("RFC 9470", "6.2", "OPTIONAL")
def test_api_is_told_when_and_how_surely(lasting_provider: Provider) -> None:
    """It makes its own challenge of it."""
    service = lasting_provider.a_client()
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    about = lasting_provider.introspect(service, token)

    assert (about["acr"], about["auth_time"]) == (ACR_PASSWORD, int(lasting_provider.clock().timestamp()))


def let_the_level_be(provider: Provider, client_id: str, acr: str | None) -> None:
    """Write another level into the grants of a client."""
    with provider.context.database.write() as connection:
        of_client = token_families.c.client_id == client_id
        family_id: Any = connection.scalar(select(token_families.c.family_id).where(of_client))
        family = tokens.find_family(connection, family_id)
        assert family is not None
        connection.execute(update(token_families).where(of_client).values(grant=replace(family, acr=acr)))
