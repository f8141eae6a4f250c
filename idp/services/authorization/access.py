"""Ends what a service may know of a person, at once and everywhere (CON-4, CON-7, PRI-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.services.sign_in.endings import tell_client
from idp.storage.repositories import consents, service_requests, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.crypto.opaque import Sealer
    from idp.domain.client import Client
    from idp.storage.engine import Connection


def end_within(
    connection: Connection, account_id: str, client: Client, now: datetime, *, reason: str, sealer: Sealer
) -> bool:
    """Withdraw the consent, kill the tokens that stand on it and queue the notice to the service.

    Args:
        connection: The transaction of the act: all of it happens or nothing.
        account_id: Of whom.
        client: Which service.
        now: When.
        reason: Kept with the tokens: "consent_withdrawn", "permission_withdrawn".
        sealer: Encrypts the notice.

    Returns:
        False when there was no consent; tokens die all the same.
    """
    # In this order: a code that is being issued holds the consent, and is there when the tokens die.
    withdrawn = consents.withdraw(connection, account_id, client.client_id, now)
    tokens.revoke_families_of_client_for(connection, account_id, client.client_id, now, reason)
    service_requests.forget_subject(connection, client.client_id, account_id, now)
    tell_client(connection, client, account_id, sealer=sealer, now=now)
    return withdrawn
