"""FAPI 2.0 Security Profile (final) 5.3.2.2: requests are pushed, by an authenticated client, for a short time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.config import ConfigurationError, parse
from idp.domain.client import ClientAuthenticationMethod, Profile
from tests.support.client_keys import a_key
from tests.support.dpop import ProofMaker
from tests.support.provider import ISSUER
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

DOCUMENT = "FAPI 2.0 Security Profile"


def a_fapi_client(provider: Provider, alg: str = "ES256") -> Service:
    """Register a client whose requests are held to the profile."""
    return provider.a_client(
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        profile=Profile.FAPI2,
        key=a_key(alg),
    )


def push(provider: Provider, service: Service, **fields: str) -> TestResponse:
    """Push a request, with fields that differ."""
    return provider.post("/par", service, **(provider.parameters(service) | fields))


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
@pytest.mark.parametrize(
    "aud", [f"{ISSUER}/par", f"{ISSUER}/token", [ISSUER], [f"{ISSUER}/par", ISSUER]], ids=str
)
def test_assertion_for_an_endpoint_or_in_a_list_is_refused(
    lasting_provider: Provider, aud: str | list[str]
) -> None:
    """The issuer, as a string: an assertion for an address could be taken elsewhere."""
    service = a_fapi_client(lasting_provider)

    answer = push(lasting_provider, service, client_assertion=service.assertion(aud=aud))

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
def test_request_without_authentication_is_refused(lasting_provider: Provider) -> None:
    """The name of the client is not enough."""
    service = a_fapi_client(lasting_provider)

    answer = lasting_provider.post("/par", **lasting_provider.parameters(service))

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec(DOCUMENT, "5.4", "SHALL")
def test_request_object_signed_with_rs256_is_refused(lasting_provider: Provider) -> None:
    """PS256, ES256 or EdDSA, whatever other clients may do."""
    service = a_fapi_client(lasting_provider, "PS256")

    refused = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, alg="RS256")
    )
    taken = lasting_provider.post("/par", service, request=request_object(lasting_provider, service))

    assert (refused.status_code, refused.json["error"]) == (400, "invalid_request_object")
    assert taken.status_code == 201


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("ahead, status", [(8, 201), (10, 201), (61, 400)])
def test_clock_of_a_client_may_be_ten_seconds_ahead(
    lasting_provider: Provider, name: str, ahead: int, status: int
) -> None:
    """Up to ten seconds in the future is a clock, a minute is a mistake."""
    service = a_fapi_client(lasting_provider)
    moment = int(lasting_provider.clock().timestamp()) + ahead

    answer = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, **{name: moment})
    )

    assert answer.status_code == status


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
def test_request_uri_expires_in_less_than_ten_minutes(lasting_provider: Provider) -> None:
    """The name of a pushed request lives less than 600 seconds."""
    answer = push(lasting_provider, a_fapi_client(lasting_provider))

    assert 0 < (answer.json or {})["expires_in"] < 600


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
def test_mismatched_thumbprint_is_refused(provider: Provider) -> None:
    """`dpop_jkt` and the proof at /par speak of one key (RFC 9449 section 10.1)."""
    service, maker = a_fapi_client(provider), ProofMaker(provider.clock)
    headers, proven = service.authentication()
    form = {**provider.parameters(service), **proven, "dpop_jkt": ProofMaker(provider.clock).jkt}

    answer = provider.back_channel.post("/par", data=form, headers={**headers, "DPoP": maker.proof("/par")})

    assert answer.status_code == 400
    assert answer.json["error"] in {"invalid_request", "invalid_dpop_proof"}


@pytest.mark.spec(DOCUMENT, "5.3.2.2", "SHALL")
@pytest.mark.parametrize("seconds", [600, 3600])
def test_longer_time_can_not_be_configured(seconds: int) -> None:
    """No installation leaves the profile by mistake."""
    with pytest.raises(ConfigurationError, match="pushed_request_seconds"):
        parse({"tokens": {"pushed_request_seconds": seconds}}, "test")
