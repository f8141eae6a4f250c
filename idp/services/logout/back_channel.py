"""Delivers logout tokens to services (Back-Channel Logout 2.5 to 2.8; OID-6)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from idp.crypto.jwt import sign
from idp.crypto.keyring import KeyringError
from idp.outbound.http import Unreachable
from idp.protocol.logout import backchannel
from idp.services.clients.encryption import KeySetUnavailable, encrypted
from idp.services.delivery import Dead, Delivered, Dropped, Failed, Outcome, not_reached, not_taken
from idp.services.sign_in import endings
from idp.services.sign_in.wire_session import wire_session_id

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.services.sign_in.endings import Ending
    from idp.storage.repositories.outbox import Message

_HEADERS: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class LogoutCourier:
    """Signs a logout token at its delivery, for it lives two minutes, and posts it."""

    kind: str = endings.KIND

    def recipient(self, context: Context, message: Message) -> str | None:
        """Name the service that a message goes to; None when it can't be read."""
        ending = _opened(context, message)
        return None if ending is None else ending.client_id

    def deliver(self, context: Context, message: Message) -> Outcome:
        """Post one logout token."""
        ending = _opened(context, message)
        if ending is None:
            return Dead("can't be unsealed: the keys are others than when it was queued")
        with context.database.read() as connection:
            client = context.clients.find(connection, ending.client_id)
        if client is None or not client.is_enabled(context.clock()) or client.backchannel_logout_uri is None:
            return Dropped("the service is gone, is off or wants no notice any more")
        # Another one for each try: a service that took the last and could not say so refuses a `jti` it knows.
        jti = f"{message.message_id}-{message.attempts}"
        try:
            token = logout_token(context, client, ending, jti=jti)
        except (KeyringError, KeySetUnavailable) as error:
            return Failed(str(error))
        return _posted(context, client.backchannel_logout_uri, token)


def logout_token(context: Context, client: Client, ending: Ending, *, jti: str) -> str:
    """Sign a logout token, and encrypt it, as the client's ID tokens are (Back-Channel Logout 2.4).

    Raises:
        KeyringError: No key of its algorithm is active.
        KeySetUnavailable: The client's key to encrypt to can't be had.
    """
    claims = backchannel.logout_claims(
        issuer=context.issuer,
        client_id=client.client_id,
        subject=ending.subject,
        sid=wire_session_id(context, ending.session_id, client.client_id),
        jti=jti,
        now=context.clock(),
    )
    key = context.keys.keyring().signing_key(client.id_token_signed_response_alg)
    token = sign(claims, key, typ=backchannel.TYP)
    if client.id_token_encryption is None:
        return token
    return encrypted(context, client, client.id_token_encryption, token)


def _posted(context: Context, address: str, token: str) -> Outcome:
    body = urlencode({"logout_token": token}).encode()
    try:
        answer = context.http.request("POST", address, headers=_HEADERS, body=body)
    except Unreachable as error:
        return not_reached(error)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        # Back-Channel Logout 2.8: 200, and 204 of frameworks that make it of an empty body.
        return Delivered()
    return not_taken(answer.status)


def _opened(context: Context, message: Message) -> Ending | None:
    try:
        return endings.opened(context.sealer, message.message_id, message.payload)
    except (ValueError, msgspec.MsgspecError):
        return None
