"""FAPI 2.0 Message Signing (final) 5.3: requests are signed, pushed, for us, and for an hour at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import ClientAuthenticationMethod, Profile
from tests.support.client_keys import a_key, jwks
from tests.support.provider import ISSUER
from tests.support.request_objects import claims_of, request_object, unsigned

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

DOCUMENT = "FAPI 2.0 Message Signing"
HOUR = 3600


def a_signing_client(provider: Provider, alg: str = "ES256", **fields: Any) -> Service:
    """Register a client whose requests and answers are signed."""
    usual: dict[str, Any] = {
        "authentication_method": ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        "profile": Profile.FAPI2_MESSAGE_SIGNING,
        "key": a_key(alg),
    }
    return provider.a_client(**(usual | fields))


def push(provider: Provider, service: Service, **changes: Any) -> TestResponse:
    """Push a signed request that passes, with changes of its claims."""
    now = int(provider.clock().timestamp())
    shifted = {
        name: now + value if name in {"exp", "nbf", "iat"} and isinstance(value, int) else value
        for name, value in changes.items()
    }
    return provider.post("/par", service, request=request_object(provider, service, **shifted))


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": None},
        {"aud": "https://other.example.org"},
        {"aud": f"{ISSUER}/"},
        {"aud": f"{ISSUER}/par"},
        {"aud": ["https://other.example.org"]},
        {"exp": None},
        {"exp": -300},
        {"exp": HOUR + 60},
        {"nbf": None},
        {"nbf": -HOUR - 60},
        {"nbf": 61},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"client_id": "somebody"},
        {"iss": "somebody"},
    ],
    ids=str,
)
def test_signed_request_that_breaks_a_rule_is_refused(
    lasting_provider: Provider, changes: dict[str, Any]
) -> None:
    """For us by name, from now on, for an hour at most; and it stands alone."""
    answer = push(lasting_provider, a_signing_client(lasting_provider), **changes)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_redirect_uri_is_needed_inside(lasting_provider: Provider) -> None:
    """What stands beside a request object does not count."""
    answer = push(lasting_provider, a_signing_client(lasting_provider), redirect_uri=None)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_pushed_request_without_a_signature_is_refused(lasting_provider: Provider) -> None:
    """Plain parameters are not enough, though the client has proven itself."""
    service = a_signing_client(lasting_provider)

    answer = lasting_provider.post("/par", service, **lasting_provider.parameters(service))

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_request_with_no_algorithm_is_refused(lasting_provider: Provider) -> None:
    """`none` is no signature."""
    service = a_signing_client(lasting_provider)

    answer = lasting_provider.post("/par", service, request=unsigned(claims_of(lasting_provider, service)))

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_request_signed_with_rs256_is_refused(lasting_provider: Provider) -> None:
    """The algorithms are those of the Security Profile."""
    service = a_signing_client(lasting_provider, "PS256")

    answer = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, alg="RS256")
    )

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_request_signed_by_another_client_is_refused(lasting_provider: Provider) -> None:
    """The key is the client's own."""
    service = a_signing_client(lasting_provider)
    other = a_key()
    lasting_provider.a_client(key=other, jwks=jwks(other))

    answer = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service, key=other)
    )

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
def test_signed_request_that_is_not_pushed_is_refused(lasting_provider: Provider) -> None:
    """A signed request is pushed too: an object in the browser gets nothing."""
    service = a_signing_client(lasting_provider)
    signed = request_object(lasting_provider, service)

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, request=signed)

    assert "code=" not in answer.headers.get("Location", "")
    assert answer.status_code in {303, 400}


@pytest.mark.spec(DOCUMENT, "5.3.1", "SHALL")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["https://other.example.org", ISSUER]},
        {"nbf": 8, "exp": 300},
        {"nbf": -HOUR + 30, "exp": 30},
        {"exp": HOUR},
        {"state": None},
        {"nonce": "n" * 64},
        {"iss": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_signed_request_within_the_rules_is_kept(
    lasting_provider: Provider, alg: str, changes: dict[str, Any]
) -> None:
    """With each algorithm, up to the limits, with our name among others."""
    answer = push(lasting_provider, a_signing_client(lasting_provider, alg), **changes)

    assert answer.status_code == 201, answer.text
