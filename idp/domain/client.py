"""`Client`: what a relying party registered (CON-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.domain.newsletters import Newsletter
from idp.domain.purposes import Purpose


class ClientAuthenticationMethod(StrEnum):
    """How a client proves itself at the back-channel endpoints (OID-4)."""

    SECRET_BASIC = "client_secret_basic"
    SECRET_POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS = "tls_client_auth"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth"
    NONE = "none"


#: Those of RFC 8705, which need a TLS connection that shows a certificate.
CERTIFICATE_METHODS: Final = frozenset(
    {ClientAuthenticationMethod.TLS, ClientAuthenticationMethod.SELF_SIGNED_TLS}
)


class ApplicationType(StrEnum):
    """Where the client runs (OIDC Registration 2)."""

    WEB = "web"
    NATIVE = "native"


class Profile(StrEnum):
    """A set of rules that is enforced as a whole on a client."""

    FAPI2 = "fapi2"
    FAPI2_MESSAGE_SIGNING = "fapi2-message-signing"


class SubjectType(StrEnum):
    """Which subject identifier a client sees (OIDC Core 8)."""

    PAIRWISE = "pairwise"
    PUBLIC = "public"


class GrantType(StrEnum):
    """The grants a client may be allowed (RFC 6749 section 1.3; RFC 8628 section 3.4)."""

    AUTHORIZATION_CODE = "authorization_code"
    IMPLICIT = "implicit"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


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
    """One live secret of a client: its SHA-256, for the secret is 256 random bits.

    Attributes:
        secret_hash: What it is compared with.
        created_at: When it was made.
        expires_at: When it ends; None while it is the newest.
        sealed: The secret itself, encrypted: for client_secret_jwt alone, which signs with it.
    """

    secret_hash: bytes
    created_at: datetime
    expires_at: datetime | None = None
    sealed: str | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the secret may still be used."""
        return self.expires_at is None or now < self.expires_at


