"""Writes `communes.tsv.gz`, INSEE's codes of communes, from the list of `@etalab/decoupage-administratif`.

    python -m idp.outbound.data.build_communes package/data/communes.json idp/outbound/data/communes.tsv.gz

README.md beside says which version, under which licence.
"""

from __future__ import annotations

import gzip
import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from idp.outbound.places import FOLLOW

#: A delegated or associated commune has mostly a code of its own; where it shares that of the commune
#: it belongs to now, the latter's name wins: the first kind of this list that has the code.
KINDS = ("commune-actuelle", "arrondissement-municipal", "commune-deleguee", "commune-associee")

#: What the list leaves out: changes of department overseas, under which people were born. Saint-Barthélemy and
#: Saint-Martin left Guadeloupe in 2007; Mayotte became a department in 2011, its 17 communes in the same order.
MOVED = {"97123": "97701", "97127": "97801"} | {f"985{n:02}": f"976{n:02}" for n in range(1, 18)}


def entries(communes: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Give each code with its name or, for a code that is no longer used, with the code to follow.

    Args:
        communes: As in the package: "code", "nom", "type" and, for some, "anciensCodes".
    """
    by_kind = sorted(communes, key=lambda commune: KINDS.index(commune["type"]))
    names: dict[str, str] = {}
    for commune in by_kind:
        names.setdefault(commune["code"], unicodedata.normalize("NFC", commune["nom"]))
    former = dict(MOVED)
    for commune in by_kind:
        for code in commune.get("anciensCodes", ()):
            former.setdefault(code, commune["code"])
    yield from names.items()
    yield from ((code, FOLLOW + present) for code, present in former.items() if code not in names)


def build(source: Path, target: Path) -> int:
    """Write the file.

    Returns:
        The number of codes.
    """
    lines = sorted(f"{code}\t{name}\n" for code, name in entries(json.loads(source.read_text("utf-8"))))
    # Without a date, so that the same list gives the same file.
    target.write_bytes(gzip.compress("".join(lines).encode(), compresslevel=9, mtime=0))
    return len(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]), Path(sys.argv[2]))} codes\n")
