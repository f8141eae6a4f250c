"""RFC 8707 section 2.2: the `resource` parameter at the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.jwt import verified_claims
from tests.support.dpop import a_code

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

API, OTHER_API, FOREIGN_API = (
    "https://api.example.org",
    "https://other.example.org/v1",
    "https://foreign.example",
)
BOTH: Any = [API, OTHER_API]
OFFLINE = "openid offline_access"


@pytest.fixture
def service(lasting_provider: Provider) -> Service:
    """A client that may ask for two APIs."""
    return lasting_provider.a_client(resources=(API, OTHER_API))


def audience_of(provider: Provider, answer: TestResponse) -> Any:
    """Read for whom the access token of an answer is."""
    assert answer.status_code == 200, answer.text
    token = (answer.json or {})["access_token"]
    return verified_claims(token, provider.context.keys.keyring().public_keys())["aud"]


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2.2", "SHOULD")
@pytest.mark.parametrize("resource", [OTHER_API, FOREIGN_API, "x", "https://", API + "#f", "é"])
def test_api_that_was_not_granted_is_refused(
    lasting_provider: Provider, service: Service, resource: str
) -> None:
    """With the code, which is not used up by it, and with the refresh token."""
    code = a_code(lasting_provider, service, scope=OFFLINE, resource=API)

    refused = lasting_provider.redeem(service, code, resource=resource)
    given = lasting_provider.redeem(service, code, resource=API)
    refreshed = lasting_provider.refresh(service, given.json["refresh_token"], resource=resource)

    assert (refused.status_code, refused.json["error"]) == (400, "invalid_target")
    assert refreshed.json["error"] == "invalid_target"


@pytest.mark.spec("RFC 8707", "2.2", "SHOULD")
def test_api_of_who_asked_for_none_is_refused(lasting_provider: Provider, service: Service) -> None:
    """The person allowed a service to read UserInfo, not to go elsewhere."""
    code = a_code(lasting_provider, service)

    assert lasting_provider.redeem(service, code, resource=API).json["error"] == "invalid_target"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2.2", "SHOULD")
def test_token_is_for_the_apis_asked_for(lasting_provider: Provider, service: Service) -> None:
    """All that were granted, or one of them; each refresh may narrow to another one."""
    code = a_code(lasting_provider, service, scope=OFFLINE, resource=BOTH)
    one = lasting_provider.redeem(service, code, resource=OTHER_API)
    token = one.json["refresh_token"]

    narrowed = lasting_provider.refresh(service, token, resource=API)
    both = lasting_provider.refresh(service, token, resource=BOTH)
    all_granted = lasting_provider.refresh(service, token)

    assert audience_of(lasting_provider, one) == OTHER_API
    assert audience_of(lasting_provider, narrowed) == API
    assert audience_of(lasting_provider, both) == BOTH
    assert audience_of(lasting_provider, all_granted) == BOTH


@pytest.mark.spec("RFC 8707", "2.2", "MAY")
def test_public_client_narrows_too(lasting_provider: Provider) -> None:
    """Its refresh token rotates; a resource that is refused uses none up."""
    service = lasting_provider.a_client(is_public=True, resources=(API, OTHER_API))
    code = a_code(lasting_provider, service, scope=OFFLINE, resource=BOTH)
    token = lasting_provider.redeem(service, code).json["refresh_token"]

    refused = lasting_provider.refresh(service, token, resource=FOREIGN_API)
    narrowed = lasting_provider.refresh(service, token, resource=API)

    assert refused.json["error"] == "invalid_target"
    assert audience_of(lasting_provider, narrowed) == API
    assert narrowed.json["refresh_token"] != token


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2.2", "SHOULD")
def test_service_itself_gets_a_token_for_an_api_it_registered_for(
    lasting_provider: Provider, service: Service
) -> None:
    """And for no other; without a resource its token is opaque as ever."""
    ask = {"grant_type": "client_credentials"}

    refused = lasting_provider.post("/token", service, **ask, resource=FOREIGN_API)
    given = lasting_provider.post("/token", service, **ask, resource=API)
    plain = lasting_provider.post("/token", service, **ask)

    assert refused.json["error"] == "invalid_target"
    assert audience_of(lasting_provider, given) == API
    assert plain.json["access_token"].startswith("mpa_")


@pytest.mark.spec("RFC 8707", "3", "MUST")
def test_api_learns_of_tokens_made_for_it_and_no_others(lasting_provider: Provider, service: Service) -> None:
    """One that an API received can't be used, or sounded out, at another."""
    api = lasting_provider.a_client(resource_identifier=API)
    other = lasting_provider.a_client(resource_identifier=OTHER_API)
    code = a_code(lasting_provider, service, scope=OFFLINE, resource=BOTH)
    body = lasting_provider.redeem(service, code, resource=API).json
    both = lasting_provider.refresh(service, body["refresh_token"]).json["access_token"]

    about = lasting_provider.introspect(api, body["access_token"])

    assert (about["active"], about["aud"], about["client_id"]) == (True, API, service.client_id)
    assert lasting_provider.introspect(other, body["access_token"]) == {"active": False}
    assert lasting_provider.introspect(other, both)["aud"] == BOTH
    assert lasting_provider.introspect(api, body["refresh_token"]) == {"active": False}


@pytest.mark.rule("CON-1")
@pytest.mark.spec("RFC 7662", "4", "MUST")
def test_token_of_a_service_that_was_disabled_is_dead_for_its_api(
    lasting_provider: Provider, service: Service
) -> None:
    """At once, though the API itself is on."""
    api = lasting_provider.a_client(resource_identifier=API)
    token = lasting_provider.redeem(service, a_code(lasting_provider, service, resource=API)).json[
        "access_token"
    ]
    alive = lasting_provider.introspect(api, token)["active"]

    lasting_provider.change(service, disabled_at=lasting_provider.clock())

    assert alive is True
    assert lasting_provider.introspect(api, token) == {"active": False}
