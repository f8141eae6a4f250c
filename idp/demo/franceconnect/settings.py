"""What the simulator must know before it starts: its issuer and the services it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

SigningAlgorithm = Literal["ES256", "RS256"]

#: Scopes that FranceConnect grants to any service that asked for the civil identity.
IDENTITY_SCOPES = frozenset(
    {
        "openid",
        "identite_pivot",
        "profile",
        "birth",
        "given_name",
        "family_name",
        "birthdate",
        "gender",
        "birthplace",
        "birthcountry",
        "email",
        "preferred_username",
        "idp_birthdate",
    },
)

#: Granted by exception only: a service is not meant to know the identity provider.
EXCEPTIONAL_SCOPES = frozenset({"amr", "idp_id"})


def utc_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class FranceConnectClient:
    """A service registered at the simulator, as on FranceConnect's partner portal.

    Attributes:
        client_id: Public identifier; the audience of its tokens.
        client_secret: Sent by the service at /token.
        redirect_uris: Login callbacks, compared character by character.
        post_logout_redirect_uris: Logout callbacks, a list of its own.
        name: Shown to the person.
        signing_alg: Of the ID token and of userinfo; chosen once, at registration.
        scopes: What the authorisation of the service covers.
        entity_id: Services of one entity share their subjects; the client_id when absent.
        idp_hints: Identity providers that the service may point to.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    name: str = "Mon Paris"
    signing_alg: SigningAlgorithm = "ES256"
    scopes: frozenset[str] = IDENTITY_SCOPES
    entity_id: str | None = None
    idp_hints: frozenset[str] = frozenset()

    @property
    def entity(self) -> str:
        """Return what makes the subjects of this service differ from another's."""
        return self.entity_id or self.client_id


@dataclass(frozen=True)
class FranceConnectSettings:
    """Settings of one simulator.

    Attributes:
        issuer: With its path, without a trailing slash: `http://localhost:8001/api/v2`.
        clients: The services registered.
        clock: Tells the time; tests move it.
        control: Whether POST /control, which breaks the simulator on purpose, is open.
    """

    issuer: str
    clients: tuple[FranceConnectClient, ...]
    clock: Callable[[], datetime] = utc_now
    control: bool = True

    @property
    def prefix(self) -> str:
        """Return the path of the issuer, before every endpoint."""
        return urlsplit(self.issuer).path

    def client(self, client_id: str) -> FranceConnectClient | None:
        """Find a registered service."""
        return next((client for client in self.clients if client.client_id == client_id), None)
