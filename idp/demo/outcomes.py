"""What becomes of a login and of what follows from it: what passed every check, and how it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class RelyingPartyError(Exception):
    """Signing in, or what follows from it, failed."""


class ProviderUnavailable(RelyingPartyError):
    """The provider does not answer, or answers nonsense; trying again later may help."""


class LoginRefused(RelyingPartyError):
    """The provider answered with an error at the callback."""

    def __init__(self, error: str, description: str = "") -> None:
        """Keep the error code, and the description for a log."""
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


class AnswerRejected(RelyingPartyError):
    """A check of ours failed: the answer must not be used.

    Attributes:
        err: How a security event is refused for it (RFC 8935 section 2.4).
    """

    err = "invalid_request"


class UnknownKey(AnswerRejected):
    """No key of the provider fits the signature; it may be a new one."""

    err = "invalid_key"


class OtherIssuer(AnswerRejected):
    """A token of another provider."""

    err = "invalid_issuer"


class OtherAudience(AnswerRejected):
    """A token for another service."""

    err = "invalid_audience"


class Reworded(RelyingPartyError):
    """The question was worded anew since the person read it."""


class TokensRefused(RelyingPartyError):
    """The provider no longer honours these tokens: consent withdrawn, session ended, expired."""


@dataclass(frozen=True)
class LoginRequest:
    """A login under way; kept in the browser's own session until the answer comes.

    Attributes:
        url: Where to send the browser.
        state: Ties the answer to the browser.
        nonce: Ties the ID token to the request.
        code_verifier: Proves that whoever redeems the code asked for it.
        max_age: Asked; then `auth_time` is checked.
        levels: Demanded by the `claims` parameter; then `acr` must be one of them. Empty for any.
    """

    url: str
    state: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    max_age: int | None = None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tokens:
    """A login that passed every check.

    Attributes:
        subject: Who it is, at this service.
        id_token: Raw: the hint of the logout.
        claims: Of the ID token.
        access_token: For userinfo.
        refresh_token: For new access tokens, when the provider gives one.
        expires_at: Of the access token; None when the provider does not say.
        scope: Granted, which may be less than asked.
    """

    subject: str
    id_token: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    scope: str

    def expired(self, now: datetime) -> bool:
        """Tell whether the access token is known to be too old."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class LogoutNotice:
    """A logout token that passed every check.

    Attributes:
        subject: Whose session ended; None when only the session is named.
        sid: Which one; None for every session of the subject.
    """

    subject: str | None
    sid: str | None


@dataclass(frozen=True)
class SecurityEvent:
    """A security event token that passed every check.

    Attributes:
        kind: The URI of the event's type.
        subject: Who it is about, at this service.
        details: What the type says beside the subject.
        jti: The same whenever the event is told again.
    """

    kind: str
    subject: str
    details: Mapping[str, Any]
    jti: str
