"""RFC 8628 section 3.1: who may ask for codes, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.client import Profile

if TYPE_CHECKING:
    from tests.support.provider import Provider

PATH = "/device_authorization"


@pytest.mark.spec("RFC 8628", "3.1", "MUST")
def test_confidential_client_without_its_secret_gets_no_codes(lasting_provider: Provider) -> None:
    """It authenticates here as at the token endpoint."""
    service = lasting_provider.a_client()

    answer = lasting_provider.post(PATH, client_id=service.client_id, scope="openid")

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC 8628", "3.1", "REQUIRED")
@pytest.mark.parametrize("fields", [{}, {"client_id": "nobody"}], ids=["nobody named", "unknown"])
def test_request_of_nobody_gets_no_codes(lasting_provider: Provider, fields: dict[str, str]) -> None:
    """A client without a secret is named by its client_id."""
    answer = lasting_provider.post(PATH, scope="openid", **fields)

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.1", "MUST")
@pytest.mark.parametrize("is_public", [True, False])
def test_client_that_registered_the_grant_gets_codes(lasting_provider: Provider, *, is_public: bool) -> None:
    """With a secret or without one."""
    answer = lasting_provider.post(PATH, lasting_provider.a_client(is_public=is_public), scope="openid")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.1", "MUST")
@pytest.mark.parametrize(
    "fields",
    [{"grant_types": frozenset({"authorization_code"})}, {"profile": Profile.FAPI2}],
    ids=["grant not registered", "a profile that has no such flow"],
)
def test_client_that_may_not_use_the_grant_gets_no_codes(
    lasting_provider: Provider, fields: dict[str, object]
) -> None:
    """It is told when it asks, not when it polls."""
    service = lasting_provider.a_client(**fields)

    answer = lasting_provider.post(PATH, service, scope="openid")

    assert answer.json["error"] in {"unauthorized_client", "invalid_client"}


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.1", "OPTIONAL")
@pytest.mark.parametrize(
    "asked,error",
    [
        ({}, "invalid_scope"),
        ({"scope": "unheard"}, "invalid_scope"),
        ({"scope": "openid \N{LATIN SMALL LETTER E WITH ACUTE}"}, "invalid_scope"),
        ({"scope": "openid", "resource": "https://api.example.org/"}, "invalid_target"),
        ({"scope": "openid", "max_age": "soon"}, "invalid_request"),
        ({"scope": "openid", "claims": "{"}, "invalid_request"),
        ({"scope": "openid", "acr_values": "\x00"}, "invalid_request"),
    ],
)
def test_request_that_could_not_be_answered_is_refused_at_once(
    lasting_provider: Provider, asked: dict[str, str], error: str
) -> None:
    """The checks are those of an authorization request: the device has no page to be told on later."""
    answer = lasting_provider.post(PATH, lasting_provider.a_client(is_public=True), **asked)

    assert (answer.status_code, answer.json["error"]) == (400, error)


@pytest.mark.spec("RFC 8628", "3.1", "MUST NOT")
def test_parameter_sent_twice_is_refused(lasting_provider: Provider) -> None:
    """But for `resource`, which RFC 8707 lets come several times."""
    service = lasting_provider.a_client(
        is_public=True, resources=("https://a.example.org/", "https://b.example.org/")
    )

    def ask(name: str, *values: str) -> int:
        form = {"client_id": service.client_id, "scope": ["openid"], name: list(values)}
        return lasting_provider.back_channel.post(PATH, data=form).status_code

    assert ask("scope", "openid", "email") == 400
    assert ask("resource", *service.client.resources) == 200


@pytest.mark.spec("RFC 8628", "3.1", "MUST")
def test_request_that_is_no_form_post_is_refused(lasting_provider: Provider) -> None:
    """Parameters stand in the body; an address is logged on the way."""
    service = lasting_provider.a_client(is_public=True)
    query = f"{PATH}?client_id={service.client_id}&scope=openid"

    assert lasting_provider.back_channel.post(query).status_code == 400
    get = lasting_provider.back_channel.get(query)
    assert (get.status_code, get.json["error"]) == (405, "invalid_request")
