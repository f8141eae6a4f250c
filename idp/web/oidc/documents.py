"""GET /.well-known/openid-configuration and /jwks.json: bytes built once, answered before Flask.

Any origin may read them (OID-10); a cache keeps them for an hour, which is less than the least age of a key
that signs (OPS-4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from idp.crypto.keyring import KeyringError
from idp.web.request_log import ROUTE
from idp.web.security_headers import STRICT_TRANSPORT_SECURITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from idp.crypto.keyring import Keyring
    from idp.services.context import Context

_CACHE = "public, max-age=3600"
_COMMON = (
    ("Cache-Control", _CACHE),
    ("Access-Control-Allow-Origin", "*"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
_METHODS = "GET, HEAD, OPTIONS"
_RETRY_SECONDS = "5"
DISCOVERY = "/.well-known/openid-configuration"
#: The same document under the name that OAuth gives it (RFC 8414 section 3).
SERVER_METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/jwks.json"
_PATHS = frozenset({DISCOVERY, SERVER_METADATA, JWKS})


@dataclass(frozen=True, slots=True)
class Document:
    """One document, ready to be sent."""

    body: bytes
    etag: str
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls, content: Mapping[str, Any], content_type: str, common: tuple[tuple[str, str], ...]
    ) -> Document:
        """Encode once."""
        body = msgspec.json.encode(content)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("ETag", etag),
            *common,
        )
        return cls(body, etag, headers)

    def is_known_to(self, environ: WSGIEnvironment) -> bool:
        """Tell whether whoever asks has this very content (RFC 9110 section 13.1.2: weak comparison)."""
        wanted: str = environ.get("HTTP_IF_NONE_MATCH", "")
        tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
        return self.etag in tags or "*" in tags


class Documents:
    """WSGI middleware: the two documents, else the application behind.

    Args:
        app: The application behind.
        context: Its keys; the documents follow their rotation.
        metadata: Makes the provider metadata for the keys that are there.
    """

    def __init__(
        self, app: WSGIApplication, context: Context, metadata: Callable[[Keyring], Mapping[str, Any]]
    ) -> None:
        self._app = app
        self._context = context
        self._metadata = metadata
        # Before Flask nobody else dresses the answer (S-460).
        is_https = context.issuer.startswith("https://")
        self._common = (*_COMMON, *((STRICT_TRANSPORT_SECURITY,) if is_https else ()))
        self._keyring: Keyring | None = None
        self._documents: dict[str, Document] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or pass on."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path not in _PATHS:
            return self._app(environ, start_response)
        environ[ROUTE] = path
        if method not in {"GET", "HEAD"}:
            status = "204 No Content" if method == "OPTIONS" else "405 Method Not Allowed"
            return self._nothing(start_response, status, ("Allow", _METHODS))
        try:
            document = self._document(path)
        except KeyringError:
            return self._nothing(start_response, "503 Service Unavailable", ("Retry-After", _RETRY_SECONDS))
        if document.is_known_to(environ):
            start_response("304 Not Modified", [("ETag", document.etag), *self._common])
            return []
        start_response("200 OK", list(document.headers))
        return [] if method == "HEAD" else [document.body]

    def _nothing(
        self, start_response: StartResponse, status: str, header: tuple[str, str]
    ) -> Iterable[bytes]:
        kept = [(name, value) for name, value in self._common if name != "Cache-Control"]
        start_response(status, [header, ("Content-Length", "0"), ("Cache-Control", "no-store"), *kept])
        return []

    def _document(self, path: str) -> Document:
        keyring = self._context.keys.keyring()
        if keyring is not self._keyring:
            metadata = Document.of(self._metadata(keyring), "application/json", self._common)
            self._documents = {
                DISCOVERY: metadata,
                SERVER_METADATA: metadata,
                JWKS: Document.of(keyring.jwks(), "application/jwk-set+json", self._common),
            }
            self._keyring = keyring
        return self._documents[path]
