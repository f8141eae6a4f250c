"""Claims as they go on the wire, from what is held on the person (OIDC Core 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from idp.domain.civil_identity import GIVEN_NAMES, given_names
from idp.domain.contact_details import PostalAddress

#: What an account's language is on the wire (OIDC Core 5.1, `locale`: BCP 47).
_LOCALES = {"fr": "fr-FR", "en": "en-GB"}


#: What a claim is made of that is not stored under its own name.
_MADE_OF = {"name": ("given_name", "family_name", "preferred_username")}


@dataclass(frozen=True, slots=True)
class Proof:
    """How sure a claim is: its level on the city's scale, who says so, and since when (FC-6).

    Attributes:
        level: 100 declared, 250 proven by our own mail, 600 certified by FranceConnect.
        source: "declared", "mail" or "franceconnect".
        at: Aware UTC; None when no date is kept.
    """

    level: int
    source: str
    at: datetime | None = None


def claim_values(attributes: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Give the values of the claims named, and of no other.

    A claim without a value is left out: OIDC Core 5.3.2, "it SHOULD NOT be present with a null or
    empty string value".

    Args:
        attributes: What is held on the person: `given_name` (all given names), `given_name_array` (JSON text of
            the list, where FranceConnect certified one), `family_name` (name
            at birth), `preferred_username` (name in use, if any: FranceConnect's meaning),
            `gender`, `birthdate` (text of the register), `birthplace`, `birthcountry` (INSEE
            codes), `email`, `phone_number`, `phone_number_verified`, `address` (as stored),
            `language` ("fr" or "en"), `updated_at` (an aware datetime).
        names: Wire names; those we know nothing of are left out.
    """
    values: dict[str, Any] = {}
    for name in names:
        value = _MAKERS[name](attributes) if name in _MAKERS else attributes.get(name)
        if value not in (None, "", {}, []):
            values[name] = value
    return values


def certification(proofs: Mapping[str, Proof], names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Say of each claim of an answer how sure it is: the `certification` claim (FC-6).

    Args:
        proofs: Of what is held on the person, by wire name.
        names: The claims in the answer; those that are facts of ours, such as `locale`, have no proof.
    """
    found = {}
    for name in names:
        parts = [proofs[part] for part in _MADE_OF.get(name, (name,)) if part in proofs]
        if parts:
            # As sure as the least sure part.
            found[name] = _told(min(parts, key=lambda proof: proof.level))
    return found


def timestamp(at: datetime) -> str:
    """Write a moment in UTC, which tells nothing of where the person was (ISO 8601; OIDC IDA 9)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def full_name(attributes: Mapping[str, Any]) -> str | None:
    """Give the name to show: given names, then the name in use, else the name at birth."""
    family = attributes.get("preferred_username") or attributes.get("family_name")
    parts = [part for part in (attributes.get("given_name"), family) if part]
    return " ".join(parts) or None


def _told(proof: Proof) -> dict[str, Any]:
    told: dict[str, Any] = {"level": proof.level, "source": proof.source}
    return told if proof.at is None else told | {"date": timestamp(proof.at)}


def _given_name_array(attributes: Mapping[str, Any]) -> list[str] | None:
    # Only as it was certified: which spaces separate two names that were typed, nobody can tell.
    return list(given_names(attributes)) if attributes.get(GIVEN_NAMES) else None


def _email_verified(attributes: Mapping[str, Any]) -> bool | None:
    # ACC-4: an account exists only once its address is proven.
    return True if attributes.get("email") else None


def _phone_number_verified(attributes: Mapping[str, Any]) -> bool | None:
    if not attributes.get("phone_number"):
        return None
    return attributes.get("phone_number_verified") is True


def _address(attributes: Mapping[str, Any]) -> dict[str, str]:
    stored: str | None = attributes.get("address")
    return PostalAddress.from_text(stored).claim if stored else {}


def _locale(attributes: Mapping[str, Any]) -> str | None:
    return _LOCALES.get(attributes.get("language", ""))


def _updated_at(attributes: Mapping[str, Any]) -> int | None:
    updated_at: datetime | None = attributes.get("updated_at")
    return None if updated_at is None else int(updated_at.timestamp())


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "name": full_name,
    GIVEN_NAMES: _given_name_array,
    "email_verified": _email_verified,
    "phone_number_verified": _phone_number_verified,
    "address": _address,
    "locale": _locale,
    "updated_at": _updated_at,
}
