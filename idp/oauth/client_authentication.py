"""Client authentication at back-channel endpoints (RFC 6749 section 2.3; RFC 7523; OID-4).

Ours, for Authlib's takes two methods at once, answers 500 to bytes that are not UTF-8, and tells unknown
clients apart. Exactly one method, and the one the client registered.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from idp.crypto.jwt import JWTRefused, public_keys, unverified_claims, verified_claims
from idp.crypto.opaque import SecretKind, digest, equal, is_well_formed
from idp.domain.client import ClientAuthenticationMethod
from idp.protocol.clients import assertion
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.clients.assertions import use_once

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.oauth.request import BackChannelRequest
    from idp.services.context import Context

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEFAULT_ASSERTION_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the request says who sends it.

    Attributes:
        method: The method used.
        client_id: Who it claims to be.
        proof: Secret or assertion; empty for a public client.
    """

    method: ClientAuthenticationMethod
    client_id: str
    proof: str = ""


def authenticate(context: Context, request: BackChannelRequest) -> Client:
    """Find the client that sent a request, and check that it is that client.

    Raises:
        EndpointError: invalid_client, or invalid_request when several methods are used at once.
    """
    used_basic = request.authorization is not None
    credentials = _credentials(request)
    if not credentials.client_id.isprintable():
        # From a header or an assertion, which may hold what no database takes: NUL, half a surrogate pair.
        raise _refused("client_id of unprintable characters", used_basic=used_basic)
    with context.database.read() as connection:
        client = context.clients.find(connection, credentials.client_id)
    if client is None:
        raise _refused("unknown client", used_basic=used_basic)
    if not client.is_enabled(context.clock()):
        raise _refused("client disabled", used_basic=used_basic)
    if credentials.method is not client.authentication_method:
        raise _refused("another method than registered", used_basic=used_basic)
    _check_proof(context, client, credentials, used_basic=used_basic)
    return client


def _credentials(request: BackChannelRequest) -> Credentials:
    parameters = request.parameters
    has_secret, has_assertion = "client_secret" in parameters, "client_assertion" in parameters
    if sum((request.authorization is not None, has_secret, has_assertion)) > 1:
        # RFC 6749 section 2.3: "The client MUST NOT use more than one authentication method in each request."
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "More than one client authentication method is used.",
            reason="several client authentication methods",
        )
    if request.authorization is not None:
        return _basic(request.authorization, parameters.get("client_id"))
    if has_assertion:
        return _assertion(parameters)
    client_id = parameters.get("client_id")
    if client_id is None:
        raise _refused("no client named", used_basic=False)
    if has_secret:
        return Credentials(ClientAuthenticationMethod.SECRET_POST, client_id, parameters["client_secret"])
    return Credentials(ClientAuthenticationMethod.NONE, client_id)


def _basic(header: str, client_id: str | None) -> Credentials:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _refused("another scheme than Basic", used_basic=True)
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise _refused("unreadable Basic credentials", used_basic=True) from error
    name, colon, secret = decoded.partition(":")
    # RFC 6749 section 2.3.1: both are form-urlencoded before they are joined.
    name, secret = unquote_plus(name), unquote_plus(secret)
    if not colon or (client_id is not None and client_id != name):
        raise _refused("Basic credentials without a secret, or of another client_id", used_basic=True)
    return Credentials(ClientAuthenticationMethod.SECRET_BASIC, name, secret)


def _assertion(parameters: Any) -> Credentials:  # noqa: ANN401 - a mapping of texts
    token = parameters["client_assertion"]
    if parameters.get("client_assertion_type") != _ASSERTION_TYPE:
        raise _refused("unknown client_assertion_type", used_basic=False)
    try:
        client_id = assertion.client_named_by(unverified_claims(token))
    except JWTRefused as error:
        raise _refused(f"client_assertion: {error}", used_basic=False) from error
    if client_id is None or parameters.get("client_id", client_id) != client_id:
        raise _refused("client_assertion of another client_id", used_basic=False)
    return Credentials(ClientAuthenticationMethod.PRIVATE_KEY_JWT, client_id, token)


def _check_proof(context: Context, client: Client, credentials: Credentials, *, used_basic: bool) -> None:
    match credentials.method:
        case ClientAuthenticationMethod.NONE:
            return
        case ClientAuthenticationMethod.PRIVATE_KEY_JWT:
            _check_assertion(context, client, credentials.proof)
        case _:
            _check_secret(context, client, credentials.proof, used_basic=used_basic)


def _check_secret(context: Context, client: Client, secret: str, *, used_basic: bool) -> None:
    if not is_well_formed(SecretKind.CLIENT_SECRET, secret):
        raise _refused("malformed secret", used_basic=used_basic)
    now, given = context.clock(), digest(secret)
    live = [one.secret_hash for one in client.secrets if one.is_live(now)]
    if not any([equal(given, secret_hash) for secret_hash in live]):  # noqa: C419 - every one, whatever the match
        raise _refused("wrong secret", used_basic=used_basic)


def _check_assertion(context: Context, client: Client, token: str) -> None:
    algorithms = (
        (client.authentication_signing_alg,)
        if client.authentication_signing_alg
        else _DEFAULT_ASSERTION_ALGORITHMS
    )
    try:
        claims = verified_claims(token, public_keys(client.jwks or {}), algorithms=algorithms)
    except JWTRefused as error:
        raise _refused(f"client_assertion: {error}", used_basic=False) from error
    use = assertion.check_claims(
        claims, client_id=client.client_id, issuer=context.issuer, now=context.clock()
    )
    if not use_once(context, client, use):
        raise _refused("client_assertion used before", used_basic=False)


def _refused(reason: str, *, used_basic: bool) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_CLIENT, reason=reason, used_basic=used_basic)
