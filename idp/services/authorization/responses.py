"""Brings answers of the authorization endpoint to the client, signed where that was asked for (JARM)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idp.crypto.jwt import sign
from idp.protocol.authorization.response_mode import answer_fields, carried, signed_fields
from idp.services.clients.encryption import encrypted

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.protocol.authorization.response_mode import AuthorizationResponse, RedirectedError, ReturnAddress
    from idp.services.context import Context

#: JARM 2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED"; the way through a browser is shorter.
_LIFETIME: Final = timedelta(minutes=2)


def bring(context: Context, address: ReturnAddress, parameters: dict[str, str]) -> AuthorizationResponse:
    """Bring parameters to the client, with its `state` and who answers (RFC 6749 section 4.1.2, RFC 9207)."""
    fields = answer_fields(address, parameters, issuer=context.issuer)
    if address.signed_for is None:
        return carried(address, fields)
    return carried(address, {"response": _signed(context, address.signed_for, fields)})


def bring_error(context: Context, error: RedirectedError) -> AuthorizationResponse:
    """Bring an error to the client (RFC 6749 section 4.1.2.1)."""
    return bring(context, error.address, dict(error.body))


def _signed(context: Context, client: Client, fields: dict[str, str]) -> str:
    alg = client.authorization_signed_response_alg or client.id_token_signed_response_alg
    claims = signed_fields(fields, client_id=client.client_id, now=context.clock(), lifetime=_LIFETIME)
    answer = sign(claims, context.keys.keyring().signing_key(alg), typ="JWT")
    if client.authorization_encryption is None:
        return answer
    return encrypted(context, client, client.authorization_encryption, answer)
