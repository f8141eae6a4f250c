"""`Authentication`: who, when (auth_time), how (amr), how surely (acr) (LOG-4, LOG-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: What a password login is worth: no level of assurance of eIDAS is claimed for it.
ACR_PASSWORD = "urn:mon-paris:acr:password"
#: What FranceConnect vouches for (eIDAS low).
ACR_EIDAS1 = "eidas1"
#: Every level served, weakest first; discovery lists them (OIDC Discovery 3, `acr_values_supported`).
ACR_VALUES = (ACR_PASSWORD, ACR_EIDAS1)


@dataclass(frozen=True, slots=True)
class Authentication:
    """One proof of presence.

    Attributes:
        at: When the person proved who they are; `auth_time` on the wire.
        methods: RFC 8176 values; `amr` on the wire.
        level: One of `ACR_VALUES`; `acr` on the wire.
    """

    at: datetime
    methods: tuple[str, ...]
    level: str

    @classmethod
    def by_password(cls, at: datetime) -> Authentication:
        """Say that a password was checked."""
        return cls(at, ("pwd",), ACR_PASSWORD)

    @classmethod
    def by_franceconnect(cls, at: datetime, level: str) -> Authentication:
        """Say that FranceConnect vouched for the person, at the level it answered."""
        return cls(at, ("fc",), level)

    def satisfies(self, acr_values: tuple[str, ...]) -> bool:
        """Tell whether the level is one of those asked for, or higher; nothing asked is always satisfied."""
        known = [ACR_VALUES.index(value) for value in acr_values if value in ACR_VALUES]
        return not known or ACR_VALUES.index(self.level) >= min(known)
