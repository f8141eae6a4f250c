"""The addresses that a client registers: redirect URIs, pages, origins, APIs (OIDC Registration 2; RFC 9700 2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from idp.domain.client import ApplicationType, Client
from idp.protocol.authorization.redirect_uri import FORBIDDEN_SCHEMES, scheme

_LONGEST: Final = 2048
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# What an answer adds to a redirect URI: there would be two of them.
_ANSWER_PARAMETERS: Final = frozenset(
    {"code", "state", "iss", "error", "error_description", "id_token", "access_token", "response"}
)

_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?")
_APP_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(?:\.[a-z0-9+\-]+)+")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.\-]*:[^:].*")
_MUST_BE_WEB: Final = "must use https, or http on this very machine"


def redirect_faults(uri: str, client: Client) -> Iterator[str]:
    """Say what is wrong with an address that people are sent to, after a login or a logout."""
    if scheme(uri) in FORBIDDEN_SCHEMES:
        yield "must not have a scheme that runs code or reads what is local"
        return
    faults = tuple(syntax_faults(uri))
    yield from faults
    if faults:
        return
    if client.application_type is ApplicationType.NATIVE and not (is_app(uri) or is_local(uri)):
        # OIDC Registration 2: "Native Clients MUST only register redirect_uris using custom URI schemes
        # or loopback URLs using the http scheme". One with an https address registers as web.
        yield "must be a private-use scheme or http on this very machine for a native application"
    elif is_web(uri):
        return
    elif scheme(uri) == "http":
        # RFC 9700 section 2.6: "Redirect URIs with the http scheme MUST NOT be allowed" but for
        # loopback.
        yield _MUST_BE_WEB
    elif not client.is_public or not is_app(uri):
        # RFC 8252 section 7.1: a domain name of the app's maker, reversed; and an app is public.
        yield "must use https, or for an app without a secret a reversed domain name as scheme"


def web_faults(uri: str) -> Iterator[str]:
    """Say what is wrong with the address of a page, or of something that we ask or call."""
    faults = tuple(syntax_faults(uri))
    yield from faults
    if not faults and not is_web(uri):
        yield _MUST_BE_WEB


def https_faults(uri: str) -> Iterator[str]:
    """Say what is wrong with an address whose content we believe for where it comes from."""
    faults = tuple(syntax_faults(uri))
    yield from faults
    if not faults and not uri.startswith("https://"):
        yield "must use https"


def origin_faults(origin: str) -> Iterator[str]:
    """Say what is wrong with an origin: written as browsers write it, or nothing will ever match (OID-10)."""
    faults = tuple(web_faults(origin))
    if faults:
        yield "must be exact origins, such as https://app.example.org; no null, no wildcard"
        return
    parts = urlsplit(origin)
    if origin != f"{parts.scheme}://{parts.netloc}" or parts.port == _DEFAULT_PORTS[parts.scheme]:
        yield "must have scheme, host and a port that is not the default one, and nothing more"


def resource_faults(uri: str) -> Iterator[str]:
    """Say what is wrong with the name of an API (RFC 8707 section 2: "MUST be an absolute URI")."""
    faults = tuple(syntax_faults(uri))
    yield from faults
    if not faults and (_ABSOLUTE.fullmatch(uri) is None or scheme(uri) in FORBIDDEN_SCHEMES):
        yield "must be an absolute URI"


def syntax_faults(uri: str) -> Iterator[str]:
    """Say what programs would read differently in a URI."""
    if len(uri) > _LONGEST:
        yield f"must have {_LONGEST} characters at most"
        return
    if "#" in uri:
        # RFC 6749 section 3.1.2: "MUST NOT include a fragment component".
        yield "must not have a fragment"
        return
    if _CHARACTERS.fullmatch(uri) is None or _PERCENT.search(uri):
        # Spaces, controls, backslashes, wildcards and letters beyond ASCII: a browser and a
        # server read them differently.
        yield "must have no wildcard and only the characters of RFC 3986"
        return
    yield from _part_faults(uri)


def is_host(text: str) -> bool:
    """Tell whether a text is a host name in lower case."""
    return _HOST.fullmatch(text) is not None


def is_web(uri: str) -> bool:
    """Tell whether a URI that can be parsed is https, or http on this very machine."""
    return uri.startswith("https://") or is_local(uri)


def is_local(uri: str) -> bool:
    """Tell whether a URI that can be parsed is http on this very machine."""
    return uri.startswith("http://") and urlsplit(uri).hostname in _LOCAL_HOSTS


def is_remote_https(uri: str) -> bool:
    """Tell whether a URI that can be parsed is https on another machine."""
    return uri.startswith("https://") and urlsplit(uri).hostname not in _LOCAL_HOSTS


def is_app(uri: str) -> bool:
    """Tell whether a URI has the private-use scheme of an app (RFC 8252 section 7.1)."""
    head, _, rest = uri.partition(":")
    return _APP_SCHEME.fullmatch(head) is not None and rest.startswith("/")


def parsable(uris: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the URIs that every program reads alike."""
    return tuple(uri for uri in uris if not tuple(syntax_faults(uri)))


def origin_of(uri: str) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port of a URI that can be parsed; the default port where it has none."""
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def has_answer_parameter(uri: str) -> bool:
    """Tell whether a redirect URI has a parameter of its own that the answer would repeat."""
    query = uri.partition("?")[2]
    return any(name in _ANSWER_PARAMETERS for name, _ in parse_qsl(query, keep_blank_values=True))


def _part_faults(uri: str) -> Iterator[str]:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        yield "must have a valid host and port"
        return
    if "@" in parts.netloc:
        yield "must not have a user name or a password"
    elif parts.scheme in {"https", "http"} and (port == 0 or not _is_netloc(parts.netloc)):
        yield "must have a valid host, in lower case, and a valid port"
    if ".." in parts.path.split("/"):
        yield "must not have dot segments"


def _is_netloc(netloc: str) -> bool:
    # From the text, not from `hostname`, which is lowered: the comparison of redirect URIs is not.
    if netloc.startswith("["):
        return netloc.partition("]")[0] == "[::1"
    return is_host(netloc.partition(":")[0])
