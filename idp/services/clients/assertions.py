"""Client assertions serve once, whatever the node (RFC 7523 section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.opaque import keyed_digest
from idp.storage.engine import retried
from idp.storage.repositories import clients

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.protocol.clients.assertion import AssertionUse
    from idp.services.context import Context


@retried
def use_once(context: Context, client: Client, use: AssertionUse) -> bool:
    """Remember an assertion until it expires; False when it was used before."""
    jti_hash = keyed_digest(context.derived.codes, "client-assertion", client.client_id, use.jti)
    with context.database.write() as connection:
        return clients.use_assertion(
            connection, jti_hash=jti_hash, client_id=client.client_id, expires_at=use.expires_at
        )
