"""Requests that come as an object or by its name: pushed, by value, by reference (RFC 9101, RFC 9126)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from idp.crypto.jwe import JWERefused, decrypt, protected_header
from idp.crypto.jwt import JWTRefused, unverified_header
from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.pending_authorization import DIRECT, RequestOrigin
from idp.outbound.http import Unreachable
from idp.protocol.authorization.pushed import URN, secret_of
from idp.protocol.authorization.request import (
    KNOWN_PARAMETERS,
    Draft,
    answer_mode_is_allowed,
    client_is_known,
    redirect_uri_matches,
)
from idp.protocol.authorization.request_object import (
    MEDIA_TYPES,
    RequestObjectRefused,
    algorithms_of,
    check_encryption,
    check_header,
    is_encrypted,
    parameters_of,
)
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import DirectError, ErrorCode, Problem, ProtocolError
from idp.protocol.parameters import LIMITS, single_values
from idp.services.clients.key_sets import KeySetUnavailable, signed_claims
from idp.storage.repositories import pushed_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.engine import Connection

_OK: Final = 200
_ACCEPT: Final = {"Accept": ", ".join(MEDIA_TYPES)}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request taken out of what carried it.

    Attributes:
        pairs: Its parameters, as if they had come in the query; nothing of the outside is left.
        origin: How it came.
    """

    pairs: list[tuple[str, str]]
    origin: RequestOrigin


def resolve(context: Context, pairs: Iterable[tuple[str, str]]) -> Resolved:
    """Take a request out of what carries it; opens its own reads, and none while it fetches.

    Args:
        context: The parts.
        pairs: Parameters as received, "request" or "request_uri" among their names.

    Returns:
        The parameters to be parsed, and how they came.

    Raises:
        DirectError: The client is not known, or nothing proves where an answer may go; or what was pushed is
            unknown, expired, used or another's.
        RedirectedError: The object or its address is refused, for the client to hear.
    """
    received = list(pairs)
    with context.database.read() as connection:
        outer = Draft(
            single_values(received, KNOWN_PARAMETERS),
            partial(context.clients.find, connection),
            context.clock(),
        )
        client_is_known(outer)
        if not _is_confused(outer) and (outer.get("request_uri") or "").startswith(URN):
            return _pushed(context, connection, outer)
    try:
        return _carried(context, outer, received)
    except RequestObjectRefused as error:
        raise _refusal(outer, error) from error


def opened(context: Context, client: Client, token: str) -> list[tuple[str, str]]:
    """Take the parameters out of a request object of a client.

    Raises:
        RequestObjectRefused: Not signed by the client, for another provider, of another time, or malformed.
    """
    signed = _decrypted(context, client, token)
    try:
        check_header(unverified_header(signed), client)
        claims = signed_claims(context, client, signed, algorithms=algorithms_of(client))
    except (JWTRefused, KeySetUnavailable) as error:
        raise RequestObjectRefused(
            "The signature of the request object is not valid.", reason=str(error)
        ) from error
    return parameters_of(claims, client, issuer=context.issuer, now=context.clock())


def _decrypted(context: Context, client: Client, token: str) -> str:
    """Take a signed object out of its encryption (RFC 9101 section 6.1); one that has none stays as it is."""
    if not is_encrypted(token):
        check_encryption(None, client)
        return token
    try:
        header = protected_header(token)
        check_encryption(header, client)
        return decrypt(token, context.keys.keyring().decryption_keys()).decode("ascii")
    except (JWERefused, UnicodeDecodeError) as error:
        raise RequestObjectRefused(
            "The request object can not be decrypted.", reason="can't be decrypted"
        ) from error


def _is_confused(outer: Draft) -> bool:
    names = ("request", "request_uri")
    return any(map(outer.received.is_broken, names)) or all(outer.get(name) is not None for name in names)


def _pushed(context: Context, connection: Connection, outer: Draft) -> Resolved:
    """Find what the client pushed; it may be opened again until it is answered (RFC 9126 section 4)."""
    secret = secret_of(outer.get("request_uri") or "") or ""
    uri_hash = digest(secret)
    well_formed = is_well_formed(SecretKind.PUSHED_REQUEST, secret)
    pushed = pushed_requests.find(connection, uri_hash) if well_formed else None
    if pushed is None:
        raise _gone(outer.client, "pushed request unknown")
    # RFC 9126 section 2.2: "The request_uri value MUST be bound to the client that posted the authorization request."
    if pushed.client_id != outer.client.client_id:
        raise _gone(outer.client, "pushed request of another client")
    if not pushed.is_waiting(context.clock()):
        raise _gone(outer.client, "pushed request expired or used")
    return Resolved(list(pushed.parameters), RequestOrigin(pushed=uri_hash, is_signed=pushed.is_signed))


def _gone(client: Client, reason: str) -> DirectError:
    return DirectError(
        ErrorCode.INVALID_REQUEST_URI, reason=reason, problem=Problem.REQUEST_EXPIRED, client=client
    )


def _carried(context: Context, outer: Draft, received: list[tuple[str, str]]) -> Resolved:
    if _is_confused(outer):
        # RFC 9101 section 5: "MUST NOT be used together".
        raise RequestObjectRefused(
            "Send request or request_uri, once.",
            reason="request and request_uri together, repeated or malformed",
            code=ErrorCode.INVALID_REQUEST,
        )
    token, uri = outer.get("request"), outer.get("request_uri")
    if uri is not None:
        token = _fetched(context, outer.client, uri)
    if token is None:
        # RFC 6749 section 3.1: what is sent without a value is not sent.
        return Resolved(received, DIRECT)
    return Resolved(opened(context, outer.client, token), RequestOrigin(is_signed=True))


def _fetched(context: Context, client: Client, uri: str) -> str:
    """Fetch an object from an address that the client registered: from no other, for anybody can send one here."""
    address = _without_fragment(uri)
    if address not in map(_without_fragment, client.request_uris):
        raise _unfetched("request_uri not registered")
    try:
        answer = context.http.request("GET", address, headers=_ACCEPT)
    except Unreachable as error:
        raise _unfetched(f"request_uri: {error.kind}") from error
    if answer.status != _OK or answer.media_type not in MEDIA_TYPES:
        raise _unfetched(f"request_uri: status {answer.status} or another media type")
    if len(answer.body) > LIMITS["request"]:
        raise _unfetched("request_uri: too large")
    return answer.body.decode("ascii", "replace").strip()


def _unfetched(reason: str) -> RequestObjectRefused:
    return RequestObjectRefused(
        "The request_uri is not registered, or does not lead to a request object.",
        reason=reason,
        code=ErrorCode.INVALID_REQUEST_URI,
    )


def _without_fragment(uri: str) -> str:
    # OIDC Core 6.2: a fragment is a digest of the content, which tells caches apart; nothing is cached here.
    return uri.partition("#")[0]


def _refusal(outer: Draft, error: RequestObjectRefused) -> ProtocolError:
    """Send an error to the redirect URI beside the object, where the client registered it; else to our page."""
    try:
        redirect_uri_matches(outer)
    except DirectError:
        return DirectError(error.code, error.description, reason=error.reason, client=outer.client)
    # A mode that is not allowed is the lesser fault: the one of the response type stays.
    with suppress(RedirectedError):
        answer_mode_is_allowed(outer)
    return outer.refusal(error.code, error.description, reason=error.reason)
