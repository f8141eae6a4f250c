"""Finds the signing keys and the time: what the light commands need, without the database."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from idp.config import Settings, secret_from
from idp.crypto.keyring import KeyFolder


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
