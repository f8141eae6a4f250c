"""What became of a person's requests about their data (PRI-4, S-438)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.storage.repositories import data_requests

if TYPE_CHECKING:
    from idp.domain.data_request import DataRequest
    from idp.services.context import Context


def requests_of(context: Context, account_id: str) -> list[DataRequest]:
    """List the requests of a person, the latest first, those of a guardian among them."""
    with context.database.read() as connection:
        return data_requests.of_account(connection, account_id)
