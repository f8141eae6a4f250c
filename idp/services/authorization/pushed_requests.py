"""Keeps the requests that clients push until the browser brings their names (RFC 9126)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.pending_authorization import RequestOrigin
from idp.protocol.authorization.pushed import PushedRequest, request_uri_of
from idp.protocol.authorization.request import KNOWN_PARAMETERS, parse
from idp.protocol.authorization.request_object import RequestObjectRefused
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import DirectError, EndpointError, ErrorCode
from idp.services.authorization.request_objects import opened
from idp.storage.repositories import pushed_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.services.context import Context

Pairs = list[tuple[str, str]]


def push(
    context: Context, client: Client, parameters: Mapping[str, str], *, proof_key: str | None = None
) -> dict[str, Any]:
    """Check a request as the authorization endpoint will, and keep it.

    Args:
        context: The parts.
        client: Authenticated; a public one has said its name.
        parameters: The form, with what proves the client or without.
        proof_key: Thumbprint of the key of the DPoP proof that came with the request; None without one.

    Returns:
        The members of the answer (RFC 9126 section 2.2).

    Raises:
        EndpointError: With the code that the authorization endpoint would give (RFC 9126 section 2.3).
    """
    if "request_uri" in parameters:
        # RFC 9126 section 2.1: the one parameter of the authorization endpoint that "MUST NOT be provided".
        raise EndpointError(
            ErrorCode.INVALID_REQUEST, "A request_uri can not be pushed.", reason="request_uri pushed"
        )
    secret, now = new_secret(SecretKind.PUSHED_REQUEST), context.clock()
    origin = RequestOrigin(pushed=digest(secret), is_signed="request" in parameters)
    pairs = _bound(_asked(context, client, parameters), proof_key)
    try:
        parse(pairs, {client.client_id: client}.get, now, origin)
    except (DirectError, RedirectedError) as error:
        raise EndpointError(error.code, error.description, reason=error.reason) from error
    lifetime = context.token_lifetimes.pushed_request
    pushed = PushedRequest(client.client_id, tuple(pairs), origin.is_signed, now, now + lifetime)
    with context.database.write() as connection:
        pushed_requests.create(connection, pushed, uri_hash=digest(secret))
    return {"request_uri": request_uri_of(secret), "expires_in": int(lifetime.total_seconds())}


def _asked(context: Context, client: Client, parameters: Mapping[str, str]) -> Pairs:
    """Take the request out of the form, or out of its request object alone (RFC 9126 section 3)."""
    token = parameters.get("request")
    if token is None:
        # Beside Basic or a certificate the name may be left out; another one was refused with the proof.
        asked = {name: value for name, value in parameters.items() if name in KNOWN_PARAMETERS}
        return list((asked | {"client_id": client.client_id}).items())
    try:
        return opened(context, client, token)
    except RequestObjectRefused as error:
        raise EndpointError(error.code, error.description, reason=error.reason) from error


def _bound(pairs: Pairs, proof_key: str | None) -> Pairs:
    """Bind the code to the key of the proof (RFC 9449 section 10.1)."""
    if proof_key is None:
        return pairs
    asked = dict(pairs).get("dpop_jkt")
    if asked is None:
        return [*pairs, ("dpop_jkt", proof_key)]
    # RFC 9449 section 10.1: "MUST reject the request if the JWK Thumbprint in dpop_jkt does not match the public key
    # in the DPoP header".
    if asked != proof_key:
        raise EndpointError(
            ErrorCode.INVALID_DPOP_PROOF,
            "The dpop_jkt is not the thumbprint of the proof's key.",
            reason="dpop_jkt of another key than the proof",
        )
    return pairs
