"""Authenticates where a chain of lines ends: who writes to the database alone can't make a chain anew (ADM-3)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache
from typing import Final

from idp.crypto.keyring import KeyFolder, KeyringError

#: The purpose of the key; it can never change.
PURPOSE: Final = "chains"

Seal = Callable[[str, int, bytes], bytes | None]


def seal(key: bytes, chain: str, sequence: int, link: bytes) -> bytes:
    """Authenticate the end of a chain.

    Args:
        key: Of `PURPOSE`, derived from the root of the keys.
        chain: Its name.
        sequence: Of its last line.
        link: Of its last line.
    """
    return hmac.digest(key, f"{chain}/{sequence}/".encode() + link, "sha256")


def sealing(folder: KeyFolder) -> Seal:
    """Give what seals with the keys of a folder; they are read at its first use.

    Before the first start has made them there is nothing to seal with: the next line's writer does it.
    """

    @cache
    def key() -> bytes | None:
        try:
            return folder.derivation().key(PURPOSE)
        except KeyringError:
            return None

    def sealed(chain: str, sequence: int, link: bytes) -> bytes | None:
        found = key()
        return None if found is None else seal(found, chain, sequence, link)

    return sealed
