"""Makes what administrative commands need from the configuration, without the cost of the web."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from idp.cli.exits import Exit, Refusal
from idp.cli.key_files import key_folder, utc_now
from idp.cli.operators import system_user
from idp.config import Settings, load
from idp.crypto.chain_seal import sealing
from idp.services.tools import Console
from idp.storage import revisions
from idp.storage.engine import open_database

if TYPE_CHECKING:
    from idp.outbound.http import HTTPClient


@contextmanager
def console(config: Path) -> Iterator[Console]:
    """Open the database and the keys for one command, and close them after it.

    Raises:
        ConfigurationError: The configuration can't be used.
        Refusal: The database has not been upgraded.
    """
    settings = load(config)
    keys = key_folder(settings)
    database = open_database(settings.database.url, pool_size=1, seal=sealing(keys), operator=system_user())
    try:
        present = revisions.present(database)
        if present != revisions.expected():
            raise Refusal(
                f"the database is at {present or 'no revision'}, this program at {revisions.expected()}: "
                "run `idp database upgrade`",
                Exit.DATABASE,
            )
        yield Console(
            database,
            utc_now,
            keys,
            lambda: _http_client(settings),
            settings.server.issuer,
            settings.city.controller,
        )
    finally:
        database.dispose()


def make_room(settings: Settings) -> None:
    """Make the folder of an embedded database, closed to others."""
    scheme, _, path = settings.database.url.partition(":///")
    if scheme == "sqlite" and path:
        Path(path).parent.mkdir(mode=0o750, parents=True, exist_ok=True)


def _http_client(settings: Settings) -> HTTPClient:
    http = importlib.import_module("idp.outbound.http")
    client: HTTPClient = http.GuardedHTTPClient(
        allow_private_networks=settings.outbound.allow_private_networks,
        ca_bundle=settings.outbound.ca_bundle or None,
    )
    return client
