"""Makes what administrative commands need from the configuration, without the cost of the web."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from idp.cli.exits import Exit, Refusal
from idp.config import Settings, load, secret_from
from idp.crypto.keyring import KeyFolder
from idp.services.operations.tools import Console
from idp.storage import revisions
from idp.storage.engine import open_database


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)  # noqa: TID251 - a command line is a composition root: it hands the clock out


def key_folder(settings: Settings) -> KeyFolder:
    """Find the signing keys.

    Raises:
        ConfigurationError: The passphrase file can't be read.
    """
    passphrase = secret_from(os.environ.get("IDP_KEYS_PASSPHRASE", ""), settings.keys.passphrase_file)
    return KeyFolder(Path(settings.keys.directory), passphrase.encode() or None, time.monotonic)


@contextmanager
def console(config: Path) -> Iterator[Console]:
    """Open the database and the keys for one command, and close them after it.

    Raises:
        ConfigurationError: The configuration can't be used.
        Refusal: The database has not been upgraded.
    """
    settings = load(config)
    database = open_database(settings.database.url, pool_size=1)
    try:
        present = revisions.present(database)
        if present != revisions.expected():
            raise Refusal(
                f"the database is at {present or 'no revision'}, this program at {revisions.expected()}: "
                "run `idp database upgrade`",
                Exit.DATABASE,
            )
        yield Console(database, utc_now, key_folder(settings))
    finally:
        database.dispose()


def make_room(settings: Settings) -> None:
    """Make the folder of an embedded database, closed to others."""
    scheme, _, path = settings.database.url.partition(":///")
    if scheme == "sqlite" and path:
        Path(path).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
