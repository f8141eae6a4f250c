"""POST /introspect and /revoke (RFC 7662, RFC 7009; OID-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

OFFLINE = "openid offline_access"
HINTS = [None, "access_token", "refresh_token", "something_else"]


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7662", "2.2", "MUST")
@pytest.mark.parametrize("hint", HINTS)
def test_live_token_is_told_to_its_service_whatever_the_hint(
    lasting_provider: Provider, hint: str | None
) -> None:
    """A wrong or unknown hint is no error and hides nothing."""
    service = lasting_provider.a_client()
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

    about = [
        lasting_provider.post("/introspect", service, token=tokens[kind], token_type_hint=hint).json
        for kind in ("access_token", "refresh_token")
    ]

    assert all(one["active"] and one["client_id"] == service.client_id for one in about)
    assert all(one["iss"] == ISSUER for one in about)


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7662", "2.2", "SHOULD NOT")
@pytest.mark.parametrize("token", ["x", "a" * 4000, "é", "mpa_" + "a" * 49, "e30.e30.", '{"a":1}'])
def test_token_that_is_none_is_not_active(lasting_provider: Provider, token: str) -> None:
    """Nothing more is said of it."""
    service = lasting_provider.a_client()

    assert lasting_provider.introspect(service, token) == {"active": False}


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7662", "4", "MUST")
def test_token_of_another_service_is_not_active(lasting_provider: Provider) -> None:
    """One service can't sound out the tokens of another, nor a public client anything."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)
    public = lasting_provider.a_client(is_public=True)

    assert lasting_provider.introspect(other, tokens["access_token"]) == {"active": False}
    assert lasting_provider.post("/introspect", public, token=tokens["access_token"]).status_code == 401
    assert lasting_provider.post("/introspect", token=tokens["access_token"]).status_code == 401


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
@pytest.mark.parametrize("token", [None, ""])
def test_request_without_a_token_is_refused(lasting_provider: Provider, path: str, token: str | None) -> None:
    """The one parameter that is required."""
    answer = lasting_provider.post(path, lasting_provider.a_client(), token=token)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7009", "2.1", "MUST")
@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
def test_revoked_refresh_token_ends_its_family(
    lasting_provider: Provider, hint: str | None, *, is_public: bool
) -> None:
    """With it go the access tokens of the same grant, whatever the hint."""
    service = lasting_provider.a_client(is_public=is_public)
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

    answer = lasting_provider.post("/revoke", service, token=tokens["refresh_token"], token_type_hint=hint)

    assert answer.status_code == 200
    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 401
    assert lasting_provider.refresh(service, tokens["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7009", "2.1", "MUST")
def test_revoked_access_token_dies_alone(lasting_provider: Provider) -> None:
    """The refresh token of the same grant goes on."""
    service = lasting_provider.a_client()
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

    lasting_provider.post("/revoke", service, token=tokens["access_token"], token_type_hint="refresh_token")

    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 401
    assert lasting_provider.introspect(service, tokens["access_token"]) == {"active": False}
    assert lasting_provider.refresh(service, tokens["refresh_token"]).status_code == 200


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7009", "2.2", "MUST")
def test_token_that_is_not_the_services_own_is_left_alone_without_a_word(lasting_provider: Provider) -> None:
    """Another's, unknown, revoked already: the same 200, and nothing changes."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

    answers = [
        lasting_provider.post("/revoke", other, token=token)
        for token in (tokens["access_token"], tokens["refresh_token"], "x", "mpr_" + "a" * 49)
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}
    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 200
    assert lasting_provider.refresh(service, tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 7009", "2.1", "MUST")
def test_revocation_needs_the_client_to_prove_itself(lasting_provider: Provider) -> None:
    """A confidential client's name alone revokes nothing."""
    service = lasting_provider.a_client()
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)

    answer = lasting_provider.post("/revoke", token=tokens["refresh_token"], client_id=service.client_id)

    assert answer.status_code == 401
    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.rule("OID-2")
def test_rotated_token_that_is_revoked_ends_its_family_too(provider: Provider, clock: SettableClock) -> None:
    """A public client that lost count signs its person out all the same."""
    service = provider.a_client(is_public=True)
    first = provider.tokens(provider.signed_in(), service, scope=OFFLINE)
    clock.advance(minutes=1)
    second = provider.refresh(service, first["refresh_token"]).json

    provider.post("/revoke", service, token=first["refresh_token"])

    assert provider.refresh(service, second["refresh_token"]).json["error"] == "invalid_grant"
