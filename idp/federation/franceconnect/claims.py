"""From FranceConnect claims to `CivilIdentity`; refuses what is missing or malformed (franceconnect.md 4.3).

Values are kept as they came, brought to NFC. Nothing narrower than the State's register is asked: a name may
be one letter or 256, have any apostrophe, `œ` or a dot; a place may be empty, absent, or free text; a country
code that no table knows is kept. What a page or a database could not bear is refused: controls, wrong types,
texts without an end.

FranceConnect says what the State's register has. FranceConnect+ says what the person's identity provider has, checked
against the register, and beside it, as `rnipp_…`, the register's own: that is what is certified, so that one person
is the same at both (franceconnect.md 4.2, 4.4).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.domain.civil_identity import CivilIdentity, Gender
from idp.federation.upstream import UpstreamMisbehaved

_REGISTER = "rnipp_"
_GIVEN_NAMES = ("given_name", "given_name_array")
_PIVOT = (*_GIVEN_NAMES, "family_name", "birthdate", "gender", "birthplace", "birthcountry")
_LONGEST = 256
_MOST_GIVEN_NAMES = 50
_DATE = re.compile(r"[0-9]{4}-(?:0[0-9]|1[0-2])-(?:[0-2][0-9]|3[01])")


@dataclass(frozen=True, slots=True)
class ReceivedIdentity:
    """What userinfo says, sorted by who vouches for it (franceconnect.md 4.4).

    Attributes:
        civil: From the State's register: certified.
        preferred_username: From the identity provider.
        email: From the identity provider, verified by nobody.
        partial_birthdate: From the identity provider, when it knows less than a whole date ("1992-11-00").
    """

    civil: CivilIdentity
    preferred_username: str | None
    email: str | None
    partial_birthdate: str | None


def received_identity(claims: Mapping[str, Any]) -> ReceivedIdentity:
    """Read the identity of a userinfo token that passed every check.

    Raises:
        UpstreamMisbehaved: A claim that FranceConnect always sends is missing, or one is malformed.
    """
    claims = _of_the_register(claims)
    civil = CivilIdentity(
        given_names=_given_names(claims),
        birth_name=_required(claims, "family_name"),
        birthdate=_birthdate(claims, "birthdate"),
        gender=_gender(claims),
        birthplace=_text(claims, "birthplace"),
        birthcountry=_required(claims, "birthcountry"),
    )
    return ReceivedIdentity(
        civil=civil,
        preferred_username=_text(claims, "preferred_username") or None,
        email=_lenient(claims, "email"),
        partial_birthdate=_partial_birthdate(claims, civil.birthdate),
    )


def _of_the_register(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the register's own values in the place of the identity provider's, where both came."""
    registered = {
        name: claims[_REGISTER + name] for name in _PIVOT if claims.get(_REGISTER + name) is not None
    }
    if not registered:
        return claims
    others = dict(claims)
    if not registered.keys().isdisjoint(_GIVEN_NAMES):
        # The list of one and the text of the other would be two people's.
        others = {name: value for name, value in claims.items() if name not in _GIVEN_NAMES}
    if "birthdate" in registered:
        others.setdefault("idp_birthdate", claims.get("birthdate"))
    return others | registered


def _given_names(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Take the array, for one given name may hold a space; else split the text."""
    listed = claims.get("given_name_array")
    if listed is None:
        names = tuple(_required(claims, "given_name").split())
    elif not isinstance(listed, list) or len(listed) > _MOST_GIVEN_NAMES:
        raise UpstreamMisbehaved("userinfo.given_name_array")
    else:
        names = tuple(name for name in (_checked(one, "given_name_array") for one in listed) if name)
    if not names:
        raise UpstreamMisbehaved("userinfo.given_name")
    return names


def _gender(claims: Mapping[str, Any]) -> Gender | None:
    """Read the gender; it may be missing for a European identity (eIDAS)."""
    value = _text(claims, "gender")
    if not value:
        return None
    try:
        return Gender(value)
    except ValueError as error:
        raise UpstreamMisbehaved("userinfo.gender") from error


def _birthdate(claims: Mapping[str, Any], name: str) -> str:
    value = _required(claims, name)
    # FranceConnect+ sends 1992-11-00 and 1992-00-00: a text, never a calendar's date.
    if _DATE.fullmatch(value) is None or ("-00-" in value and not value.endswith("-00-00")):
        raise UpstreamMisbehaved(f"userinfo.{name}")
    return value


def _partial_birthdate(claims: Mapping[str, Any], birthdate: str) -> str | None:
    """Keep the identity provider's date when it is the register's with unknown parts."""
    given = _lenient(claims, "idp_birthdate")
    if given is None or _DATE.fullmatch(given) is None or "-00" not in given:
        return None
    return given if given.replace("-00", "-01") == birthdate else None


def _required(claims: Mapping[str, Any], name: str) -> str:
    value = _text(claims, name)
    if not value:
        raise UpstreamMisbehaved(f"userinfo.{name}")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return "" if value is None else _checked(value, name)


def _lenient(claims: Mapping[str, Any], name: str) -> str | None:
    """Read what only helps: a malformed one is no reason to turn the person away."""
    try:
        return _text(claims, name) or None
    except UpstreamMisbehaved:
        return None


def _checked(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UpstreamMisbehaved(f"userinfo.{name}")
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > _LONGEST or any(unicodedata.category(character)[0] == "C" for character in text):
        raise UpstreamMisbehaved(f"userinfo.{name}")
    return text
