"""`CivilIdentity`, the pivot identity: source, level, date, lock (FC-2, FC-6, PRO-2, PRO-3).

A person's attributes are a mapping from wire name (`given_name`, `birthdate`, …) to `Attribute`. Three
writes exist. What the person declares, or proves by answering a mail of ours, changes anything that no
better proof stands behind; what FranceConnect certifies replaces the six pivot attributes, all at once.
While one of the six is certified, all six are locked.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from idp.domain.errors import RuleRefused

#: The six that the civil register vouches for; the order in which pages show them (FC-2).
PIVOT_ORDER = ("given_name", "family_name", "gender", "birthdate", "birthplace", "birthcountry")
PIVOT = frozenset(PIVOT_ORDER)

#: The given names one by one, as a JSON array: one of them may hold a space, which `given_name` can't tell. Kept
#: beside it, certified and locked with the six; who types their names has none (franceconnect.md 4.3).
GIVEN_NAMES = "given_name_array"
#: What nobody but FranceConnect changes while it is certified.
LOCKED = PIVOT | {GIVEN_NAMES}
#: The birth date as the identity provider has it, when it says that the day, or the month too, is unknown:
#: "1992-11-00". The register's own, which stands in `birthdate`, says the first of the month then.
PARTIAL_BIRTHDATE = "idp_birthdate"

#: What only says more of a value, and goes when its owner replaces that.
_BESIDE = {"given_name": GIVEN_NAMES, "birthdate": PARTIAL_BIRTHDATE}

#: The name in use, which comes from the person or from the identity provider: never certified, never locked.
USAGE_NAME = "preferred_username"

#: Where services write to, other than the login address (PRO-2). No claim: services never ask for it by name.
CONTACT_EMAIL = "contact_email"

_NAMES = frozenset({"given_name", "family_name", USAGE_NAME})
#: PRO-2: in code points.
LONGEST_NAME = 256
_LONGEST_TEXT = 1000
FIRST_YEAR = 1890
_NAME_PUNCTUATION = frozenset(" '\N{RIGHT SINGLE QUOTATION MARK}-.")
_HYPHENS = str.maketrans({"\N{HYPHEN}": "-", "\N{NON-BREAKING HYPHEN}": "-"})
_BIRTHDATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_UNKNOWN_PART = "-00"
# What NFKD leaves whole; upper case has already made SS of the German letter.
_PLAIN_CAPITALS = str.maketrans({"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Level(IntEnum):
    """How surely an attribute is known, on the city's scale (FC-6)."""

    DECLARED = 100
    PROVEN = 250
    FRANCECONNECT = 600


class Source(StrEnum):
    """Who said so."""

    DECLARED = "declared"
    MAIL = "mail"
    FRANCECONNECT = "franceconnect"


class Gender(StrEnum):
    """Values of the `gender` claim; FranceConnect has a third (RNIPP "I")."""

    FEMALE = "female"
    MALE = "male"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact about a person, with where it comes from (FC-6).

    Attributes:
        name: Wire name, such as "family_name".
        value: Its text; empty only when a register certifies that there is none (a birth place abroad).
        source: Who said so.
        level: How surely.
        recorded_at: When it was last said, aware UTC.
    """

    name: str
    value: str
    source: Source
    level: Level
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history: what an attribute was and has become; None for absent (FC-6)."""

    name: str
    before: Attribute | None
    after: Attribute | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CivilIdentity:
    """The pivot identity of a person (fr. identité pivot); texts are kept as they were received.

    Attributes:
        given_names: All of them, in order; one may hold a space. Empty for who has none.
        birth_name: The family name at birth.
        birthdate: ISO 8601; "1992-11-00" or "1992-00-00" when the register knows no more.
        gender: None when it is not known.
        birthplace: INSEE code of the commune, or free text; empty when born abroad.
        birthcountry: INSEE code of the country.
    """

    given_names: tuple[str, ...] = ()
    birth_name: str = ""
    birthdate: str = ""
    gender: Gender | None = None
    birthplace: str = ""
    birthcountry: str = ""

    @property
    def is_birthdate_presumed(self) -> bool:
        """Tell whether the day, or the month too, is unknown to the register (fr. né présumé)."""
        return _UNKNOWN_PART in self.birthdate

    def display_name(self, usage_name: str = "") -> str:
        """Give the name to greet with: the first given name and the name in use, else the birth name.

        Args:
            usage_name: The name in use; empty for none.
        """
        parts = (*self.given_names[:1], usage_name.strip() or self.birth_name)
        return " ".join(part for part in parts if part)


