"""GET /.well-known/openid-configuration and /jwks.json: bytes built once, answered before Flask (design 8).

Any origin may read them (OID-10); a cache keeps them for an hour, which is less than the least age of a key
that signs (OPS-4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from idp.web.request_log import ROUTE

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
    def of(cls, content: Mapping[str, Any], content_type: str) -> Document:
        """Encode once."""
        body = msgspec.json.encode(content)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("ETag", etag),
            *_COMMON,
        )
        return cls(body, etag, headers)


class Documents:
    """WSGI middleware: the two documents, else the application behind.

    Args:
        app: The application behind.
        context: Its keys; the documents follow their rotation.
        metadata: Makes the provider metadata for the algorithms that keys are there for.
    """

    def __init__(
        self, app: WSGIApplication, context: Context, metadata: Callable[[tuple[str, ...]], Mapping[str, Any]]
    ) -> None:
        self._app = app
        self._context = context
        self._metadata = metadata
        self._keyring: Keyring | None = None
        self._documents: dict[str, Document] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or pass on."""
        path = environ["PATH_INFO"]
        if path not in _PATHS or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._app(environ, start_response)
        environ[ROUTE] = path
        document = self._document(path)
        if environ.get("HTTP_IF_NONE_MATCH") == document.etag:
            start_response("304 Not Modified", [("ETag", document.etag), *_COMMON])
            return []
        start_response("200 OK", list(document.headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [document.body]

    def _document(self, path: str) -> Document:
        keyring = self._context.keys.keyring()
        if keyring is not self._keyring:
            metadata = Document.of(self._metadata(keyring.algorithms()), "application/json")
            self._documents = {
                DISCOVERY: metadata,
                SERVER_METADATA: metadata,
                JWKS: Document.of(keyring.jwks(), "application/jwk-set+json"),
            }
            self._keyring = keyring
        return self._documents[path]
