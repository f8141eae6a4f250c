"""Proofs of possession: DPoP (RFC 9449) and certificates (RFC 8705 section 3); what tokens are bound to."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from idp.crypto.jwt import (
    JWTRefused,
    jwk_thumbprint,
    public_key_of,
    unverified_header,
    verified_header_claims,
)
from idp.crypto.opaque import keyed_digest
from idp.domain.tokens import PROOF_ALGORITHMS, Confirmation, ConfirmationMethod
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens import dpop as rules
from idp.storage.engine import retried
from idp.storage.repositories import clients

if TYPE_CHECKING:
    from typing import Any

    from idp.crypto.certificates import Certificate
    from idp.domain.client import Client
    from idp.protocol.tokens.dpop import ProofUse
    from idp.services.context import Context

#: A nonce is good for the part of its life in which it was made, and for the next one.
_PARTS_OF_A_LIFE: Final = 2
_NONCE_BYTES: Final = 18


def check_proof(
    context: Context,
    proof: str,
    *,
    method: str,
    path: str,
    client_id: str,
    access_token: str | None = None,
) -> str:
    """Check a DPoP proof, and use it up (RFC 9449 section 4.3).

    Args:
        context: The parts.
        proof: The DPoP header, as received.
        method: HTTP method of the request.
        path: Path of the endpoint, below the issuer; also below the address where certificates are asked for.
        client_id: Whose request it is.
        access_token: The token that comes with it; None at the endpoints that give tokens.

    Returns:
        The thumbprint of the key that was proven: `jkt`.

    Raises:
        EndpointError: invalid_dpop_proof; use_dpop_nonce, when a nonce is demanded or the one given is too old.
    """
    thumbprint, claims = _verified(proof)
    expected = rules.Expected(
        method, _addresses(context, path), access_token, context.clock(), context.dpop.proof_age
    )
    use = rules.check_claims(claims, expected)
    _check_nonce(context, use)
    if not _use_once(context, use, thumbprint=thumbprint, place=f"{method} {path}", client_id=client_id):
        raise _refused("used before")
    return thumbprint


def nonce(context: Context) -> str:
    """Give the nonce of this moment: made of time and a key that every node has, so that nothing is kept."""
    return _nonce_of(context, _part(context))


def sender_constraint(
    context: Context, client: Client, *, dpop: str | None, certificate: Certificate | None, path: str
) -> Confirmation | None:
    """Say what the tokens of a request are bound to, and refuse a request that lacks what they must be bound to.

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        dpop: The DPoP header of the request.
        certificate: What the client's connection showed.
        path: Path of the endpoint.

    Returns:
        The key or certificate; None for a token that whoever holds it may use.

    Raises:
        EndpointError: invalid_dpop_proof or use_dpop_nonce; invalid_request without the certificate.
    """
    if client.tls_bound_access_tokens:
        return _certificate_bound(certificate, has_proof=dpop is not None)
    if dpop is not None:
        thumbprint = check_proof(context, dpop, method="POST", path=path, client_id=client.client_id)
        return Confirmation(ConfirmationMethod.DPOP, thumbprint)
    if client.dpop_bound_access_tokens:
        # RFC 9449 section 5.2: "MUST reject token requests from the client that do not contain the DPoP header".
        raise _refused("no DPoP header from a client that registered for it")
    if not client.is_fapi2:
        return None
    if certificate is None:
        # FAPI 2.0 Security Profile 5.3.2.1: "shall only issue sender-constrained access tokens".
        raise _refused("neither proof nor certificate from a FAPI client")
    return Confirmation(ConfirmationMethod.CERTIFICATE, certificate.thumbprint)


def _certificate_bound(certificate: Certificate | None, *, has_proof: bool) -> Confirmation:
    if certificate is None:
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "A client certificate is needed.",
            reason="no certificate from a client that registered for it",
        )
    if has_proof:
        # A token names one key: to bind it to the other one would mislead whoever sends both.
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "The tokens of this client are bound to its certificate, not to a DPoP key.",
            reason="proof from a client whose tokens are bound to its certificate",
        )
    return Confirmation(ConfirmationMethod.CERTIFICATE, certificate.thumbprint)


def _verified(proof: str) -> tuple[str, dict[str, Any]]:
    """Check the signature of a proof with the key it shows; whose key that is, the thumbprint says."""
    try:
        header = unverified_header(proof)
        jwk = rules.public_jwk(header)
        keys = {header.get("kid"): public_key_of(jwk)}
        return jwk_thumbprint(jwk), verified_header_claims(proof, keys, PROOF_ALGORITHMS)[1]
    except JWTRefused as error:
        raise _refused(str(error)) from error


def _addresses(context: Context, path: str) -> tuple[str, ...]:
    return tuple(origin + path for origin in context.origins)


def _check_nonce(context: Context, use: ProofUse) -> None:
    if use.nonce is None:
        if context.dpop.require_nonce:
            raise EndpointError(ErrorCode.USE_DPOP_NONCE, reason="proof without a nonce")
        return
    present = _part(context)
    # The next one too: the clock of another node, which made it, may be ahead of ours.
    live = {_nonce_of(context, part) for part in (present - 1, present, present + 1)}
    if use.nonce not in live:
        raise EndpointError(ErrorCode.USE_DPOP_NONCE, reason="proof with a nonce too old, or not ours")


def _part(context: Context) -> int:
    length = context.dpop.nonce_lifetime / _PARTS_OF_A_LIFE
    return int(context.clock().timestamp() / length.total_seconds())


def _nonce_of(context: Context, part: int) -> str:
    raw = keyed_digest(context.derived.dpop_nonce, "nonce", str(part))
    return base64.urlsafe_b64encode(raw[:_NONCE_BYTES]).decode()


@retried
def _use_once(context: Context, use: ProofUse, *, thumbprint: str, place: str, client_id: str) -> bool:
    """Remember a proof until it expires, on every node; False when it was used before (RFC 9449 section 11.1)."""
    jti_hash = keyed_digest(context.derived.codes, "dpop-proof", thumbprint, place, use.jti)
    with context.database.write() as connection:
        return clients.use_assertion(
            connection, jti_hash=jti_hash, client_id=client_id, expires_at=use.expires_at
        )


def _refused(reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_DPOP_PROOF, reason=reason)
