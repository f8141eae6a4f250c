"""The panel's members, pseudonyms and surveys: what Les Explorateurs keep.

Of what Mon Paris sends, only an age band is kept. Answers stand under the pseudonym, and lose it
when the member leaves.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS members (
    subject TEXT PRIMARY KEY,
    pseudonym TEXT NOT NULL,
    compared_pseudonym TEXT NOT NULL UNIQUE,
    age_band TEXT NOT NULL,
    joined_on TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    survey TEXT NOT NULL,
    pseudonym TEXT,
    age_band TEXT NOT NULL,
    choices TEXT NOT NULL,
    answered_on TEXT NOT NULL,
    UNIQUE (survey, pseudonym)
);
"""

_PSEUDONYM = re.compile(r"[^\W_][\w .'’-]{1,28}[^\W_]")
#: A name of one or two letters is in too many words to be looked for inside a pseudonym.
_SHORTEST_NAME_INSIDE = 3

AGE_BANDS = ((15, "Moins de 15 ans"), (25, "15 à 24 ans"), (40, "25 à 39 ans"), (60, "40 à 59 ans"))
OLDEST_BAND = "60 ans et plus"
NO_BAND = "Âge non précisé"

MALFORMED = (
    "Choisissez de 3 à 30 caractères\u00a0: des lettres, des chiffres, "
    "et entre eux des espaces, points, tirets ou apostrophes."
)
LIKE_A_NAME = "Ce pseudonyme laisse deviner votre nom ou votre prénom\u00a0: choisissez-en un autre."
LIKE_AN_ADDRESS = "Ce pseudonyme reprend votre adresse électronique\u00a0: choisissez-en un autre."
TAKEN = "Ce pseudonyme est déjà pris\u00a0: choisissez-en un autre."


@dataclass(frozen=True)
class Question:
    """One question with a single answer."""

    name: str
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """A short survey; a member has some days to answer, from the one of joining."""

    slug: str
    title: str
    minutes: int
    days: int
    questions: tuple[Question, ...]

    def last_day(self, member: Member) -> date:
        """Tell until when a member may answer, that day included."""
        return member.joined_on + timedelta(days=self.days)


