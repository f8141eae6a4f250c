"""Finds clients, cached in each worker by version: a change acts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.storage.repositories import clients

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from idp.domain.client import Client

_MOST = 1000


class ClientDirectory:
    """Reads a client's version with each use, and its metadata only when the version has changed."""

    def __init__(self) -> None:
        self._known: dict[str, Client] = {}

    def find(self, connection: Connection, client_id: str) -> Client | None:
        """Find a client by its identifier; one short statement when it is known already."""
        version = clients.version(connection, client_id)
        if version is None:
            self._known.pop(client_id, None)
            return None
        return self.of_version(connection, client_id, version)

    def of_version(self, connection: Connection, client_id: str, version: int) -> Client | None:
        """Find a client whose version another statement has just read."""
        known = self._known.get(client_id)
        if known is not None and known.version == version:
            return known
        client = clients.by_id(connection, client_id)
        if client is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[client_id] = client
        return client
