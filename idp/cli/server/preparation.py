"""Sees to it that database and keys are there, or says what to do; without the web, which takes a second to import."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from idp.cli.exits import Exit, Refusal
from idp.cli.key_files import key_folder, utc_now
from idp.cli.parts import make_room
from idp.config import ConfigurationError, Settings
from idp.crypto.chain_seal import sealing
from idp.services.tools import Console
from idp.storage import revisions
from idp.storage.engine import open_database

if TYPE_CHECKING:
    from idp.crypto.keyring import KeyFolder
    from idp.outbound.http import HTTPClient


def prepare(settings: Settings, *, create_missing: bool) -> None:
    """See to it that database and keys are there, or say what to do.

    Raises:
        ConfigurationError: A file that the configuration names can't be read.
        KeyringError: The keys are missing or can't be read.
        Refusal: The database is not at the newest migration.
    """
    is_upgraded = _prepare_database(settings, create_missing=create_missing)
    keys = key_folder(settings)
    if create_missing:
        keys.initialise(settings.keys.every_algorithm, utc_now())
    if is_upgraded:
        _chain_earlier_lines(settings, keys)
    keys.derivation()
    present = keys.keyring()
    active = {*present.algorithms(), *present.encryption_algorithms()}
    missing = sorted(set(settings.keys.every_algorithm) - active)
    if missing:
        raise ConfigurationError(
            f"{settings.keys.directory} has no active key for {', '.join(missing)}: "
            "run `idp keys init`, or start with --upgrade"
        )


def _chain_earlier_lines(settings: Settings, keys: KeyFolder) -> None:
    """Give lines of before there was a chain their places in it: it is sealed, and for this takes the keys."""
    database = open_database(settings.database.url, pool_size=1, seal=sealing(keys))
    chains = importlib.import_module("idp.services.operations.chains")
    try:
        chains.take_in(Console(database, utc_now, keys, _no_http, settings.server.issuer))
    finally:
        database.dispose()


def _no_http() -> HTTPClient:
    client: HTTPClient = importlib.import_module("idp.outbound.http").NullHTTPClient()
    return client


def _prepare_database(settings: Settings, *, create_missing: bool) -> bool:
    """See to the database; says whether it was upgraded."""
    is_upgraded = False
    database = open_database(settings.database.url, pool_size=1)
    try:
        if create_missing:
            make_room(settings)
            # Alembic takes as long to import as everything else here: only when there is work for it.
            if not revisions.is_current(database):
                importlib.import_module("idp.storage.migrate").upgrade(database)
                is_upgraded = True
        revision = revisions.present(database)
    finally:
        database.dispose()
    if revision != revisions.expected():
        raise Refusal(
            f"the database is at {revision or 'no revision'}, this program at {revisions.expected()}: "
            "run `idp database upgrade`, or start with --upgrade",
            Exit.DATABASE,
        )
    return is_upgraded
