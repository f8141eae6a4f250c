"""RFC 8628 sections 3.4 and 3.5: what a device hears when it asks for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from tests.support.devices import GRANT_TYPE, a_device
from tests.support.dpop import ProofMaker, with_proof
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import SettableClock
    from tests.support.devices import Device
    from tests.support.provider import Provider


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application, whose clock the tests move."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


def error_of(device: Device) -> str:
    """Ask for tokens; give the error."""
    answer = device.polls()
    assert answer.status_code == 400, answer.text
    return str(answer.json["error"])


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_hears_that_its_person_has_not_answered(provider: Provider) -> None:
    """As long as it takes, at the pace it was told."""
    device = a_device(provider)

    for _ in range(4):
        assert error_of(device) == "authorization_pending"
        device.waits()


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_that_asks_too_often_has_to_slow_down_for_good(provider: Provider) -> None:
    """Five seconds more for this and every later request, each time; another device keeps its own pace."""
    device, other = a_device(provider), a_device(provider)
    assert error_of(device) == "authorization_pending"

    assert error_of(device) == "slow_down"
    device.waits()
    assert error_of(device) == "slow_down"
    provider.clock.advance(seconds=15)

    assert error_of(device) == "authorization_pending"
    provider.clock.advance(seconds=10)
    assert error_of(device) == "slow_down"
    assert error_of(other) == "authorization_pending"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_hears_that_its_person_refused(provider: Provider) -> None:
    """However often it asks."""
    device = a_device(provider)
    device.is_answered("deny")

    assert error_of(device) == "access_denied"
    assert error_of(device) == "access_denied"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
@pytest.mark.parametrize("answered", [True, False])
def test_device_hears_that_its_codes_have_expired(provider: Provider, *, answered: bool) -> None:
    """Even when the person allowed it in time and the device came back too late."""
    device = a_device(provider)
    if answered:
        device.is_answered()
    provider.clock.advance(seconds=device.answer["expires_in"])

    assert error_of(device) == "expired_token"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
@pytest.mark.parametrize("code", ["x", "mpv_" + "a" * 49, "mpc_" + "a" * 49, "é" * 53])
def test_code_that_was_never_given_is_an_invalid_grant(provider: Provider, code: str) -> None:
    """Whatever it looks like."""
    answer = a_device(provider).polls(device_code=code)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


@pytest.mark.spec("RFC 8628", "3.4", "REQUIRED")
def test_request_without_a_code_is_invalid(provider: Provider) -> None:
    """The parameter is required."""
    assert a_device(provider).polls(device_code=None).json["error"] == "invalid_request"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.4", "REQUIRED")
def test_code_of_another_client_is_an_invalid_grant_and_stays_good(provider: Provider) -> None:
    """A thief with an own registration gets nothing, and spoils nothing."""
    device = a_device(provider)
    device.is_answered()

    answer = device.polls(provider.a_client())

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")
    assert device.polls().status_code == 200


@pytest.mark.spec("RFC 8628", "3.4", "MUST")
def test_client_that_did_not_register_the_grant_may_not_use_it(provider: Provider) -> None:
    """Not even with a code of its own, given when it still might."""
    device = a_device(provider, provider.a_client())
    provider.change(device.service, grant_types=frozenset({"authorization_code"}))

    assert error_of(device) == "unauthorized_client"


@pytest.mark.spec("RFC 8628", "3.4", "MUST")
def test_confidential_client_authenticates_to_redeem(provider: Provider) -> None:
    """The device code alone is not enough."""
    device = a_device(provider, provider.a_client())
    device.is_answered()

    answer = provider.post(
        "/token",
        grant_type=GRANT_TYPE,
        device_code=device.answer["device_code"],
        client_id=device.service.client_id,
    )

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_that_was_allowed_gets_tokens_of_that_person_even_before_its_interval(
    provider: Provider,
) -> None:
    """Access token, ID token, refresh token: those of a code flow."""
    person = provider.an_account("zoe@example.org")
    device = a_device(provider, scope="openid email offline_access")
    assert error_of(device) == "authorization_pending"
    device.is_answered(browser=provider.signed_in(person))

    answer = device.polls()

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "id_token",
        "refresh_token",
    }
    assert provider.userinfo(answer.json["access_token"]).json["email"] == "zoe@example.org"
    assert provider.refresh(device.service, answer.json["refresh_token"]).status_code == 200


@pytest.mark.rule("OID-7", "OID-5")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_asks_for_an_api_and_gets_a_token_for_it(provider: Provider) -> None:
    """What was allowed with `resource` is a token for that API; another API is refused, and uses nothing up."""
    apis = ("https://a.example.org/", "https://b.example.org/")
    service = provider.a_client(is_public=True, redirect_uris=(), resources=apis)
    device = a_device(provider, service, scope="openid api", resource=apis[0])
    device.is_answered()

    assert device.polls(resource=apis[1]).json["error"] == "invalid_target"
    token = device.polls().json["access_token"]

    assert token.count(".") == 2


@pytest.mark.rule("OID-7", "OID-5")
@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_device_that_proves_a_key_gets_tokens_bound_to_it(provider: Provider) -> None:
    """Each request has a proof of its own; a client that registered for it gets nothing without one."""
    service = provider.a_client(is_public=True, redirect_uris=(), dpop_bound_access_tokens=True)
    device, prover = a_device(provider, service), ProofMaker(provider.clock)
    device.is_answered()
    fields = {"grant_type": GRANT_TYPE, "device_code": device.answer["device_code"]}

    refused = with_proof(provider, service, None, fields)
    answer = with_proof(provider, service, prover.proof(), fields)

    assert refused.json["error"] == "invalid_dpop_proof"
    assert answer.json["token_type"] == "DPoP"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_code_serves_once_and_what_it_gave_stays(provider: Provider) -> None:
    """A device repeats a request whose answer was lost: that is no theft."""
    device = a_device(provider)
    device.is_answered()
    first = device.polls()

    assert error_of(device) == "invalid_grant"
    assert provider.userinfo(first.json["access_token"]).status_code == 200


@pytest.mark.rule("OID-7", "CON-4")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_consent_withdrawn_before_the_device_comes_back_gives_nothing(provider: Provider) -> None:
    """The person changed their mind in time."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    device = a_device(provider, provider.a_client(consent_required=True), scope="openid email")
    device.is_answered(browser=browser)
    with provider.context.database.write() as connection:
        connection.exec_driver_sql("UPDATE token_families SET revoked_at = 1, revoked_reason = 'test'")

    assert error_of(device) == "access_denied"
