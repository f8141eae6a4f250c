"""Writes `common-passwords.bin` from a list of passwords, one a line, most common first.

    python -m idp.outbound.data.build_common_passwords LIST common-passwords.bin

README.md beside says which list, under which licence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from idp.outbound.breached_passwords import fold, prefix

#: No shorter password is accepted anyway (PWD-1).
SHORTEST = 8
#: Shorter words are kept as what passwords are dressed up from; only the most common, or half of all short
#: strings would count as words.
SHORTEST_WORD = 4
WORD_RANKS = 100_000

#: Words that the world's list has late or not at all, and that a Parisian's first idea is made of.
FRENCH_WORDS = """
janvier février fevrier mars avril mai juin juillet août aout septembre octobre novembre décembre decembre
lundi mardi mercredi jeudi vendredi samedi dimanche printemps été automne hiver
bonjour bonsoir bienvenue salut merci soleil amour famille vacances maison voiture chocolat
motdepasse connexion identifiant mairie paris parisien parisienne france français francais
franceconnect monparis explorateurs stationnement azerty azertyuiop qsdfgh qsdfghjklm wxcvbn
""".split()  # noqa: SIM905 - one line a theme; a list of literals would take fifty


def entries(lines: Iterable[str]) -> Iterator[str]:
    """List what is kept of a list of passwords.

    Args:
        lines: Most common first, line ends included.

    Yields:
        Every entry of 8 code points or more, and the common words of 4 letters or more.
    """
    for rank, line in enumerate(lines):
        entry = fold(line.rstrip("\r\n"))
        is_word = rank < WORD_RANKS and entry.isalpha() and len(entry) >= SHORTEST_WORD
        if len(entry) >= SHORTEST or is_word:
            yield entry
    yield from (fold(word) for word in FRENCH_WORDS if len(word) >= SHORTEST_WORD)


def build(source: Path, target: Path) -> int:
    """Write the file.

    Returns:
        The number of entries.
    """
    # UTF-8 with a few broken lines: these can't be typed in a form, so that losing them loses nothing.
    with source.open(encoding="utf-8", errors="replace") as lines:
        prefixes = sorted({prefix(entry) for entry in entries(lines)})
    target.write_bytes(b"".join(prefixes))
    return len(prefixes)


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]), Path(sys.argv[2]))} entries\n")