SURVEYS = (
    Survey(
        "bibliotheques",
        "Vos bibliothèques de quartier",
        2,
        30,
        (
            Question(
                "visits",
                "Au cours des douze derniers mois, combien de fois avez-vous fréquenté une bibliothèque\u202f?",
                ("Jamais", "Une à cinq fois", "Environ une fois par mois", "Plus souvent"),
            ),
            Question(
                "hours",
                "Quand aimeriez-vous la trouver ouverte plus longtemps\u202f?",
                ("Le midi", "En soirée", "Le dimanche", "Les horaires me conviennent"),
            ),
        ),
    ),
    Survey(
        "fraicheur",
        "Trouver de la fraîcheur en été",
        1,
        14,
        (
            Question(
                "place",
                "Lors des fortes chaleurs, où allez-vous d’abord\u202f?",
                ("Un parc ou un jardin", "Un lieu climatisé", "Une piscine", "Je reste chez moi"),
            ),
            Question(
                "distance",
                "Avez-vous un lieu frais à moins de dix minutes à pied\u202f?",
                ("Oui", "Non", "Je ne sais pas"),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Member:
    """A member of the panel, as the panel knows one."""

    pseudonym: str
    age_band: str
    joined_on: date


class PseudonymTaken(Exception):
    """Another member has this pseudonym."""


def survey(slug: str) -> Survey | None:
    """Find a survey."""
    return next((found for found in SURVEYS if found.slug == slug), None)


def comparable(text: str) -> str:
    """Write a name so that case, accents, ligatures and punctuation make no difference."""
    spread = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("ø", "o")
    decomposed = unicodedata.normalize("NFKD", spread)
    return "".join(character for character in decomposed if character.isalnum())


def names_of(userinfo: Mapping[str, Any]) -> list[str]:
    """List the words that would give a person away: each name, whole and in parts."""
    wholes = [str(userinfo.get(name) or "") for name in ("given_name", "family_name", "name")]
    wholes.append(str(userinfo.get("preferred_username") or ""))
    parts = [part for whole in wholes for part in re.split(r"[\s'’-]+", whole)]
    return [word for word in map(comparable, [*wholes, *parts]) if word]


def refusal(pseudonym: str, userinfo: Mapping[str, Any]) -> str | None:
    """Say why a pseudonym will not do; None when it will.

    Args:
        pseudonym: As typed, without spaces around it.
        userinfo: What Mon Paris says of the person.
    """
    if _PSEUDONYM.fullmatch(pseudonym) is None:
        return MALFORMED
    wanted = comparable(pseudonym)
    if _gives_away(wanted, names_of(userinfo)):
        return LIKE_A_NAME
    mailbox = comparable(str(userinfo.get("email") or "").partition("@")[0])
    return LIKE_AN_ADDRESS if mailbox and wanted == mailbox else None


def _gives_away(pseudonym: str, names: Iterable[str]) -> bool:
    """Tell whether a pseudonym is a name, or holds one."""
    return any(
        pseudonym == name or (len(name) >= _SHORTEST_NAME_INSIDE and name in pseudonym) for name in names
    )


def age_band(userinfo: Mapping[str, Any], today: date) -> str:
    """Turn a birth date into a band, which is all the panel keeps of it."""
    try:
        born = date.fromisoformat(str(userinfo.get("birthdate")))
    except ValueError:
        return NO_BAND
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next((band for limit, band in AGE_BANDS if age < limit), OLDEST_BAND)


class PanelStore:
    """The members and the answers, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._database() as database:
            database.executescript(_SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            yield database

    def member(self, subject: str) -> Member | None:
        """Find a member."""
        with self._database() as database:
            row = database.execute(
                "SELECT pseudonym, age_band, joined_on FROM members WHERE subject = ?",
                (subject,),
            ).fetchone()
        return None if row is None else Member(row[0], row[1], date.fromisoformat(row[2]))

    def join(self, subject: str, member: Member) -> None:
        """Add a member, once.

        Raises:
            PseudonymTaken: Another member has this pseudonym, but for case and accents.
        """
        compared = comparable(member.pseudonym)
        joined_on = member.joined_on.isoformat()
        try:
            with self._database() as database:
                database.execute(
                    "INSERT INTO members VALUES (?, ?, ?, ?, ?) ON CONFLICT (subject) DO NOTHING",
                    (subject, member.pseudonym, compared, member.age_band, joined_on),
                )
        except sqlite3.IntegrityError as error:
            raise PseudonymTaken from error

    def answered(self, member: Member) -> set[str]:
        """Name the surveys that a member answered."""
        with self._database() as database:
            rows = database.execute(
                "SELECT survey FROM answers WHERE pseudonym = ?",
                (member.pseudonym,),
            )
            return {slug for (slug,) in rows}

    def answer(self, member: Member, slug: str, choices: Mapping[str, str], today: date) -> None:
        """Keep an answer under the pseudonym; a second one changes nothing."""
        with self._database() as database:
            database.execute(
                "INSERT INTO answers (survey, pseudonym, age_band, choices, answered_on)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (survey, pseudonym) DO NOTHING",
                (
                    slug,
                    member.pseudonym,
                    member.age_band,
                    json.dumps(dict(choices), ensure_ascii=False),
                    today.isoformat(),
                ),
            )

    def leave(self, subject: str) -> None:
        """Forget a member; what was answered stays, under no name at all."""
        with self._database() as database:
            database.execute(
                "UPDATE answers SET pseudonym = NULL"
                " WHERE pseudonym = (SELECT pseudonym FROM members WHERE subject = ?)",
                (subject,),
            )
            database.execute("DELETE FROM members WHERE subject = ?", (subject,))
