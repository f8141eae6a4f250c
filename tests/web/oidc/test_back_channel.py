"""What the endpoints of programs read: the form and nothing else, and three headers (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.protocol.errors import EndpointError, ErrorCode
from idp.web.oidc.back_channel import received
from tests.support.client_keys import self_signed
from tests.support.provider import BEHIND_TLS, a_provider

if TYPE_CHECKING:
    from idp.oauth.request import BackChannelRequest
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OID-4")


def read(provider: Provider, path: str = "/token", **sent: Any) -> BackChannelRequest:
    """Read a request as an endpoint does."""
    with provider.app.test_request_context(path, method="POST", **sent):
        return received(frozenset({"response_type"}))


def refusal(provider: Provider, path: str = "/token", **sent: Any) -> ErrorCode:
    """Read one that is refused, and give the code."""
    with pytest.raises(EndpointError) as caught:
        read(provider, path, **sent)
    return caught.value.code


@pytest.mark.spec("RFC 6749", "3.2", "MUST")
@pytest.mark.parametrize(
    "name", ["client_id", "client_secret", "device_code", "resource", "response_type", "code", "token"]
)
def test_parameter_in_the_address_is_refused(lasting_provider: Provider, name: str) -> None:
    """An address is logged by everything on the way."""
    assert (
        refusal(lasting_provider, f"/token?{name}=x", data={"grant_type": "x"}) is ErrorCode.INVALID_REQUEST
    )


@pytest.mark.spec("RFC 6749", "3.2", "MUST NOT")
@pytest.mark.parametrize("name", ["client_id", "scope", "device_code", "response_type"])
def test_parameter_that_comes_twice_is_refused(lasting_provider: Provider, name: str) -> None:
    """Which of the two would hold?"""
    assert refusal(lasting_provider, data={name: ["a", "b"]}) is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "mimetype", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_body_that_is_no_form_is_refused(lasting_provider: Provider, mimetype: str) -> None:
    """Whatever it says."""
    sent = {"data": b"grant_type=x", "content_type": mimetype}

    assert refusal(lasting_provider, **sent) is ErrorCode.INVALID_REQUEST


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
def test_two_proofs_are_refused(lasting_provider: Provider) -> None:
    """Servers join two headers into one."""
    sent = {"data": {"grant_type": "x"}, "headers": [("DPoP", "a.b.c"), ("DPoP", "d.e.f")]}

    assert refusal(lasting_provider, **sent) is ErrorCode.INVALID_DPOP_PROOF


@pytest.mark.spec("RFC 8707", "2", "MAY")
def test_resource_may_come_several_times(lasting_provider: Provider) -> None:
    """It alone."""
    resources = ["https://a.example.org/api", "https://b.example.org/"]

    assert read(lasting_provider, data={"resource": resources}).resources == tuple(resources)
    assert read(lasting_provider, data={"resource": ""}).resources == ()
    assert read(lasting_provider, data={"token": "x"}).resources == ()


def test_request_says_where_it_came_and_what_it_brought(lasting_provider: Provider) -> None:
    """Path, method, proof, what is accepted; and no certificate where none are taken."""
    request = read(
        lasting_provider,
        "/introspect?unknown=x",
        data={"token": "x", "unknown": ["a", "b"]},
        headers={"DPoP": "a.b.c", "Accept": "application/token-introspection+jwt", "Client-Cert": "x"},
        environ_overrides={"idp.other": "x"},
    )

    assert (request.method, request.path, request.dpop) == ("POST", "/introspect", "a.b.c")
    assert request.accept == "application/token-introspection+jwt"
    assert request.certificate is None
    assert dict(request.parameters) == {"token": "x"}


def test_certificate_of_any_client_goes_with_its_request(database: Database, clock: SettableClock) -> None:
    """Tokens of a client that proves itself otherwise may be bound to it too (RFC 8705 section 4)."""
    provider, certificate = a_provider(database, clock, **BEHIND_TLS), self_signed()

    sent = {"data": {"token": "x"}, "environ_overrides": {"idp.client_certificate": certificate.client_cert}}
    shown = read(provider, **sent).certificate

    assert shown is not None
    assert shown.thumbprint == certificate.thumbprint
