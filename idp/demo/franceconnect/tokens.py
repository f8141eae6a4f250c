"""The ID token and the userinfo token, faithful unless a fault says otherwise."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from idp.demo.franceconnect.claims import claims_of
from idp.demo.franceconnect.encryption import fetched_keys, nested, no_keys
from idp.demo.franceconnect.faults import Faults
from idp.demo.franceconnect.keys import SigningKeys
from idp.demo.franceconnect.settings import FranceConnectClient, FranceConnectSettings
from idp.demo.franceconnect.state import ACCESS_TOKEN_LIFE, Code, Grant

TOKEN_LIFE_SECONDS = int(ACCESS_TOKEN_LIFE.total_seconds())


@dataclass(frozen=True)
class TokenMaker:
    """Signs what /token and /userinfo answer."""

    settings: FranceConnectSettings
    keys: SigningKeys
    faults: Faults

    def id_token(self, code: Code, access_token: str, now: datetime) -> str:
        """Sign an ID token: 8 members, 9 with `amr`; no `at_hash`, unless a fault asks for it."""
        client, identity = code.request.client, code.session.identity
        payload = {
            "sub": identity.subject(client.entity),
            "auth_time": int(code.session.authenticated_at.timestamp()),
            # What was asked, even when the identity provider did better.
            "acr": code.request.level,
            "nonce": code.request.nonce,
            **self._envelope(client.client_id, now),
        }
        if code.request.wants_amr:
            payload["amr"] = identity.claims["amr"]
        payload |= self._at_hash(access_token)
        return self._finished(payload, client, "id_token")

    def _at_hash(self, access_token: str) -> dict[str, str]:
        """Give the member that FranceConnect left out since its library did (OIDC Core 3.1.3.6)."""
        if self.faults.take("wrong_at_hash", "id_token"):
            access_token = "another"
        elif not self.faults.take("at_hash", "id_token"):
            return {}
        half = sha256(access_token.encode()).digest()[:16]
        return {"at_hash": urlsafe_b64encode(half).decode().rstrip("=")}

    def userinfo(self, grant: Grant, now: datetime) -> tuple[str, str]:
        """Return the userinfo body and its media type."""
        asked = claims_of(grant.scopes) & grant.identity.claims.keys()
        payload: dict[str, Any] = {
            "sub": grant.identity.subject(grant.client.entity),
            **{name: grant.identity.claims[name] for name in sorted(asked)},
            **self._envelope(grant.client.client_id, now),
        }
        unsigned = self.faults.take("unsigned_userinfo", "userinfo") is not None
        if unsigned or not grant.client.signs_userinfo:
            return json.dumps(self._spoiled(payload, "userinfo")), "application/json"
        return self._finished(payload, grant.client, "userinfo"), "application/jwt"

    def _envelope(self, client_id: str, now: datetime) -> dict[str, Any]:
        """Write the members that say for whom, from whom and until when."""
        issued_at = int(now.timestamp())
        return {
            "aud": client_id,
            "exp": issued_at + TOKEN_LIFE_SECONDS,
            "iat": issued_at,
            "iss": self.settings.issuer,
        }

    def _finished(self, payload: dict[str, Any], client: FranceConnectClient, place: str) -> str:
        """Spoil the payload as the faults ask, sign it, and encrypt it where the service registered for that."""
        spoiled = self._spoiled(payload, place)
        if self.faults.take("unsigned_id_token", place):
            token = _unsigned(spoiled)
        else:
            wrong_key = self.faults.take("wrong_key", place) is not None
            token = self.keys.sign(spoiled, client.signing_alg, wrong_key=wrong_key)
        if client.encryption_alg is None or self.faults.take("unencrypted", place):
            return token
        wrong_key = self.faults.take("wrong_encryption_key", place) is not None
        return nested(token, client, self.settings.issuer, self.keys_of(client), wrong_key=wrong_key)

    def keys_of(self, client: FranceConnectClient) -> Any:  # noqa: ANN401 - Whatever the service publishes.
        """Fetch a service's key set, each time: a rotation there is seen at once here.

        Raises:
            JSONError: Y044D511.
        """
        try:
            return (self.settings.fetch or fetched_keys)(client.jwks_uri)
        except (OSError, ValueError) as error:
            raise no_keys(type(error).__name__) from error

    def _spoiled(self, payload: dict[str, Any], place: str) -> dict[str, Any]:
        """Apply the faults that change a member."""
        changes: dict[str, dict[str, Any]] = {
            "wrong_issuer": {"iss": "https://franceconnect.invalid/api/v2"},
            "wrong_audience": {"aud": "un-autre-service"},
            "wrong_nonce": {"nonce": "0" * 64},
            "wrong_subject": {"sub": "0" * 64 + "v1"},
            "lower_acr": {"acr": "eidas0"},
            "expired": {"exp": payload["iat"] - 3600, "iat": payload["iat"] - 3660},
        }
        spoiled = dict(payload)
        for name, change in changes.items():
            if self.faults.take(name, place):
                spoiled.update(change)
        ahead = self.faults.take("clock_ahead", place)
        if ahead is not None:
            spoiled.update({name: payload[name] + int(ahead.seconds) for name in ("iat", "exp")})
        missing = self.faults.take("missing_claim", place)
        if missing is not None:
            spoiled.pop(missing.detail, None)
        return spoiled


def _unsigned(payload: dict[str, Any]) -> str:
    """Write a token with `alg` none, as an attacker would."""
    parts = [json.dumps({"alg": "none"}), json.dumps(payload), ""]
    return ".".join(urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
