"""Who a request comes from, and which requests are not even looked at (RFC 9700 section 4.13)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Response

from idp.web.proxies import ForwardedHeader, Proxies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.provider import Provider

PROXY = "10.0.0.1"
STRANGER = "203.0.113.9"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def seen(peer: str, headers: dict[str, str], header: ForwardedHeader = "x-forwarded-for") -> dict[str, Any]:
    """Say what the application sees of a request."""
    kept: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kept.update(environ)
        return Response("")(environ, start_response)

    environ = create_environ("/", "http://evil.example", headers=headers, environ_base={"REMOTE_ADDR": peer})
    run_wsgi_app(Proxies(application, TRUSTED, "https", "compte.example.org", header), environ)
    return kept


@pytest.mark.parametrize(
    "peer,forwarded,address",
    [
        (STRANGER, None, STRANGER),
        (STRANGER, "192.0.2.1", STRANGER),
        (PROXY, None, PROXY),
        (PROXY, "192.0.2.1", "192.0.2.1"),
        (PROXY, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (PROXY, "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (PROXY, "6.6.6.6, 192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"),
        (PROXY, "nonsense", PROXY),
        (PROXY, "192.0.2.1, nonsense", PROXY),
        (PROXY, "", PROXY),
        (PROXY, "2001:db8::1", "2001:db8::1"),
        ("::1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        (PROXY, "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_address_is_believed_from_named_proxies_only(peer: str, forwarded: str | None, address: str) -> None:
    """From the nearest hop outwards, the first address that is no proxy of ours."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}

    assert str(seen(peer, headers)["idp.client_address"]) == address


@pytest.mark.parametrize(
    "forwarded,address",
    [
        ("for=192.0.2.1", "192.0.2.1"),
        ('For="[2001:db8::1]:4711"', "2001:db8::1"),
        ("for=6.6.6.6, for=192.0.2.1;proto=https", "192.0.2.1"),
        ("for=unknown", PROXY),
        ("for=_hidden", PROXY),
        ("by=192.0.2.1", PROXY),
    ],
)
def test_standard_header_is_read_where_it_was_chosen(forwarded: str, address: str) -> None:
    """RFC 7239; the other header is not looked at then."""
    headers = {"Forwarded": forwarded, "X-Forwarded-For": "6.6.6.6"}

    assert str(seen(PROXY, headers, "forwarded")["idp.client_address"]) == address


@pytest.mark.parametrize("peer", [STRANGER, PROXY])
@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Forwarded-Prefix",
        "X-Forwarded-Port",
        "X-Real-IP",
        "Forwarded",
    ],
)
def test_what_anybody_forwards_is_gone_and_the_issuer_says_who_we_are(peer: str, name: str) -> None:
    """Scheme and host are the configured ones, whatever the request says (S-269)."""
    environ = seen(peer, {name: "evil.example", "Host": "evil.example"})

    assert "HTTP_" + name.upper().replace("-", "_") not in environ
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "compte.example.org"


@pytest.mark.parametrize(
    "host", ["evil.example", "compte.example.org.evil.example", "", "a b", "compte.example.org:1"]
)
def test_host_of_the_request_reaches_no_answer(lasting_provider: Provider, host: str) -> None:
    """No link, redirection or document is made from it."""
    for path in ("/", "/authorize", "/.well-known/openid-configuration", "/account/services"):
        answer = lasting_provider.back_channel.get(
            path, headers={"Host": host, "X-Forwarded-Host": "evil.example"}
        )
        assert answer.status_code < 500
        assert "evil.example" not in answer.text + answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "environ,status",
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "5"}, 400),
        ({"QUERY_STRING": "a" * 8200}, 414),
        ({"HTTP_COOKIE": "a" * 8200}, 431),
        ({f"HTTP_X_{number}": "a" * 8000 for number in range(5)}, 431),
    ],
    ids=["smuggled length", "long target", "long header", "many headers"],
)
def test_request_of_a_suspect_shape_is_refused(
    lasting_provider: Provider, environ: dict[str, str], status: int
) -> None:
    """Before Flask sees it, whichever server let it through."""
    answer = lasting_provider.back_channel.post("/token", environ_overrides=environ)

    assert answer.status_code == status
    assert answer.data == b""
