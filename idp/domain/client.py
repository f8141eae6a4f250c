"""`Client`: what a relying party registered (CON-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class ClientAuthenticationMethod(StrEnum):
    """How a client proves itself at the back-channel endpoints (OID-4)."""

    SECRET_BASIC = "client_secret_basic"
    SECRET_POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    NONE = "none"


class SubjectType(StrEnum):
    """Which subject identifier a client sees (OIDC Core 8)."""

    PAIRWISE = "pairwise"
    PUBLIC = "public"


class GrantType(StrEnum):
    """The grants a client may be allowed (RFC 6749 section 1.3)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"


class LegalBasis(StrEnum):
    """Why a service may process data (GDPR article 6)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_INTEREST = "public_interest"
    LEGITIMATE_INTEREST = "legitimate_interest"
    VITAL_INTEREST = "vital_interest"


@dataclass(frozen=True, slots=True)
class ClaimUse:
    """Why a client wants one claim (CON-1, CON-2).

    Attributes:
        name: The claim's wire name.
        reason: Shown to the person, by language code ("fr", "en").
        required: The service can't be given without it; otherwise it can be refused alone.
        minimum_level: The lowest certification level accepted (100 declared, 250 proven, 600 FranceConnect).
    """

    name: str
    reason: dict[str, str]
    required: bool = False
    minimum_level: int = 100


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One live secret of a client: its SHA-256, for the secret is 256 random bits."""

    secret_hash: bytes
    created_at: datetime
    expires_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the secret may still be used."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying party.

    The attributes of the wire carry the names of OIDC Registration 2 and RFC 7591 section 2; the others are
    the city's service contract (CON-1).
    """

    client_id: str
    name: str
    version: int = 1
    description: dict[str, str] = field(default_factory=dict)
    organisation: str = ""
    service_uri: str | None = None
    policy_uri: str | None = None
    policy_version: str = "1"
    logo_uri: str | None = None
    rubrique: str | None = None
    contacts: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset({"openid"})
    claims: tuple[ClaimUse, ...] = ()
    legal_basis: LegalBasis = LegalBasis.CONSENT
    retention: dict[str, str] = field(default_factory=dict)
    authentication_method: ClientAuthenticationMethod = ClientAuthenticationMethod.SECRET_BASIC
    authentication_signing_alg: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    jwks: dict[str, Any] | None = None
    grant_types: frozenset[str] = frozenset({GrantType.AUTHORIZATION_CODE})
    response_types: frozenset[str] = frozenset({"code"})
    response_modes: frozenset[str] = frozenset({"query", "form_post", "fragment"})
    require_pkce: bool = True
    id_token_signed_response_alg: str = "ES256"
    userinfo_signed_response_alg: str | None = None
    subject_type: SubjectType = SubjectType.PAIRWISE
    sector_identifier: str | None = None
    consent_required: bool = True
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether the client can't keep a secret (RFC 6749 section 2.1)."""
        return self.authentication_method is ClientAuthenticationMethod.NONE

    @property
    def may_refresh(self) -> bool:
        """Tell whether the client may hold refresh tokens."""
        return GrantType.REFRESH_TOKEN in self.grant_types

    def is_enabled(self, now: datetime) -> bool:
        """Tell whether the service is on today (CON-1: start and end dates)."""
        if self.disabled_at is not None:
            return False
        started = self.starts_at is None or self.starts_at <= now
        return started and (self.ends_at is None or now < self.ends_at)

    def claim_use(self, name: str) -> ClaimUse | None:
        """Find what the contract says of a claim; None when the client may not have it."""
        return next((use for use in self.claims if use.name == name), None)


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """How long each kind of token lives."""

    code: timedelta = timedelta(seconds=60)
    access_token: timedelta = timedelta(minutes=5)
    id_token: timedelta = timedelta(minutes=5)
    refresh_idle: timedelta = timedelta(days=14)
    refresh_absolute: timedelta = timedelta(days=90)
    refresh_retry: timedelta = timedelta(seconds=10)