def civil_identity(attributes: Mapping[str, Attribute]) -> CivilIdentity:
    """Read the pivot identity off a person's attributes; what is missing is empty."""
    values = {name: attributes[name].value for name in LOCKED if name in attributes}
    gender = values.get("gender")
    return CivilIdentity(
        given_names=given_names(values),
        birth_name=values.get("family_name", ""),
        birthdate=values.get("birthdate", ""),
        gender=Gender(gender) if gender else None,
        birthplace=values.get("birthplace", ""),
        birthcountry=values.get("birthcountry", ""),
    )


def given_names(values: Mapping[str, str]) -> tuple[str, ...]:
    """List the given names: one by one as they were certified, else what spaces separate.

    Args:
        values: What is held, by wire name.
    """
    text = values.get("given_name", "")
    listed = tuple(json.loads(values.get(GIVEN_NAMES, "[]")))
    # A list that says something else than the text is older than it.
    return listed if " ".join(listed) == text else tuple(text.split())


def is_same_birthdate(one: str, other: str) -> bool:
    """Tell whether two birth dates are one, of which one says 00 where the other, as the register does, says 01.

    Args:
        one: Such as "1992-11-00".
        other: Such as "1992-11-01".
    """
    return _first_day(one) == _first_day(other)


def is_locked(attributes: Mapping[str, Attribute]) -> bool:
    """Tell whether the pivot identity is certified, hence locked: all of it or none (FC-2)."""
    return any(name in attributes and attributes[name].level >= Level.FRANCECONNECT for name in PIVOT)


def apply_declared(
    current: Mapping[str, Attribute], changes: Mapping[str, str | None], now: datetime
) -> dict[str, Attribute]:
    """Write what the person declares; all of it or nothing.

    A value sent back unchanged, as forms do, is no change: it keeps its level and its date.

    Args:
        current: The person's attributes.
        changes: New values by name; None or blank takes the attribute away.
        now: The time of the write.

    Returns:
        The attributes after the write.

    Raises:
        RuleRefused: FC-2, a locked value would change; FC-6, a proven value would lose its level; PRO-2, the
            value is malformed. `subject` names the attribute.
    """
    written = dict(current)
    for name, raw_value in changes.items():
        value = normalise_text(raw_value or "")
        held = current.get(name)
        if value == normalise_text("" if held is None else held.value):
            continue
        _require_level(current, name, Level.DECLARED)
        if value:
            _require_well_formed(name, value, now)
            written[name] = Attribute(name, value, Source.DECLARED, Level.DECLARED, now)
        else:
            del written[name]
        if name in _BESIDE:
            written.pop(_BESIDE[name], None)
    return written


def apply_proven(
    current: Mapping[str, Attribute], name: str, value: str | None, now: datetime
) -> dict[str, Attribute]:
    """Write a value that its owner has proven by answering a mail of ours, or take a proven one away.

    What the person declared, or proved before, gives way; a better proof does not.

    Args:
        current: The person's attributes.
        name: Of the attribute.
        value: Well formed, and proven; None to take it away.
        now: The time of the write.

    Returns:
        The attributes after the write.

    Raises:
        RuleRefused: FC-2, the value is locked; FC-6, it would lose its level. `subject` names the attribute.
    """
    _require_level(current, name, Level.PROVEN)
    written = {held: attribute for held, attribute in current.items() if held != name}
    if value is not None:
        written[name] = Attribute(name, value, Source.MAIL, Level.PROVEN, now)
    return written


def apply_certified(
    current: Mapping[str, Attribute],
    identity: CivilIdentity,
    now: datetime,
    *,
    usage_name: str = "",
    partial_birthdate: str | None = None,
) -> tuple[dict[str, Attribute], tuple[Change, ...]]:
    """Write what FranceConnect certifies: the six pivot attributes and the list of given names (FC-2, FC-3).

    Whatever was there goes.

    Args:
        current: The person's attributes.
        identity: As received, already checked; what is empty in it is certified as empty.
        now: The time of the write.
        usage_name: The name in use that came along. The identity provider says it, not the register: it is
            written as declared, and never over what the person wrote.
        partial_birthdate: The identity provider's birth date, where it knows less than a whole one. Kept beside the
            register's, which it never replaces; one that no longer agrees with the register's goes away.

    Returns:
        The attributes after the write, and what changed in them; a mere refresh of dates is no change.
    """
    written = dict(current)
    for name, value in _certified_values(identity).items():
        written[name] = Attribute(name, value, Source.FRANCECONNECT, Level.FRANCECONNECT, now)
    held = current.get(USAGE_NAME)
    if usage_name and (held is None or held.source is Source.FRANCECONNECT):
        written[USAGE_NAME] = Attribute(USAGE_NAME, usage_name, Source.FRANCECONNECT, Level.DECLARED, now)
    if partial_birthdate is not None:
        written[PARTIAL_BIRTHDATE] = Attribute(
            PARTIAL_BIRTHDATE, partial_birthdate, Source.FRANCECONNECT, Level.DECLARED, now
        )
    elif not _is_still_true(written.get(PARTIAL_BIRTHDATE), identity.birthdate):
        del written[PARTIAL_BIRTHDATE]
    return written, differences(current, written)


