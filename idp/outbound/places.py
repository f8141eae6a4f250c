"""Names of the places where people are born, from INSEE's codes (COG), embedded: no network.

FranceConnect sends codes: "75107", "2A004", "99352". A commune has the name that it bears today; a code that
is no longer used has the name of the commune that took the place over. Nothing is refused for a code that is
not known here: `None`, and the page shows the code (franceconnect.md 4.3).

Where the data come from is in `data/README.md`. They are read at the first look-up and kept: 0.6 MB a worker.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from functools import cache
from pathlib import Path

#: What stands, in place of a name, before the code that replaced another.
FOLLOW = ">"

_DATA = Path(__file__).parent / "data"
_CODE_LENGTH = 5


def commune(code: str) -> str | None:
    """Name a commune, or an arrondissement of Paris, Lyon or Marseille; present or former.

    Args:
        code: INSEE's, as received; a text that is no code finds nothing.
    """
    name = _entry(code)
    return _entry(name.removeprefix(FOLLOW)) if name is not None and name.startswith(FOLLOW) else name


def country(code: str, language: str = "fr") -> str | None:
    """Name a country, present or former; France is 99100.

    Args:
        code: INSEE's, as received.
        language: "fr" or "en"; another gets French.
    """
    names = _countries().get(code)
    return None if names is None else names[1 if language == "en" else 0]


def _entry(code: str) -> str | None:
    wanted = code.encode(errors="replace")
    table = _communes()
    start = bisect_left(range(len(table)), wanted, key=_code_at)
    found, _, name = table[start : table.find(b"\n", start)].partition(b"\t")
    return name.decode() if found == wanted else None


def _code_at(position: int) -> bytes:
    """Give the code of the line in which a byte of the table stands; they are sorted."""
    start = _communes().rfind(b"\n", 0, position) + 1
    return _communes()[start : start + _CODE_LENGTH]


# Bytes and not a dictionary: ten times smaller.
@cache
def _communes() -> bytes:
    return gzip.decompress((_DATA / "communes.tsv.gz").read_bytes())


@cache
def _countries() -> dict[str, tuple[str, str]]:
    lines = (_DATA / "countries.tsv").read_text("utf-8").splitlines()
    return {code: (french, english) for code, french, english in (line.split("\t") for line in lines)}
