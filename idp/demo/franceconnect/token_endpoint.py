"""POST /token and POST /token/revocation: client authentication and redemption of codes."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from idp.demo.franceconnect.errors import JSONError
from idp.demo.franceconnect.settings import FranceConnectClient, FranceConnectSettings
from idp.demo.franceconnect.state import Code, State
from idp.demo.franceconnect.tokens import TOKEN_LIFE_SECONDS, TokenMaker

#: The one list of /token/revocation, with the shortest of each.
REVOCATION_PARAMETERS = {"token": 43, "client_id": 1, "client_secret": 32}

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class TokenRequest:
    """What arrived: the form, each parameter with all its values, and the Authorization header."""

    form: Mapping[str, list[str]]
    authorization: str | None

    def parameter(self, name: str) -> str:
        """Return a parameter that must be there, once.

        Raises:
            JSONError: invalid_request.
        """
        values = self.form.get(name, [])
        if len(values) > 1:
            raise _invalid_request(f"'{name}' parameter must not be provided twice", "repeated")
        if not values or not values[0]:
            raise _invalid_request(f"missing required parameter '{name}'", "undefined")
        return values[0]


def _invalid_request(message: str, detail: str) -> JSONError:
    return JSONError("Y048017B", 400, "invalid_request", message, detail)


def _invalid_client(detail: str) -> JSONError:
    return JSONError("Y0434A7B", 401, "invalid_client", "client authentication failed", detail)


def _invalid_grant(code: str, detail: str) -> JSONError:
    return JSONError(code, 400, "invalid_grant", "grant request is invalid", detail)


@dataclass(frozen=True)
class TokenEndpoint:
    """Authenticates services and redeems their codes."""

    settings: FranceConnectSettings
    state: State
    maker: TokenMaker

    def token(self, asked: TokenRequest, now: datetime) -> dict[str, object]:
        """Answer POST /token: exactly five members.

        Raises:
            JSONError: As FranceConnect documents them.
        """
        client = self.authenticated_client(asked, now)
        grant_type = asked.parameter("grant_type")
        if grant_type != "authorization_code":
            raise JSONError(
                "Y040001",
                400,
                "unsupported_grant_type",
                "unsupported grant_type requested",
                grant_type,
            )
        code = self._checked_code(asked, client, now)
        access_token = self.state.redeem(code, now)
        if access_token is None:
            raise _invalid_grant("Y049E20B", "authorization code already consumed")
        return {
            "access_token": access_token,
            "expires_in": TOKEN_LIFE_SECONDS,
            "id_token": self.maker.id_token(code, access_token, now),
            "scope": " ".join(sorted(code.request.scopes)),
            "token_type": "Bearer",
        }

    def revoke(self, asked: TokenRequest, now: datetime) -> None:
        """Answer POST /token/revocation, whose parameters are a fixed list too.

        Raises:
            JSONError: The client is not authenticated, or sent another parameter.
        """
        unknown = asked.form.keys() - REVOCATION_PARAMETERS.keys()
        if unknown:
            raise _invalid_request("unrecognized parameter", ", ".join(sorted(unknown)))
        for name, shortest in REVOCATION_PARAMETERS.items():
            if len(asked.parameter(name)) < shortest:
                raise _invalid_request("parameter is too short", name)
        client = self.authenticated_client(asked, now)
        self.state.revoke(asked.parameter("token"), client, now)

    def _checked_code(
        self,
        asked: TokenRequest,
        client: FranceConnectClient,
        now: datetime,
    ) -> Code:
        """Check that a code is known, alive, this client's and for this redirect URI."""
        redirect_uri = asked.parameter("redirect_uri")
        code = self.state.code(asked.parameter("code"), now)
        if code is None:
            raise _invalid_grant("Y049E20B", "authorization code not found")
        if code.request.client != client:
            raise _invalid_grant("Y049E20B", "client mismatch")
        if code.expires_at <= now:
            raise _invalid_grant("Y043F0A8", "authorization code is expired")
        if code.request.target.redirect_uri != redirect_uri:
            raise _invalid_grant("Y04F8199", "authorization code redirect_uri mismatch")
        return code

    def authenticated_client(self, asked: TokenRequest, now: datetime) -> FranceConnectClient:
        """Authenticate by client_secret_post, by private_key_jwt, or by basic: undocumented, yet accepted in practice.

        Raises:
            JSONError: invalid_client, or invalid_request for two methods at once.
        """
        methods = [
            asked.authorization is not None,
            "client_secret" in asked.form,
            "client_assertion" in asked.form,
        ]
        if sum(methods) > 1:
            raise _invalid_request("client authentication", "only one mechanism is allowed")
        if "client_assertion" in asked.form:
            return self._asserted_client(asked, now)
        if asked.authorization is not None:
            client_id, secret = _basic_credentials(asked.authorization)
        else:
            client_id = asked.parameter("client_id")
            secret = asked.parameter("client_secret")
        client = self._known_client(client_id)
        if not compare_digest(secret.encode(), client.client_secret.encode()):
            raise _invalid_client("invalid secret provided")
        return client

    def _known_client(self, client_id: str) -> FranceConnectClient:
        client = self.settings.client(client_id)
        if client is None:
            raise _invalid_client("client not found")
        return client

    def _asserted_client(self, asked: TokenRequest, now: datetime) -> FranceConnectClient:
        """Authenticate by a JWT that the service signed (RFC 7523 section 2.2)."""
        client = self._known_client(asked.parameter("client_id"))
        if asked.parameter("client_assertion_type") != ASSERTION_TYPE:
            raise _invalid_client("unsupported client_assertion_type")
        try:
            keys = KeySet.import_key_set(self.maker.keys_of(client))
            token = jwt.decode(asked.parameter("client_assertion"), keys, algorithms=["ES256", "RS256"])
            claims = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                iss={"essential": True, "value": client.client_id},
                sub={"essential": True, "value": client.client_id},
                aud={"essential": True, "values": [self.settings.issuer, f"{self.settings.issuer}/token"]},
                exp={"essential": True},
                jti={"essential": True},
            )
            claims.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _invalid_client("invalid client assertion") from error
        return client


def _basic_credentials(authorization: str) -> tuple[str, str]:
    """Read HTTP Basic credentials (RFC 6749 section 2.3.1: form-encoded before base64)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        raise _invalid_client("malformed authorization header") from None
    if scheme.lower() != "basic":
        raise _invalid_client("unsupported authentication scheme")
    return unquote_plus(client_id), unquote_plus(secret)
