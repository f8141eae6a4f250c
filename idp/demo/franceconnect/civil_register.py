"""What the State's register (RNIPP) makes of an identity, and the subject that follows.

FranceConnect v2: given names, birth name, birth date, gender, birth place and country come from
the register; e-mail, usage name and `idp_birthdate` stay the identity provider's.
FranceConnect+: all of them are the identity provider's, and the register's come beside as `rnipp_…`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from idp.demo.franceconnect.claims import REGISTER
from idp.demo.franceconnect.errors import IDENTITY_ERRORS, IdentityRefused
from idp.demo.franceconnect.identities import FRANCE, REFUSED_LOGINS, TestIdentity
from idp.demo.franceconnect.portal import ORDINARY, Portal

COG_TOWN = re.compile(r"(?:2[AB]|[0-9]{2})[0-9]{3}")
COG_COUNTRY = re.compile(r"[0-9]{5}")
BIRTHDATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
ERROR_ON_DEMAND = re.compile(r"_[EY]([0-9]{6})\Z")

#: Part of every subject, as FranceConnect does it; a simulator's subjects protect nobody.
SUBJECT_SECRET = "simulateur"


@dataclass(frozen=True)
class ConfirmedIdentity:
    """An identity that the register confirmed, with what the provider adds.

    Attributes:
        claims: Every identity claim that userinfo may carry.
        pivot: What the register has, which makes the subject.
        login: Of the test identity, for the pages.
        subject_salt: See `TestIdentity.subject_salt`.
    """

    claims: dict[str, str | list[str]]
    pivot: dict[str, str | list[str]]
    login: str
    subject_salt: str

    def subject(self, entity: str) -> str:
        """Compute the `sub` that a service of this entity sees: 64 hexadecimal digits and v1."""
        text = f"{entity}{self._identity_hash()}{SUBJECT_SECRET}{self.subject_salt}"
        return sha256(text.encode()).hexdigest() + "v1"

    def _identity_hash(self) -> str:
        """Condense the civil identity; the place counts for births in France only."""
        names = ["given_name", "family_name", "birthdate", "gender"]
        if self.pivot.get("birthcountry") == FRANCE:
            names.append("birthplace")
        parts = [str(self.pivot.get(name, "")) for name in [*names, "birthcountry"]]
        return b64encode(sha256("".join(parts).encode()).digest()).decode()


def confirm(identity: TestIdentity, portal: Portal = ORDINARY) -> ConfirmedIdentity:
    """Ask the register about an identity.

    Args:
        identity: As the identity provider has it.
        portal: Says whose values the plain claims hold.

    Raises:
        IdentityRefused: With the Y code that FranceConnect shows to the person.
    """
    _check_account(identity)
    if not identity.foreign:
        _check_provider_data(identity)
    _check_register(identity)
    registered = _register_claims(identity)
    plain = registered
    if portal.tells_register_apart:
        plain = {**_plain_claims(identity), **{REGISTER + name: registered[name] for name in registered}}
    claims = {**plain, **_provider_claims(identity)}
    kept = {
        name: value
        for name, value in claims.items()
        if name.removeprefix(REGISTER) not in identity.without_claims
    }
    pivot = _register_claims(identity.subject_of or identity)
    pivot = {name: pivot[name] for name in pivot if name not in identity.without_claims}
    # Another portal, other subjects: nothing tells that they are one person's.
    salt = identity.subject_salt + ("+" if portal.tells_register_apart else "")
    return ConfirmedIdentity(kept, pivot, identity.login, salt)


def _check_account(identity: TestIdentity) -> None:
    """Refuse whoever switched FranceConnect off."""
    if REFUSED_LOGINS.get(identity.login, "").startswith("Y180001"):
        raise IdentityRefused("Y180001")


def _check_provider_data(identity: TestIdentity) -> None:
    """Refuse an identity that is incomplete or malformed (Y600006)."""
    required = (identity.given_name, identity.family_name, identity.gender, identity.email)
    born_in_france = identity.birthcountry == FRANCE
    sound = (
        all(required)
        and identity.gender in {"male", "female", "unspecified"}
        and COG_COUNTRY.fullmatch(identity.birthcountry) is not None
        and (not born_in_france or COG_TOWN.fullmatch(identity.birthplace) is not None)
        and _is_birthdate(identity.birthdate)
    )
    if not sound:
        raise IdentityRefused("Y600006")


def _is_birthdate(text: str) -> bool:
    """Tell a date, `YYYY-MM-00` and `YYYY-00-00` from the rest; `YYYY-00-DD` is refused."""
    match = BIRTHDATE.fullmatch(text)
    if match is None or (match[2] == "00" and match[3] != "00"):
        return False
    try:
        date.fromisoformat(_presumed(text))
    except ValueError:
        return False
    return True


def _presumed(birthdate: str) -> str:
    """Write the first day or month where the real one is unknown, as the register does."""
    year, month, day = birthdate.split("-")
    return f"{year}-{month.replace('00', '01')}-{day.replace('00', '01')}"


def _check_register(identity: TestIdentity) -> None:
    """Refuse what the register refuses: a given name ending in `_E0100xx`, or any known code, says how."""
    match = ERROR_ON_DEMAND.search(identity.given_name)
    if match is None:
        return
    code = f"Y{match[1]}"
    # E010099 stands for every other answer of the register.
    raise IdentityRefused(code if code in IDENTITY_ERRORS else "Y010013")


def _register_claims(identity: TestIdentity) -> dict[str, str | list[str]]:
    """Give what the register vouches for."""
    claims: dict[str, str | list[str]] = {
        "given_name": identity.given_name,
        "given_name_array": list(identity.given_names or identity.given_name.split()),
        "family_name": identity.received_family_name or identity.family_name,
        "birthdate": _presumed(identity.birthdate),
        "birthplace": _received_birthplace(identity),
        "birthcountry": identity.received_birthcountry or identity.birthcountry,
    }
    return {**claims, "gender": identity.gender} if identity.gender else claims


def _plain_claims(identity: TestIdentity) -> dict[str, str | list[str]]:
    """Give the civil identity as the identity provider has it: partial dates, places in words."""
    given = {
        "given_name": identity.given_name,
        "family_name": identity.family_name,
        "birthdate": identity.birthdate,
        "gender": identity.gender,
        "birthplace": identity.birthplace,
        "birthcountry": identity.birthcountry,
    }
    return {name: value for name, value in given.items() if value or name == "birthplace"}


def _received_birthplace(identity: TestIdentity) -> str:
    """Give the place: empty for a birth abroad, free text for a European identity."""
    if identity.received_birthplace is not None:
        return identity.received_birthplace
    known = identity.birthcountry == FRANCE or identity.foreign
    return identity.birthplace if known else ""


def _provider_claims(identity: TestIdentity) -> dict[str, str | list[str]]:
    """Give what only the identity provider says; an absent usage name is no claim."""
    claims: dict[str, str | list[str]] = {
        "email": identity.email,
        "idp_birthdate": identity.birthdate,
        "idp_id": "fournisseur-de-demonstration",
        "amr": ["fc", "pwd"],
    }
    if identity.preferred_username is not None:
        claims["preferred_username"] = identity.preferred_username
    return claims