#: How an answer of the authorization endpoint may travel (OAuth 2.0 Multiple Response Types 2.1; JARM 2.3).
RESPONSE_MODES: Final = frozenset(
    {"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
)


@dataclass(frozen=True, slots=True)
class Encryption:
    """How an answer to a client is encrypted (OIDC Registration 2): key management, content."""

    alg: str
    enc: str = "A128CBC-HS256"


@dataclass(frozen=True, slots=True)
class CertificateSubject:
    """The one name by which the certificate of tls_client_auth is known (RFC 8705 section 2.1.2).

    Attributes:
        kind: The wire's name without its prefix: "subject_dn", "san_dns", "san_uri", "san_ip" or "san_email".
        value: The name, as registered.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying party.

    The attributes of the wire carry the names of OIDC Registration 2 and RFC 7591 section 2; the others are
    the city's service contract (CON-1) and what an administrator decides:

    Attributes:
        accepts_endpoint_audience: Assertions may name the token endpoint as audience, for a service that can't
            be changed yet; refused by default, for such an assertion can be taken elsewhere (CVE-2025-27370).
        require_pkce: A code challenge is demanded of every request.
        profile: The whole of a security profile is enforced, whatever the other attributes say.
        userinfo_acr: UserInfo asks for this level with a challenge (RFC 9470); None for any.
        userinfo_max_age: UserInfo asks for a login that is not older, in seconds; None for any.
        allowed_origins: Origins whose scripts may read /token, /userinfo and /revoke (OID-10).
        resource_identifier: This client is the API of that address: it may introspect tokens made for it.
        resources: APIs that the client may ask tokens for (RFC 8707).
        is_verified: An administrator registered it; False for one that registered itself.
        recipients: Who else gets the data: processors, partners.
        storage_location: Where the data are kept, such as "France".
        data_protection_contact: Where to turn to about the data; the city's own when it is None.
        required_acr: No one gets in with a login of a lower level; None for any.
        minimum_age: Below it a parent's permission is needed (CON-7); None for any age.
        purposes: What needs a yes or no of its own (CON-3).
        newsletters: Lists that people may subscribe to (PRO-7).
        consent_always: The person is asked at each authorization.
        events_uri: Where security events are pushed (RFC 8935); None for a service that wants none.
    """

    client_id: str
    name: str
    version: int = 1
    description: dict[str, str] = field(default_factory=dict)
    organisation: str = ""
    service_uri: str | None = None
    policy_uri: str | None = None
    policy_version: str = "1"
    tos_uri: str | None = None
    logo_uri: str | None = None
    rubrique: str | None = None
    contacts: tuple[str, ...] = ()
    application_type: ApplicationType = ApplicationType.WEB
    initiate_login_uri: str | None = None
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
    jwks_uri: str | None = None
    accepts_endpoint_audience: bool = False
    certificate_subject: CertificateSubject | None = None
    tls_bound_access_tokens: bool = False
    dpop_bound_access_tokens: bool = False
    grant_types: frozenset[str] = frozenset({GrantType.AUTHORIZATION_CODE})
    response_types: frozenset[str] = frozenset({"code"})
    response_modes: frozenset[str] = RESPONSE_MODES
    require_pkce: bool = True
    require_pushed_requests: bool = False
    require_signed_requests: bool = False
    request_object_signing_alg: str | None = None
    request_object_encryption: Encryption | None = None
    request_uris: tuple[str, ...] = ()
    profile: Profile | None = None
    id_token_signed_response_alg: str = "ES256"
    id_token_encryption: Encryption | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encryption: Encryption | None = None
    authorization_signed_response_alg: str | None = None
    authorization_encryption: Encryption | None = None
    introspection_signed_response_alg: str | None = None
    introspection_encryption: Encryption | None = None
    subject_type: SubjectType = SubjectType.PAIRWISE
    sector_identifier: str | None = None
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    require_auth_time: bool = False
    userinfo_acr: str | None = None
    userinfo_max_age: int | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    allowed_origins: tuple[str, ...] = ()
    resource_identifier: str | None = None
    resources: tuple[str, ...] = ()
    is_verified: bool = True
    consent_required: bool = True
    consent_always: bool = False
    recipients: tuple[str, ...] = ()
    storage_location: str = ""
    data_protection_contact: str | None = None
    required_acr: str | None = None
    minimum_age: int | None = None
    purposes: tuple[Purpose, ...] = ()
    newsletters: tuple[Newsletter, ...] = ()
    events_uri: str | None = None
    created_at: datetime | None = None
    disabled_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether the client can't keep a secret (RFC 6749 section 2.1)."""
        return self.authentication_method is ClientAuthenticationMethod.NONE

    @property
    def is_fapi2(self) -> bool:
        """Tell whether FAPI 2.0 is enforced, with or without message signing."""
        return self.profile is not None

    @property
    def signs_messages(self) -> bool:
        """Tell whether FAPI 2.0 Message Signing is enforced."""
        return self.profile is Profile.FAPI2_MESSAGE_SIGNING

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

    def purpose(self, name: str) -> Purpose | None:
        """Find a purpose by its name."""
        return next((one for one in self.purposes if one.name == name), None)

    def newsletter(self, name: str) -> Newsletter | None:
        """Find a list by its name."""
        return next((one for one in self.newsletters if one.name == name), None)

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
    pushed_request: timedelta = timedelta(seconds=90)
    device_code: timedelta = timedelta(minutes=15)


class RegistrationMode(StrEnum):
    """Who may register a client by program (OID-7)."""

    OFF = "off"
    TOKEN = "token"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """What a client that registers itself may have (RFC 7591).

    Attributes:
        mode: Who may register.
        require_pkce: Such clients must use PKCE even when they have a secret.
        legacy_response_types: They may register implicit and hybrid response types.
    """

    mode: RegistrationMode = RegistrationMode.OFF
    require_pkce: bool = True
    legacy_response_types: bool = False
