"""Claims as they go on the wire, from what is held on the person (OIDC Core 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from idp.domain.contact_details import PostalAddress

#: What an account's language is on the wire (OIDC Core 5.1, `locale`: BCP 47).
_LOCALES = {"fr": "fr-FR", "en": "en-GB"}


def claim_values(attributes: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Give the values of the claims named, and of no other.

    A claim without a value is left out: OIDC Core 5.3.2, "it SHOULD NOT be present with a null or
    empty string value".

    Args:
        attributes: What is held on the person: `given_name` (all given names), `family_name` (name
            at birth), `preferred_username` (name in use, if any: FranceConnect's meaning),
            `gender`, `birthdate` (text of the register), `birthplace`, `birthcountry` (INSEE
            codes), `email`, `phone_number`, `phone_number_verified`, `address` (as stored),
            `language` ("fr" or "en"), `updated_at` (an aware datetime).
        names: Wire names; those we know nothing of are left out.
    """
    values: dict[str, Any] = {}
    for name in names:
        value = _MAKERS[name](attributes) if name in _MAKERS else attributes.get(name)
        if value not in (None, "", {}):
            values[name] = value
    return values


def full_name(attributes: Mapping[str, Any]) -> str | None:
    """Give the name to show: given names, then the name in use, else the name at birth."""
    family = attributes.get("preferred_username") or attributes.get("family_name")
    parts = [part for part in (attributes.get("given_name"), family) if part]
    return " ".join(parts) or None


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
    "email_verified": _email_verified,
    "phone_number_verified": _phone_number_verified,
    "address": _address,
    "locale": _locale,
    "updated_at": _updated_at,
}
