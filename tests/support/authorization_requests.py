"""Clients, requests and sessions as tests of the protocol want them, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from idp.domain.authentication import Authentication
from idp.domain.client import ClaimUse, Client, ClientAuthenticationMethod
from idp.domain.consent import Consent
from idp.domain.pending_authorization import PENDING_LIFETIME, PendingAuthorization
from idp.domain.session import Session
from idp.protocol.authorization.request import AuthorizationRequest, parse

ISSUER = "https://id.example.org"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REDIRECT_URI = "https://parking.example.org/callback"
#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

PARKING = Client(
    client_id="parking",
    name="Stationnement résidentiel",
    redirect_uris=(REDIRECT_URI,),
    post_logout_redirect_uris=("https://parking.example.org/bye",),
    scopes=frozenset({"openid", "profile", "email", "offline_access"}),
    claims=(
        ClaimUse("family_name", {"fr": "Au nom de qui est la carte."}, required=True),
        ClaimUse("given_name", {"fr": "Au nom de qui est la carte."}, required=True),
        ClaimUse("email", {"fr": "Pour prévenir de la fin des droits."}),
        ClaimUse("birthplace", {"fr": "Pour distinguer des homonymes."}),
    ),
    grant_types=frozenset({"authorization_code", "refresh_token"}),
)


def a_client(**changes: object) -> Client:
    """Make a confidential client that may do everything, with changes."""
    values: dict[str, Any] = dict(changes)
    return replace(PARKING, **values)


def a_public_client(**changes: object) -> Client:
    """Make a client without a secret, with changes."""
    return a_client(authentication_method=ClientAuthenticationMethod.NONE, **changes)


def parameters(**changes: str | None) -> dict[str, str]:
    """Give the parameters of a request that passes, with changes; None takes one away."""
    usual: dict[str, str | None] = {
        "client_id": "parking",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def read(
    client: Client = PARKING, extra: tuple[tuple[str, str], ...] = (), **changes: str | None
) -> AuthorizationRequest:
    """Parse a request of a client, with changes and with extra pairs at its end."""
    pairs = [*parameters(**changes).items(), *extra]
    return parse(pairs, {client.client_id: client}.get, NOW)


def a_session(at: datetime = NOW, level: str | None = None) -> Session:
    """Make a session signed in at a moment, by password unless a level is given."""
    authentication = Authentication.by_password(at)
    if level is not None:
        authentication = Authentication.by_franceconnect(at, level)
    return Session("session-1", "account-1", authentication, created_at=at, last_seen_at=at)


def a_consent(**changes: object) -> Consent:
    """Make a consent that covers every claim of the client, with changes."""
    everything = Consent(
        consent_id="consent-1",
        scopes=PARKING.scopes,
        claims=frozenset(use.name for use in PARKING.claims),
        refused_claims=frozenset(),
        policy_version="1",
        granted_at=NOW,
    )
    values: dict[str, Any] = dict(changes)
    return replace(everything, **values)


def a_pending(**changes: object) -> PendingAuthorization:
    """Make the kept request of now, with changes."""
    pending = PendingAuthorization(
        pending_id="pending-1",
        client_id="parking",
        parameters=parameters(),
        created_at=NOW,
        expires_at=NOW + PENDING_LIFETIME,
    )
    values: dict[str, Any] = dict(changes)
    return replace(pending, **values)
