"""Who the request comes from: forwarded headers are believed from named proxies only; framing tricks are refused.

Runs before Flask, behind whichever server was chosen: what one of them lets through is refused here.
A server may hand `X_Forwarded_For` over as if it were `X-Forwarded-For` (granian does): behind such a server only
`Forwarded` (RFC 7239) is believed, which has no hyphen to be mistaken for an underscore.
Everything forwarded by anybody else is removed, so that nothing later can read it by mistake
(RFC 9700 section 4.13). A client's certificate too is what such a proxy says it is, or none (RFC 9440 section 4).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, Literal

from idp.outbound.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from idp.web.site import Network

_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
#: Headers that only a proxy of ours may set.
_PROXY_ONLY: Final = (*_FORWARDED, "HTTP_X_REQUEST_ID")
#: Names under which proxies usually hand over a client's certificate (RFC 9440 sections 2.2 and 2.3, nginx, Envoy);
#: whichever is not configured is nobody's to send.
_CERTIFICATES: Final = (
    "HTTP_CLIENT_CERT",
    "HTTP_CLIENT_CERT_CHAIN",
    "HTTP_SSL_CLIENT_CERT",
    "HTTP_X_CLIENT_CERT",
    "HTTP_X_FORWARDED_CLIENT_CERT",
    "HTTP_X_SSL_CERT",
    "HTTP_X_SSL_CLIENT_CERT",
)
_MAX_HEADERS = 32_768
#: What the strict servers accept in one line.
_MAX_HEADER = 8_190
_MAX_TARGET = 8_190
# RFC 7239 section 4: the `for` of each element; an obfuscated name or "unknown" does not match.
_FOR: Final = re.compile(r'(?:^|;)\s*for=(?:"\[?([^"\]]+)\]?(?::\d+)?"|([^";,\s]+))', re.IGNORECASE)
_LOG: Final = get_logger("idp.proxies")

ForwardedHeader = Literal["x-forwarded-for", "forwarded"]


class Proxies:
    """WSGI middleware that writes `idp.client_address` and the issuer's scheme and host into the environment.

    Args:
        app: The application behind.
        trusted: Networks of the proxies that are believed.
        issuer_scheme: "https" or "http": links are made from the issuer, never from the request.
        issuer_host: Host, and port when it is not the scheme's own.
        header: The header that the proxies set.
        certificate_header: The header in which the proxies hand over the certificate of the client's connection
            (RFC 8705); empty when they don't. It goes on as `idp.client_certificate`, and by no other way.
    """

    def __init__(
        self,
        app: WSGIApplication,
        trusted: tuple[Network, ...],
        issuer_scheme: str,
        issuer_host: str,
        header: ForwardedHeader = "x-forwarded-for",
        *,
        certificate_header: str = "",
    ) -> None:
        self._app = app
        self._hops = _forwarded_hops if header == "forwarded" else _x_forwarded_for_hops
        self._trusted = trusted
        self._scheme = issuer_scheme
        self._host = issuer_host
        name = certificate_header.upper().replace("-", "_")
        self._certificate_name = f"HTTP_{name}" if name else ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Refuse ambiguous framing, find the client's address, go on."""
        refusal = _refusal(environ)
        if refusal is not None:
            return _refuse(start_response, *refusal)
        peer = _parsed(environ.get("REMOTE_ADDR", ""))
        from_proxy = self._is_trusted(peer)
        environ["idp.client_address"] = self._client_address(peer, environ) if from_proxy else peer
        certificate = self._taken_certificate(environ)
        if from_proxy and certificate:
            environ["idp.client_certificate"] = certificate
        for name in _FORWARDED if from_proxy else _PROXY_ONLY:
            environ.pop(name, None)
        environ["wsgi.url_scheme"] = self._scheme
        environ["HTTP_HOST"] = self._host
        return self._app(environ, start_response)

    def _taken_certificate(self, environ: WSGIEnvironment) -> str:
        """Take every header out that could be a certificate, and give the configured one; empty without it."""
        certificate: str = environ.pop(self._certificate_name, "")
        for name in _CERTIFICATES:
            environ.pop(name, None)
        return certificate

    def _client_address(
        self, peer: IPv4Address | IPv6Address | None, environ: WSGIEnvironment
    ) -> IPv4Address | IPv6Address | None:
        address = peer
        # From the nearest hop outwards: the first address that is not a proxy of ours is the client's.
        for hop in reversed(self._hops(environ)):
            candidate = _parsed(hop)
            if candidate is None:
                return address
            address = candidate
            if not self._is_trusted(candidate):
                return candidate
        return address

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _x_forwarded_for_hops(environ: WSGIEnvironment) -> list[str]:
    return [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]


def _forwarded_hops(environ: WSGIEnvironment) -> list[str]:
    elements = environ.get("HTTP_FORWARDED", "").split(",")
    found = (_FOR.search(element) for element in elements)
    return ["" if match is None else match[1] or match[2] for match in found]


def _refusal(environ: WSGIEnvironment) -> tuple[str, str] | None:
    """Say what is wrong with the shape of a request: the status to answer and the word to log."""
    if "HTTP_TRANSFER_ENCODING" in environ and environ.get("CONTENT_LENGTH"):
        # RFC 9112 section 6.1: a request with both "ought to be handled as an error": it may be smuggled.
        return "400 Bad Request", "content_length_with_transfer_encoding"
    if len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")) > _MAX_TARGET:
        return "414 URI Too Long", "target_too_long"
    total = 0
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            size = len(name) + len(value)
            if size > _MAX_HEADER:
                return "431 Request Header Fields Too Large", "header_too_long"
            total += size
    if total > _MAX_HEADERS:
        return "431 Request Header Fields Too Large", "headers_too_long"
    return None


def _refuse(start_response: StartResponse, status: str, reason: str) -> Iterable[bytes]:
    _LOG.warning("request_refused", reason=reason, status=int(status[:3]))
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Connection", "close")])
    return [b""]
