"""What the simulator must know before it starts: its issuer and the services it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from idp.demo.franceconnect.portal import (
    ORDINARY,
    PLUS,
    EncryptionAlgorithm,
    Portal,
    SigningAlgorithm,
)

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

#: Of FranceConnect+ only: what the State's register has, beside what the identity provider says.
REGISTER_SCOPES = frozenset(
    {
        "rnipp_identite_pivot",
        "rnipp_given_name",
        "rnipp_family_name",
        "rnipp_birthdate",
        "rnipp_gender",
        "rnipp_birthplace",
        "rnipp_birthcountry",
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
        signs_userinfo: False for an old registration, which gets userinfo as JSON.
        encryption_alg: Of the same two, at FranceConnect+; None leaves them signed only.
        jwks_uri: Where the service publishes the key to encrypt to.
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
    signs_userinfo: bool = True
    encryption_alg: EncryptionAlgorithm | None = None
    jwks_uri: str = ""
    scopes: frozenset[str] = IDENTITY_SCOPES | REGISTER_SCOPES
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
        plus: Whether this is FranceConnect+.
        fetch: Fetches the key set of a service; HTTP when absent.
    """

    issuer: str
    clients: tuple[FranceConnectClient, ...]
    clock: Callable[[], datetime] = utc_now
    control: bool = True
    plus: bool = False
    fetch: Callable[[str], object] | None = None

    @property
    def portal(self) -> Portal:
        """Return which of the State's two portals this one is."""
        return PLUS if self.plus else ORDINARY

    @property
    def prefix(self) -> str:
        """Return the path of the issuer, before every endpoint."""
        return urlsplit(self.issuer).path

    def client(self, client_id: str) -> FranceConnectClient | None:
        """Find a registered service."""
        return next((client for client in self.clients if client.client_id == client_id), None)
