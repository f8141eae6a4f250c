"""Who the request comes from: forwarded headers are believed from named proxies only; framing tricks are refused.

Runs before Flask. Everything forwarded by anybody else is removed, so that nothing later can read it by mistake
(RFC 9700 section 4.13).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

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
_MAX_HEADERS = 32_768


class Proxies:
    """WSGI middleware that writes `idp.client_address` and the issuer's scheme and host into the environment.

    Args:
        app: The application behind.
        trusted: Networks of the proxies that are believed.
        issuer_scheme: "https" or "http": links are made from the issuer, never from the request.
        issuer_host: Host, and port when it is not the scheme's own.
    """

    def __init__(
        self, app: WSGIApplication, trusted: tuple[Network, ...], issuer_scheme: str, issuer_host: str
    ) -> None:
        self._app = app
        self._trusted = trusted
        self._scheme = issuer_scheme
        self._host = issuer_host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Refuse ambiguous framing, find the client's address, go on."""
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("CONTENT_LENGTH"):
            # RFC 9112 section 6.1: a request with both "ought to be handled as an error": it may be smuggled.
            return _refuse(start_response, "400 Bad Request")
        if _header_size(environ) > _MAX_HEADERS:
            return _refuse(start_response, "431 Request Header Fields Too Large")
        environ["idp.client_address"] = self._client_address(environ)
        for name in _FORWARDED:
            environ.pop(name, None)
        environ["wsgi.url_scheme"] = self._scheme
        environ["HTTP_HOST"] = self._host
        return self._app(environ, start_response)

    def _client_address(self, environ: WSGIEnvironment) -> IPv4Address | IPv6Address | None:
        address = _parsed(environ.get("REMOTE_ADDR", ""))
        if not self._trusted or not self._is_trusted(address):
            return address
        # From the nearest hop outwards: the first address that is not a proxy of ours is the client's.
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            candidate = _parsed(hop.strip())
            if candidate is None:
                return address
            address = candidate
            if not self._is_trusted(candidate):
                return candidate
        return address

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _header_size(environ: WSGIEnvironment) -> int:
    return sum(
        len(name) + len(value)
        for name, value in environ.items()
        if isinstance(value, str) and (name.startswith("HTTP_") or name == "QUERY_STRING")
    )


def _refuse(start_response: StartResponse, status: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Connection", "close")])
    return [b""]
