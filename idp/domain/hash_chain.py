"""A chain of hashes: which line was altered, removed or moved shows, and where (CON-5, ADM-3).

A line has a public part, which stays for ever, and a personal one, which an erasure takes away. Each link holds the
hash of both, so that the chain stands after an erasure: the hash of the personal part is salted, and its salt goes
with it, so that nobody can try names until one fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

#: What the first link of every chain follows.
GENESIS: Final = bytes(32)
_SEQUENCE_BYTES: Final = 8


def personal_hash(salt: bytes, personal: Mapping[str, Any]) -> bytes:
    """Hash the part of a line that an erasure takes away.

    Args:
        salt: 16 random bytes or more, of this line alone.
        personal: Plain values; moments are aware.
    """
    return hashlib.sha256(salt + canonical(personal)).digest()


def link(previous: bytes, sequence: int, public: Mapping[str, Any], hash_of_personal: bytes) -> bytes:
    """Chain a line to the one before it.

    Args:
        previous: The link of the line before; `GENESIS` for the first.
        sequence: Its place, from 1.
        public: The part that stays.
        hash_of_personal: Of `personal_hash`.
    """
    return chained(previous, sequence, body_hash(public), hash_of_personal)


def body_hash(public: Mapping[str, Any]) -> bytes:
    """Hash the part of a line that stays."""
    return hashlib.sha256(canonical(public)).digest()


def chained(previous: bytes, sequence: int, body: bytes, hash_of_personal: bytes) -> bytes:
    """Chain a line to the one before it, by the hashes of its two parts."""
    place = sequence.to_bytes(_SEQUENCE_BYTES, "big")
    return hashlib.sha256(previous + place + body + hash_of_personal).digest()


def canonical(values: Mapping[str, Any]) -> bytes:
    """Write values in the one way that is hashed: JSON with sorted names, UTF-8, moments in UTC."""
    return json.dumps(
        values, default=_plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} can't be hashed")
