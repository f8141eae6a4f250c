"""`Authentication`: who, when (auth_time), how (amr), how surely (acr) (LOG-4, LOG-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: What a password login is worth: no level of assurance of eIDAS is claimed for it.
ACR_PASSWORD = "urn:mon-paris:acr:password"
#: What FranceConnect vouches for (eIDAS low), and FranceConnect+ (substantial, high).
ACR_EIDAS1 = "eidas1"
ACR_EIDAS2 = "eidas2"
ACR_EIDAS3 = "eidas3"
#: Every level known here, weakest first. Which of them an installation reaches depends on the portals that are on:
#: `services.sign_in.portals` says it, and discovery lists it (OIDC Discovery 3, `acr_values_supported`).
ACR_VALUES = (ACR_PASSWORD, ACR_EIDAS1, ACR_EIDAS2, ACR_EIDAS3)


def rank(level: str) -> int:
    """Place a level among `ACR_VALUES`; one that is not known here is below them all, so that it proves nothing."""
    return ACR_VALUES.index(level) if level in ACR_VALUES else -1


def levels_up_to(level: str) -> tuple[str, ...]:
    """Give every level that a session of this one satisfies, itself last; none for one that is not known."""
    return ACR_VALUES[: rank(level) + 1]


@dataclass(frozen=True, slots=True)
class Authentication:
    """One proof of presence.

    Attributes:
        at: When the person proved who they are; `auth_time` on the wire.
        methods: RFC 8176 values; `amr` on the wire.
        level: `acr` on the wire, exactly what was proven: one of `ACR_VALUES` as far as it was known when it was.
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
        """Tell whether the level is one of those asked for, or higher; nothing known asked is always satisfied."""
        known = [rank(value) for value in acr_values if value in ACR_VALUES]
        return not known or rank(self.level) >= min(known)
