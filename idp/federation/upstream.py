"""`UpstreamProvider`: what every upstream offers; here this server is the relying party."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from idp.domain.civil_identity import CivilIdentity


class UpstreamError(Exception):
    """The upstream provider gave no identity."""


class UpstreamRefused(UpstreamError):
    """The provider, or the person there, said no.

    Args:
        code: Its OAuth error code; a word of the protocol, never free text.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UpstreamMisbehaved(UpstreamError):
    """A check of its answer failed: somebody should look (S-33).

    Args:
        what: Which check, such as "id_token.nonce"; never a value.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class UpstreamUnavailable(UpstreamError):
    """It is down, slow, or was so lately that it is not asked (FC-7).

    Args:
        why: For the log.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class UpstreamIdentity:
    """Who came back, every check of the answer passed.

    Attributes:
        subject: The only thing a person is recognised by (FC-3, S-83).
        level: The level of assurance that its ID token says; at least what was asked for.
        civil_identity: What the State's register vouches for.
        preferred_username: The usage name, as the person's own identity provider has it; not vouched for.
        email: The same; nobody has verified it.
        partial_birthdate: The same, when it knows less than a whole date ("1992-11-00").
        id_token: The signed token, decrypted where it came encrypted: wanted back so by the logout; never shown,
            never logged (S-58).
    """

    subject: str
    level: str
    civil_identity: CivilIdentity = field(repr=False)
    preferred_username: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    partial_birthdate: str | None = field(default=None, repr=False)
    id_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamCallback:
    """What the browser brought back, as received.

    Attributes:
        code: Of a success.
        error: Of a refusal.
        issuer: `iss` of RFC 9207.
    """

    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None


class UpstreamProvider(Protocol):
    """An identity provider that people may come from."""

    @property
    def levels(self) -> tuple[str, ...]:
        """Give the levels of assurance that it may be asked for, weakest first; never empty."""

    def authorization_url(self, *, state: str, nonce: str, level: str | None = None) -> str:
        """Say where to send the browser.

        Args:
            state: Comes back with the browser.
            nonce: Comes back in the ID token.
            level: What to ask for, one of `levels`; None for the lowest of them.

        Raises:
            UpstreamUnavailable: It is known to be down: better to say so here than there.
            UpstreamMisbehaved: What it says of itself contradicts the configuration.
        """

    def identify(
        self, callback: UpstreamCallback, *, nonce_hash: bytes, now: datetime, level: str | None = None
    ) -> UpstreamIdentity:
        """Exchange what the browser brought for an identity, and check all of it.

        Args:
            callback: As received; its state is the caller's to check, first.
            nonce_hash: SHA-256 of the nonce that was sent.
            now: Aware UTC.
            level: What was asked for; less is refused.

        Raises:
            UpstreamRefused: It said no.
            UpstreamMisbehaved: A check failed.
            UpstreamUnavailable: No answer.
        """

    def logout_url(self, id_token: str, *, state: str) -> str:
        """Say where to send the browser so that the person's session there ends too (LOG-7)."""
