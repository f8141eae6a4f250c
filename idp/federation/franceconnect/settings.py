"""Endpoints, levels of assurance, scopes (franceconnect.md 1, 2, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

#: Weakest first; an answer must reach what was asked.
LEVELS = ("eidas1", "eidas2", "eidas3")


@dataclass(frozen=True, slots=True)
class FranceConnectSettings:
    """What the partner portal and the administrator say.

    Attributes:
        issuer: With its path, without a trailing slash.
        client_id: Given at registration.
        client_secret: Given at registration.
        redirect_uri: Our login callback, as registered, character by character.
        post_logout_redirect_uri: Our logout callback; a list of its own at FranceConnect.
        signing_algorithm: Chosen at registration for the ID token and userinfo; nothing else is accepted.
        acr_values: The levels that may be asked for, of which the lowest is unless a service wants more.
        scopes: What is asked for; each must be in the authorization (S-62).
        encryption_algorithm: How the ID token and userinfo are encrypted to our keys, as registered; None when they
            are not (FranceConnect+ encrypts, franceconnect.md 3).
        leeway: Clock difference tolerated.
        jwks_minimum_refetch: Shortest time between two fetches of the keys.
        jwks_lifetime: Keys older than this are fetched again; FranceConnect allows 10 minutes of cache.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    post_logout_redirect_uri: str
    signing_algorithm: str = "ES256"
    acr_values: str = "eidas1"
    scopes: tuple[str, ...] = ("openid", "identite_pivot", "preferred_username", "email", "idp_birthdate")
    encryption_algorithm: str | None = None
    leeway: timedelta = timedelta(seconds=30)
    jwks_minimum_refetch: timedelta = timedelta(seconds=10)
    jwks_lifetime: timedelta = timedelta(minutes=10)

    @property
    def levels(self) -> tuple[str, ...]:
        """Give the levels that may be asked for, weakest first."""
        return tuple(level for level in LEVELS if level in self.acr_values.split()) or LEVELS[:1]

    @property
    def level(self) -> str:
        """Give the lowest of them: what an answer must reach at least."""
        return self.levels[0]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where each thing is asked."""

    authorization: str
    token: str
    userinfo: str
    jwks: str
    end_session: str

    @classmethod
    def fixed(cls, issuer: str) -> Endpoints:
        """Give FranceConnect's own paths (franceconnect.md 1), for when discovery does not answer."""
        return cls(
            authorization=f"{issuer}/authorize",
            token=f"{issuer}/token",
            userinfo=f"{issuer}/userinfo",
            jwks=f"{issuer}/jwks",
            end_session=f"{issuer}/session/end",
        )
