"""RFC 8705 section 3: access tokens that are bound to the certificate of their client."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from idp.crypto.jwt import verified_claims
from idp.domain.client import ClientAuthenticationMethod
from tests.support.client_keys import ClientCertificate, self_signed
from tests.support.dpop import ProofMaker, a_code, redeem, refresh, userinfo
from tests.support.provider import BEHIND_TLS, Provider, Service, a_provider

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

API = "https://api.example.org"
OFFLINE = "openid offline_access"


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider behind a proxy that hands certificates over."""
    return a_provider(database, clock, **BEHIND_TLS)


@pytest.fixture
def service(provider: Provider) -> Service:
    """A client whose tokens are bound to its certificate, which is not what it proves itself with."""
    return provider.a_client(tls_bound_access_tokens=True, certificate=self_signed())


def ask(
    provider: Provider, token: str, certificate: ClientCertificate | None, scheme: str = "Bearer"
) -> TestResponse:
    """Ask UserInfo over a connection that showed a certificate."""
    headers = {} if certificate is None else {"Client-Cert": certificate.client_cert}
    return provider.back_channel.get("/userinfo", headers=headers | {"Authorization": f"{scheme} {token}"})


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_client_that_registered_for_it_gets_nothing_without_a_certificate(
    provider: Provider, service: Service
) -> None:
    """And the code it brought is not used up by that."""
    code = a_code(provider, service)

    without = redeem(provider, replace(service, certificate=None), code, None)
    with_it = redeem(provider, service, code, None)

    assert (without.status_code, without.json["error"]) == (400, "invalid_request")
    assert (with_it.status_code, with_it.json["token_type"]) == (200, "Bearer")


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_token_is_worth_nothing_without_its_certificate(provider: Provider, service: Service) -> None:
    """None, or another one: 401 and invalid_token; in another scheme too."""
    token = redeem(provider, service, a_code(provider, service), None).json["access_token"]

    refused = [
        ask(provider, token, None),
        ask(provider, token, self_signed()),
        ask(provider, token, service.certificate, "DPoP"),
    ]
    taken = ask(provider, token, service.certificate)

    assert [(answer.status_code, answer.json["error"]) for answer in refused] == [(401, "invalid_token")] * 3
    assert taken.status_code == 200


@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_header_of_who_is_no_proxy_is_no_certificate(
    provider: Provider, service: Service, database: Database, clock: SettableClock
) -> None:
    """Anybody can send a header."""
    token = redeem(provider, service, a_code(provider, service), None).json["access_token"]
    elsewhere = a_provider(database, clock)

    assert ask(elsewhere, token, service.certificate).status_code == 401


@pytest.mark.spec("RFC 8705", "3.1", "MUST")
@pytest.mark.spec("RFC 8705", "3.2", "MUST")
def test_thumbprint_is_told_in_the_token_and_at_introspection(provider: Provider) -> None:
    """`x5t#S256`, for the API to compare."""
    service = provider.a_client(tls_bound_access_tokens=True, certificate=self_signed(), resources=(API,))
    token = redeem(provider, service, a_code(provider, service, resource=API), None).json["access_token"]

    claims = verified_claims(token, provider.context.keys.keyring().public_keys())
    about = provider.introspect(service, token)

    assert service.certificate is not None
    assert claims["cnf"] == about["cnf"] == {"x5t#S256": service.certificate.thumbprint}
    assert about["token_type"] == "Bearer"


@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_certificate_of_who_did_not_register_for_it_binds_nothing(provider: Provider) -> None:
    """To prove itself with a certificate is one thing, to bind tokens to it another."""
    service = provider.a_client(authentication_method=ClientAuthenticationMethod.SELF_SIGNED_TLS)

    token = redeem(provider, service, a_code(provider, service), None).json["access_token"]

    assert provider.userinfo(token).status_code == 200


@pytest.mark.spec("RFC 8705", "3", "MUST")
def test_proof_from_a_client_of_certificates_is_refused(provider: Provider, service: Service) -> None:
    """A token is bound to one thing; it is not told to be bound to another."""
    answer = redeem(provider, service, a_code(provider, service), ProofMaker(provider.clock).proof())

    assert answer.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 8705", "4", "MUST")
def test_public_client_is_bound_too_with_its_refresh_token(provider: Provider) -> None:
    """An app with a certificate of each of its installations."""
    certificate = self_signed()
    service = provider.a_client(is_public=True, tls_bound_access_tokens=True, certificate=certificate)
    tokens = redeem(provider, service, a_code(provider, service, scope=OFFLINE), None).json

    thief = refresh(provider, replace(service, certificate=self_signed()), tokens["refresh_token"], None)
    owner = refresh(provider, service, tokens["refresh_token"], None)

    assert thief.json["error"] == "invalid_grant"
    assert ask(provider, owner.json["access_token"], certificate).status_code == 200


@pytest.mark.spec("RFC 8705", "5", "MUST")
@pytest.mark.parametrize("origin", ["https://compte.example.org", "https://mtls.example.org"])
def test_proof_for_the_address_of_certificates_is_taken(
    database: Database, clock: SettableClock, origin: str
) -> None:
    """One endpoint, two addresses: `mtls_endpoint_aliases` names the second one."""
    sections = BEHIND_TLS | {"mutual_tls": BEHIND_TLS["mutual_tls"] | {"origin": "https://mtls.example.org"}}
    provider = a_provider(database, clock, **sections)
    service, key = provider.a_client(), ProofMaker(clock)
    code = a_code(provider, service)

    token = redeem(provider, service, code, key.proof(htu=origin + "/token")).json["access_token"]
    proof = key.proof(htm="GET", htu=origin + "/userinfo", access_token=token)

    assert userinfo(provider, token, proof).status_code == 200
