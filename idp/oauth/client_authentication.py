"""Client authentication at back-channel endpoints (RFC 6749 section 2.3; RFC 7523; RFC 8705; OID-4).

Ours, for Authlib's takes two methods at once, answers 500 to bytes that are not UTF-8, and tells unknown
clients apart. Exactly one method, and the one the client registered: what a request looks like never chooses how
it is checked.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from idp.crypto.certificates import CertificateRefused
from idp.crypto.jwt import JWTRefused, unverified_claims, verified_hs256
from idp.crypto.opaque import SecretKind, digest, equal, is_well_formed
from idp.domain.client import CERTIFICATE_METHODS
from idp.domain.client import ClientAuthenticationMethod as Method
from idp.outbound.logs import get_logger
from idp.protocol.clients import assertion, profile
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.clients.assertions import use_once
from idp.services.clients.certificates import check_certificate
from idp.services.clients.key_sets import KeySetUnavailable, signed_claims
from idp.services.clients.secrets import bound_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from idp.domain.client import Client, ClientSecret
    from idp.oauth.request import BackChannelRequest
    from idp.services.context import Context

_BY_ASSERTION: Final = frozenset({Method.PRIVATE_KEY_JWT, Method.SECRET_JWT})
_LOG: Final = get_logger("idp.oauth")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the request says who sends it.

    Attributes:
        methods: The methods that send what came; which of them it is, the client's registration says.
        client_id: Who it claims to be.
        proof: Secret or assertion; empty when there is none in the request.
    """

    methods: frozenset[Method]
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
        # The same work as for a wrong secret: how long it takes does not tell who is a client.
        _is_live_secret((), credentials.proof, context.clock())
        raise _refused("unknown client", used_basic=used_basic)
    if not client.is_enabled(context.clock()):
        raise _refused("client disabled", used_basic=used_basic)
    if client.authentication_method not in credentials.methods:
        raise _refused("another method than registered", used_basic=used_basic)
    if client.is_fapi2 and client.authentication_method not in profile.METHODS:
        raise _refused("a method that FAPI 2.0 does not have", used_basic=used_basic)
    try:
        _check_proof(context, client, credentials.proof, request)
    except (JWTRefused, CertificateRefused, KeySetUnavailable) as error:
        raise _refused(f"{client.authentication_method}: {error}", used_basic=used_basic) from error
    request.client = client
    return client


def _credentials(request: BackChannelRequest) -> Credentials:
    parameters = request.parameters
    has_secret = "client_secret" in parameters
    has_assertion = not parameters.keys().isdisjoint({"client_assertion", "client_assertion_type"})
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
        return Credentials(frozenset({Method.SECRET_POST}), client_id, parameters["client_secret"])
    # RFC 8705 section 2: a client that shows a certificate sends its client_id, and nothing else.
    return Credentials(CERTIFICATE_METHODS | {Method.NONE}, client_id)


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
    return Credentials(frozenset({Method.SECRET_BASIC}), name, secret)


def _assertion(parameters: Mapping[str, str]) -> Credentials:
    token = parameters.get("client_assertion", "")
    if parameters.get("client_assertion_type") != assertion.ASSERTION_TYPE:
        raise _refused("unknown client_assertion_type", used_basic=False)
    try:
        client_id = assertion.client_named_by(unverified_claims(token))
    except JWTRefused as error:
        raise _refused(f"client_assertion: {error}", used_basic=False) from error
    if client_id is None or parameters.get("client_id", client_id) != client_id:
        raise _refused("client_assertion of another client_id", used_basic=False)
    return Credentials(_BY_ASSERTION, client_id, token)


def _check_proof(context: Context, client: Client, proof: str, request: BackChannelRequest) -> None:
    match client.authentication_method:
        case Method.NONE:
            return
        case Method.SECRET_BASIC | Method.SECRET_POST:
            if not _is_live_secret(client.secrets, proof, context.clock()):
                raise _refused("wrong secret", used_basic=request.authorization is not None)
        case Method.SECRET_JWT:
            _use_assertion(context, client, _signed_by_secret(context, client, proof), request.path)
        case Method.PRIVATE_KEY_JWT:
            claims = signed_claims(context, client, proof, algorithms=assertion.algorithms(client))
            _use_assertion(context, client, claims, request.path)
        case Method.TLS | Method.SELF_SIGNED_TLS:
            check_certificate(context, client, request.certificate)


def _is_live_secret(secrets: tuple[ClientSecret, ...], secret: str, now: datetime) -> bool:
    if not is_well_formed(SecretKind.CLIENT_SECRET, secret):
        return False
    given = digest(secret)
    live = [one.secret_hash for one in secrets if one.is_live(now)]
    return any([equal(given, secret_hash) for secret_hash in live])  # noqa: C419 - every one, whatever the match


def _signed_by_secret(context: Context, client: Client, token: str) -> dict[str, Any]:
    if client.authentication_signing_alg not in {None, "HS256"}:
        raise JWTRefused("another algorithm than allowed")
    refusal = JWTRefused("no live secret that can be read back")
    for secret in _live_secrets(context, client):
        try:
            return verified_hs256(token, secret)
        except JWTRefused as error:
            refusal = error
    raise refusal


def _live_secrets(context: Context, client: Client) -> Iterator[str]:
    """Read back the secrets that a client signs with: two during a rotation."""
    now = context.clock()
    for secret in client.secrets:
        if secret.sealed is None or not secret.is_live(now):
            continue
        try:
            yield context.sealer.unseal(secret.sealed, bound_to=bound_to(client.client_id)).decode()
        except ValueError:
            # Sealed with the keys of another installation: the others may do, and the client can have a new one.
            _LOG.error("client_secret_unreadable", client_id=client.client_id)


def _use_assertion(context: Context, client: Client, claims: dict[str, Any], path: str) -> None:
    use = assertion.check_claims(
        claims,
        client_id=client.client_id,
        issuer=context.issuer,
        now=context.clock(),
        endpoints=assertion.endpoint_audiences(client, context.origins, path),
    )
    if not use_once(context, client, use):
        raise _refused("client_assertion used before", used_basic=False)


def _refused(reason: str, *, used_basic: bool) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_CLIENT, reason=reason, used_basic=used_basic)