def differences(before: Mapping[str, Attribute], after: Mapping[str, Attribute]) -> tuple[Change, ...]:
    """List what changed between two states of a person's attributes, by name; dates alone don't count."""
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return tuple(Change(*pair) for pair in pairs if _meaning(pair[1]) != _meaning(pair[2]))


def normalise_text(text: str) -> str:
    """Give a text as it is stored: NFC, one plain space between words, none around, plain hyphens."""
    composed = unicodedata.normalize("NFC", text).translate(_HYPHENS)
    return " ".join(composed.split())


def is_name(text: str) -> bool:
    """Tell whether a text can be somebody's name (PRO-2).

    Every letter of Unicode and its marks, spaces, both apostrophes, hyphens, dots; at least one
    letter; no more than 256 code points. One letter is enough: people are called O.

    Args:
        text: As given by `normalise_text`.
    """
    return len(text) <= LONGEST_NAME and _has_letter(text) and all(map(_is_name_character, text))


def is_birthdate(text: str, *, today: date) -> bool:
    """Tell whether a text is a date of birth: real, from 1890 on, not in the future.

    A day, or a day and a month, that the register does not know are written 00.

    Args:
        text: ISO 8601, as stored.
        today: The date to compare with.
    """
    found = _BIRTHDATE.fullmatch(text)
    if found is None or (found[2] == "00" and found[3] != "00"):
        return False
    try:
        return int(found[1]) >= FIRST_YEAR and date.fromisoformat(_first_day(text)) <= today
    except ValueError:
        return False


def pivot_fingerprint_input(identity: CivilIdentity) -> bytes:
    """Give the bytes whose keyed hash says that two certified identities are one person's (FC-3).

    The six values in the order given names, birth name, gender, birth date, birth place, birth country; each
    decomposed (NFKD), in upper case, without marks, Æ Œ Ø Ł Đ written AE OE O L D, and with every run
    of spaces and punctuation made one space: "Zoé-Anne" and "ZOE ANNE" are the same. Then joined by
    U+001F after the mark of this version. A homonym born on the same day in the same place would
    collide, and be shown a page that explains.
    """
    parts = ("pivot-1", *map(_plain, _pivot_values(identity).values()))
    return "\x1f".join(parts).encode()


def _first_day(birthdate: str) -> str:
    return birthdate.replace(_UNKNOWN_PART, "-01")


def _is_still_true(partial: Attribute | None, birthdate: str) -> bool:
    return partial is None or is_same_birthdate(partial.value, birthdate)


def _pivot_values(identity: CivilIdentity) -> dict[str, str]:
    return {
        "given_name": " ".join(identity.given_names),
        "family_name": identity.birth_name,
        "gender": "" if identity.gender is None else identity.gender.value,
        "birthdate": identity.birthdate,
        "birthplace": identity.birthplace,
        "birthcountry": identity.birthcountry,
    }


def _certified_values(identity: CivilIdentity) -> dict[str, str]:
    listed = json.dumps(identity.given_names, ensure_ascii=False)
    return _pivot_values(identity) | {GIVEN_NAMES: listed}


def _meaning(attribute: Attribute | None) -> tuple[str, Source, Level] | None:
    return None if attribute is None else (attribute.value, attribute.source, attribute.level)


def _require_level(current: Mapping[str, Attribute], name: str, enough: Level) -> None:
    """Refuse to write what a better proof stands behind."""
    if name in LOCKED and is_locked(current):
        raise RuleRefused("FC-2", name)
    if name in current and current[name].level > enough:
        raise RuleRefused("FC-6", name)


def _require_well_formed(name: str, value: str, now: datetime) -> None:
    if name in _NAMES:
        well_formed = is_name(value)
    elif name == "birthdate":
        well_formed = is_birthdate(value, today=now.date())
    elif name == GIVEN_NAMES:
        well_formed = False  # Nobody types it.
    elif name == "gender":
        well_formed = value in tuple(Gender)
    else:
        well_formed = len(value) <= _LONGEST_TEXT and value.isprintable()
    if not well_formed:
        raise RuleRefused("PRO-2", name)


def _has_letter(text: str) -> bool:
    return any(unicodedata.category(character)[0] == "L" for character in text)


def _is_name_character(character: str) -> bool:
    return character in _NAME_PUNCTUATION or unicodedata.category(character)[0] in "LM"


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.upper())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _BETWEEN_WORDS.sub(" ", bare.translate(_PLAIN_CAPITALS)).strip()
