"""Flask request to plain parameters; plain result to Flask response."""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from flask import Request, request, url_for
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.utils import redirect

from idp.crypto.certificates import CertificateRefused, from_header
from idp.outbound.logs import get_logger
from idp.web.site import site

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from werkzeug.wrappers import Response

    from idp.crypto.certificates import Certificate

_log = get_logger("idp.web")
_REPLACEMENT = "�"
#: Line breaks and tabs belong in a text area; every other control character is an attack or a mistake.
_ALLOWED_CONTROLS = frozenset("\r\n\t")
_MAX_FIELD = 20_000
_FORM = "application/x-www-form-urlencoded"
#: What servers take in a request line (`proxies` refuses more).
_MAX_TARGET = 8_000


class FormParser(FormDataParser):
    """Reads a form so that bytes that are no UTF-8 show, as `TextRequest` reads a query."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, Any]]:
        """Parse a form."""
        if mimetype != _FORM:
            return super().parse(stream, mimetype, content_length, options)
        return stream, self.cls(_pairs(stream.read())), self.cls()


class TextRequest(Request):
    """A request whose parameters are text, or say that they are not.

    Werkzeug leaves bytes that are no UTF-8 escaped, which makes another value of them, and fails on raw ones.
    Here the replacement character stands in their place, which every check of parameters refuses.
    """

    form_data_parser_class = FormParser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The parameters of the query."""
        return ImmutableMultiDict(_pairs(self.query_string))

    @cached_property
    def full_path(self) -> str:
        """The path and the query, to come back to."""
        return f"{self.path}?{self.query_string.decode(errors='replace')}"


def redirect_to(address: str) -> Response:
    """Send the browser on by 303: a form's content is never sent again elsewhere (RFC 9700 section 4.12)."""
    return redirect(address, 303)


def retry_after(answer: Response, wait: timedelta) -> Response:
    """Say on an answer when to come back: never sooner than the end of the wait (S-378)."""
    answer.headers["Retry-After"] = str(max(1, -(-wait // timedelta(seconds=1))))
    return answer


def url(endpoint: str, **values: str | None) -> str:
    """Give the path of a page; parameters that are None are left out."""
    given: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    return url_for(endpoint, **given)


def form() -> MultiDict[str, str]:
    """Read the posted form.

    Raises:
        BadRequest: A field is repeated, too long, not UTF-8, or has control characters.
    """
    return _checked(request.form)


def posted_text(name: str, *, longest: int) -> str:
    """Read one long field of a posted form, for a reader that takes anything: a signed document.

    Raises:
        BadRequest: It is repeated, or longer than that.
    """
    given = request.form.getlist(name)
    if len(given) > 1:
        raise BadRequest(f"{name!r} is repeated")
    text = given[0] if given else ""
    if len(text) > longest:
        raise BadRequest(f"{name!r} is too long")
    return text


def query() -> MultiDict[str, str]:
    """Read the query of a page, with the same checks as `form`."""
    return _checked(request.args)


def internal_path(candidate: str | None) -> str | None:
    """Keep a path of ours to return to; anything that a browser could read as another site is dropped (S-281)."""
    if candidate is None or not candidate.startswith("/") or candidate.startswith(("//", "/\\")):
        return None
    if any(character < " " or character in "\\\x7f" for character in candidate):
        return None
    parts = urlsplit(candidate)
    return None if parts.scheme or parts.netloc else candidate


def client_address() -> IPv4Address | IPv6Address | None:
    """Give the address that the request came from, through trusted proxies only (see `proxies`)."""
    address: IPv4Address | IPv6Address | None = request.environ.get("idp.client_address")
    return address


def client_certificate() -> Certificate | None:
    """Give the certificate that the client's connection showed to a trusted proxy (see `proxies`); None without one.

    One that can't be read is none: whoever needs one is refused, and the log says why.
    """
    value: str | None = request.environ.get("idp.client_certificate")
    if value is None:
        return None
    try:
        return from_header(value)
    except CertificateRefused as error:
        _log.warning("certificate_unreadable", reason=str(error))
        return None


def absolute(path: str) -> str:
    """Give the public address of a path: from the configured issuer, never from the request (S-269)."""
    return site().context.issuer + path


def same_site_get(path: str) -> Response:
    """Turn a form posted by another site into a GET of ours: only then come our Lax cookies (S-207).

    Raises:
        RequestEntityTooLarge: The address would be longer than what servers take.
    """
    address = f"{path}?{urlencode(list(request.form.items(multi=True)), quote_via=quote)}"
    if len(address) > _MAX_TARGET:
        raise RequestEntityTooLarge
    return redirect_to(address)


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    return parse_qsl(encoded.decode(errors="replace"), keep_blank_values=True, errors="replace")


def _checked(values: MultiDict[str, str]) -> MultiDict[str, str]:
    for name, given in values.lists():
        if len(given) > 1:
            raise BadRequest(f"{name!r} is repeated")
        if len(given[0]) > _MAX_FIELD or not _is_text(name) or not _is_text(given[0]):
            raise BadRequest("a field is too long or not text")
    return values


def _is_text(value: str) -> bool:
    if value.isascii() and value.isprintable():
        return True
    return not any(
        character == _REPLACEMENT
        or (unicodedata.category(character) in {"Cc", "Cs"} and character not in _ALLOWED_CONTROLS)
        for character in value
    )
