"""Whose word is taken for where a request comes from, and which shapes are refused (OPS-3)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from idp.web.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from idp.web.proxies import ForwardedHeader

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
pytestmark = pytest.mark.rule("OPS-3")


def seen(
    header: ForwardedHeader = "x-forwarded-for", certificate_header: str = "", **environ: Any
) -> WSGIEnvironment:
    """Give the environment that the application behind sees; empty when it was not asked."""
    passed: WSGIEnvironment = {}

    def application(behind: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        passed.update(behind)
        start_response("200 OK", [])
        return []

    given = {"REMOTE_ADDR": "10.0.0.1", "PATH_INFO": "/", "QUERY_STRING": ""} | environ
    proxies = Proxies(
        application,
        PROXIES,
        "https",
        "compte.example.org",
        header,
        certificate_header=certificate_header,
    )
    proxies(given, lambda *_: lambda _: None)
    return passed


@pytest.mark.parametrize(
    "header, sent, address",
    [
        pytest.param("x-forwarded-for", {}, "10.0.0.1", id="nothing said"),
        pytest.param("x-forwarded-for", {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}, "203.0.113.7", id="one hop"),
        pytest.param(
            "x-forwarded-for", {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7, 10.0.0.2"}, "203.0.113.7",
            id="what the client says of itself is further out",
        ),
        pytest.param("x-forwarded-for", {"HTTP_X_FORWARDED_FOR": "nobody"}, "10.0.0.1", id="no address"),
        pytest.param("x-forwarded-for", {"HTTP_FORWARDED": "for=6.6.6.6"}, "10.0.0.1", id="the other header"),
        pytest.param("forwarded", {"HTTP_X_FORWARDED_FOR": "6.6.6.6"}, "10.0.0.1", id="underscores behind granian"),
        pytest.param("forwarded", {"HTTP_FORWARDED": "for=203.0.113.7"}, "203.0.113.7", id="RFC 7239"),
        pytest.param(
            "forwarded", {"HTTP_FORWARDED": 'for=6.6.6.6, proto=https;For="[2001:db8::7]:4711";by=x'}, "2001:db8::7",
            id="RFC 7239, quoted, with a port, second of two",
        ),
        pytest.param("forwarded", {"HTTP_FORWARDED": "for=_hidden"}, "10.0.0.1", id="an obfuscated name"),
        pytest.param("forwarded", {"HTTP_FORWARDED": "for=unknown"}, "10.0.0.1", id="unknown"),
        pytest.param(
            "x-forwarded-for", {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "10.0.0.9"}, "203.0.113.9",
            id="a peer that is no proxy of ours",
        ),
    ],
)  # fmt: skip
def test_address_is_what_the_nearest_named_proxy_says(
    header: ForwardedHeader, sent: dict[str, str], address: str
) -> None:
    """From the nearest hop outwards, the first that is not a proxy of ours."""
    assert str(seen(header, **sent)["idp.client_address"]) == address


def test_nothing_forwarded_reaches_the_application() -> None:
    """What nobody can read by mistake can't be believed by mistake; links come from the issuer."""
    behind = seen(
        REMOTE_ADDR="203.0.113.9",
        HTTP_HOST="evil.example.org",
        HTTP_X_FORWARDED_HOST="evil.example.org",
        HTTP_X_FORWARDED_PROTO="http",
        HTTP_FORWARDED="host=evil.example.org",
        HTTP_X_REQUEST_ID="forged-id",
    )

    assert not [name for name in behind if "FORWARDED" in name or name == "HTTP_X_REQUEST_ID"]
    assert (behind["HTTP_HOST"], behind["wsgi.url_scheme"]) == ("compte.example.org", "https")


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 9440", "4", "MUST")
@pytest.mark.parametrize(
    "peer, certificate_header",
    [
        pytest.param("203.0.113.9", "Client-Cert", id="from a peer that is no proxy of ours"),
        pytest.param("203.0.113.9", "", id="from such a peer, while certificates are off"),
        pytest.param("10.0.0.1", "", id="while certificates are off"),
        pytest.param("10.0.0.1", "X-TLS-Certificate", id="in another header than the configured one"),
    ],
)
def test_certificate_that_no_proxy_of_ours_hands_over_is_none(peer: str, certificate_header: str) -> None:
    """Anybody can write a header: whatever could be read as a certificate goes no further."""
    behind = seen(
        certificate_header=certificate_header,
        REMOTE_ADDR=peer,
        HTTP_CLIENT_CERT=":Zm9yZ2Vk:",
        HTTP_CLIENT_CERT_CHAIN=":Zm9yZ2Vk:",
        HTTP_X_SSL_CERT="forged",
        HTTP_X_SSL_CLIENT_CERT="forged",
        HTTP_X_FORWARDED_CLIENT_CERT="forged",
    )

    assert behind["idp.client_address"] is not None
    assert not [name for name in behind if "CERT" in name.upper()]


@pytest.mark.rule("OID-4")
def test_certificate_that_a_proxy_of_ours_hands_over_goes_on_by_one_name() -> None:
    """As the proxy wrote it, and not as a header any more; an empty one is none."""
    shown = seen(certificate_header="X-TLS-Certificate", HTTP_X_TLS_CERTIFICATE="written by the proxy")
    none = seen(certificate_header="X-TLS-Certificate", HTTP_X_TLS_CERTIFICATE="")

    assert shown["idp.client_certificate"] == "written by the proxy"
    assert "HTTP_X_TLS_CERTIFICATE" not in shown
    assert not [name for name in none if "CERT" in name.upper()]


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "3"}, id="length and chunks"),
        pytest.param({"HTTP_X": "a" * 9_000}, id="one long header"),
        pytest.param({f"HTTP_X{number}": "a" * 8_000 for number in range(5)}, id="long headers together"),
        pytest.param({"QUERY_STRING": "a" * 9_000}, id="a long query"),
    ],
)
def test_request_of_a_doubtful_shape_does_not_reach_the_application(environ: dict[str, str]) -> None:
    """Refused before anything of ours reads it."""
    assert seen(**environ) == {}
