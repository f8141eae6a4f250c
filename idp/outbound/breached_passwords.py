"""The embedded list of common and breached passwords (PWD-6): a sorted file of hash prefixes, no network.

The file holds the first 5 bytes of the SHA-256 of each entry, sorted, without a header: 40 bits make
one false refusal in two million for half a million entries, and a look-up takes some microseconds. An
operator may point to a bigger file of the same format, written by `idp.outbound.data.build_common_passwords`.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Protocol

#: The list that the package carries.
EMBEDDED_LIST = Path(__file__).parent / "data" / "common-passwords.bin"

#: Bytes kept of each hash.
PREFIX_LENGTH = 5

# "Soleil2024!" is the word and what everyone puts around it. Around a listed word, six characters of
# digits and specials are at most 31 bits: with more, the rest is worth more than the word.
_LONGEST_DRESSING = 6
_SHORTEST_WORD = 4
_CORE = re.compile(r"(?P<before>[\W\d_]*)(?P<core>.*?)(?P<after>[\W\d_]*)", re.DOTALL)
_OUTER_SPECIALS = re.compile(r"^[\W_]+|[\W_]+$")
# What guessing programs undo first.
_DISGUISES = str.maketrans("@4301!$57", "aaeoiisst")
_SAMPLES = 64


class BreachedPasswords(Protocol):
    """Tells whether a password is one that guessing programs try first."""

    def is_common(self, password: str) -> bool:
        """Tell whether the password, or the word that it dresses up, is listed."""
        ...


class NullBreachedPasswords:
    """Knows no password: for tests, and where the operator switched the rule off."""

    def is_common(self, password: str) -> bool:  # noqa: ARG002 - the shape of the protocol
        """Find nothing."""
        return False


class EmbeddedBreachedPasswords:
    """A sorted file of hash prefixes, mapped in memory: all workers share its pages.

    Args:
        path: The file.

    Raises:
        ValueError: The file is empty, cut, or not sorted; says which file.
        OSError: The file can't be read.
    """

    def __init__(self, path: Path = EMBEDDED_LIST) -> None:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size == 0 or size % PREFIX_LENGTH:
                raise ValueError(f"{path}: not a list of {PREFIX_LENGTH}-byte prefixes")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._count = size // PREFIX_LENGTH
        if not self._looks_sorted():
            raise ValueError(f"{path}: the prefixes are not sorted")

    def __len__(self) -> int:
        """Count the entries."""
        return self._count

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

    def is_common(self, password: str) -> bool:
        """Tell whether the password, or the word that it dresses up, is listed.

        Args:
            password: As typed; case, width and compatibility forms make no difference.
        """
        return any(self._holds(candidate) for candidate in candidates(password))

    def _holds(self, entry: str) -> bool:
        wanted = prefix(entry)
        place = bisect_left(range(self._count), wanted, key=self._at)
        return place < self._count and self._at(place) == wanted

    def _at(self, index: int) -> bytes:
        start = index * PREFIX_LENGTH
        return self._map[start : start + PREFIX_LENGTH]

    def _looks_sorted(self) -> bool:
        step = max(1, self._count // _SAMPLES)
        return all(left < right for left, right in pairwise(map(self._at, range(0, self._count, step))))


def fold(password: str) -> str:
    """Give the form under which an entry is listed: NFKC, case-folded, NFKC again."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    return unicodedata.normalize("NFKC", folded)


def prefix(entry: str) -> bytes:
    """Give what the file holds of an entry."""
    digest = hashlib.sha256(entry.encode(errors="surrogatepass")).digest()
    return digest[:PREFIX_LENGTH]


def candidates(password: str) -> Iterator[str]:
    """List the entries that would make a password common.

    Itself; itself without the specials around it ("Azerty123!" is "azerty123"); and, when it is one
    word with no more than six digits and specials around it, that word, plain or disguised
    ("P@ssw0rd75!" is "password").
    """
    folded = fold(password)
    yield folded
    yield _OUTER_SPECIALS.sub("", folded)
    found = _CORE.fullmatch(folded)
    if found is None or len(found["before"]) + len(found["after"]) > _LONGEST_DRESSING:
        return
    core = found["core"]
    for word in (core, core.translate(_DISGUISES)):
        if len(word) >= _SHORTEST_WORD and word.isalpha():
            yield word
