"""A small, strict relying party that the demonstrations and the tests share (OIDC Core 3.1).

It uses what any service has: the issuer's discovery document and standard parameters, through
Authlib's client. It checks everything that a service should: `state`, the `iss` of the answer
(RFC 9207), PKCE S256 (RFC 7636), the ID token (OIDC Core 3.1.3.7), `at_hash` when there is one, and
that userinfo speaks of the same person; and logout tokens (Back-Channel Logout 2.6).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from http import HTTPStatus
from secrets import token_urlsafe
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from idp.demo.outcomes import (
    AnswerRejected,
    LoginRefused,
    LoginRequest,
    LogoutNotice,
    ProviderUnavailable,
    Reworded,
    SecurityEvent,
    Tokens,
    TokensRefused,
)
from idp.demo.provider_documents import Provider, RelyingPartySettings, half_hash, json_object
from idp.demo.wire import Answer, FormPoster, WireError, sender

LEEWAY_SECONDS = 30
ASSERTION_LIFE_SECONDS = 60


LOGOUT_TYPE = "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# RFC 8417 section 2.3.
EVENT_TYPE = "secevent+jwt"
# Where the answers to a service's own questions are read and changed, from the issuer.
PURPOSES = "/api/purposes"


def answer_parameters(url: str) -> dict[str, list[str]]:
    """Read the parameters of a callback address."""
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


class _TokenError(Exception):
    """An error of the token endpoint.

    Authlib's own class refuses a description that is not ASCII, which a provider may well send.
    """

    def __init__(self, error: object, description: object = None) -> None:
        super().__init__(error, description)
        self.error = str(error)


class _Client(OAuth2Client):
    """Authlib's client, with our error."""

    oauth_error_class = _TokenError


class RelyingParty:
    """A service, as its provider knows it."""

    def __init__(self, settings: RelyingPartySettings) -> None:
        self.settings = settings
        self._send = settings.send or sender(settings.timeout_seconds)
        self._provider = Provider(settings, self._send)
        self._lock = Lock()
        self._used_logout_tokens: dict[str, float] = {}

    # Signing in

    def begin(self, **parameters: str) -> LoginRequest:
        """Make an authorization request (OIDC Core 3.1.2.1) with PKCE, state and nonce.

        Args:
            parameters: Others that the provider may honour: prompt, max_age, claims, ui_locales.

        Raises:
            ProviderUnavailable: Discovery failed.
        """
        state, nonce, code_verifier = (token_urlsafe(32) for _ in range(3))
        endpoint = self._provider.metadata()["authorization_endpoint"]
        url, _ = self._client().create_authorization_url(
            endpoint,
            scope=self.settings.scope,
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            **parameters,
        )
        max_age = int(parameters["max_age"]) if "max_age" in parameters else None
        levels = _demanded_levels(parameters.get("claims", "{}"))
        return LoginRequest(str(url), state, nonce, code_verifier, max_age, levels)

    def finish(self, answer: Mapping[str, list[str]], begun: LoginRequest) -> Tokens:
        """Check what came to the callback, redeem the code, check the tokens.

        Args:
            answer: Each parameter with all its values, as `request.args.to_dict(flat=False)`.
            begun: The request that this browser began.

        Raises:
            AnswerRejected: A check failed.
            LoginRefused: The provider, or the person, said no; or the code was not accepted.
            ProviderUnavailable: The provider does not answer.
        """
        single = self._checked_answer(answer, begun)
        if "error" in single:
            raise LoginRefused(single["error"], single.get("error_description", ""))
        if not single.get("code"):
            raise AnswerRejected("neither code nor error")
        return self._checked_login(self._redeem(single["code"], begun), begun)

    def _redeem(self, code: str, begun: LoginRequest) -> dict[str, Any]:
        """Exchange the code, with the proof that it is ours (RFC 7636 section 4.5)."""
        try:
            return self._ask_tokens(
                lambda client, endpoint: client.fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=begun.code_verifier,
                ),
            )
        except TokensRefused as error:
            raise LoginRefused(str(error)) from error

    def refresh(self, tokens: Tokens) -> Tokens:
        """Get a new access token (RFC 6749 section 6, OIDC Core 12.2).

        Raises:
            TokensRefused: There is no refresh token, or it is dead.
            AnswerRejected: The new ID token speaks of somebody else.
            ProviderUnavailable: The provider does not answer.
        """
        if tokens.refresh_token is None:
            raise TokensRefused("no refresh token")
        response = self._ask_tokens(
            # Without a scope: asking again for what the person refused would be an error.
            lambda client, endpoint: client.refresh_token(
                endpoint,
                refresh_token=tokens.refresh_token,
            ),
        )
        access_token, expires_at = self._checked_bearer(response)
        id_token, claims = tokens.id_token, tokens.claims
        if "id_token" in response:
            id_token = str(response["id_token"])
            claims = self._checked_id_token(id_token, access_token)
            if claims["sub"] != tokens.subject:
                raise AnswerRejected("refreshed ID token of another subject")
        return Tokens(
            tokens.subject,
            id_token,
            claims,
            access_token,
            str(response.get("refresh_token") or tokens.refresh_token),
            expires_at,
            str(response.get("scope") or tokens.scope),
        )

    def userinfo(self, tokens: Tokens) -> dict[str, Any]:
        """Ask userinfo, JSON or signed (OIDC Core 5.3).

        Raises:
            TokensRefused: 401: the access token is dead.
            AnswerRejected: It speaks of somebody else, or its signature is wrong.
            ProviderUnavailable: Anything else than an answer.
        """
        endpoint = self._provider.metadata()["userinfo_endpoint"]
        response = self._provider.get(endpoint, {"Authorization": f"Bearer {tokens.access_token}"})
        # RFC 6750 section 3.1: invalid_token is 401; insufficient_scope would be 403.
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise TokensRefused(f"userinfo answered {response.status_code}")
        claims = self._userinfo_claims(response)
        # OIDC Core 5.3.2: "If they do not match, the UserInfo Response values MUST NOT be used."
        if claims.get("sub") != tokens.subject:
            raise AnswerRejected("userinfo of another subject")
        return claims

    def purposes(self, tokens: Tokens) -> list[dict[str, Any]]:
        """Read what this service asks, word for word, and what the person answered.

        Raises:
            TokensRefused: The access token is dead.
            ProviderUnavailable: Anything else than an answer.
        """
        document = json_object(self._ask_api("GET", PURPOSES, tokens.access_token, None))
        return [one for one in document.get("purposes", []) if isinstance(one, dict)]

    def answer_purpose(self, tokens: Tokens, name: str, version: str, *, allowed: bool) -> dict[str, Any]:
        """Bring the person's answer to one question; it holds at once.

        Args:
            tokens: Of the person.
            name: Of the question.
            version: Of the words that they have read.
            allowed: Yes or no.

        Raises:
            Reworded: The words are others by now: nothing was kept.
            TokensRefused: The access token is dead.
            ProviderUnavailable: Anything else than an answer.
        """
        body = json.dumps({"answer": allowed, "version": version}).encode()
        answer = self._ask_api("PUT", f"{PURPOSES}/{name}", tokens.access_token, body)
        if answer.status_code in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
            raise Reworded(f"purpose {name} answered {answer.status_code}")
        return json_object(answer)

    def own_token(self, scope: str) -> str:
        """Get an access token for the service itself (RFC 6749 section 4.4).

        Raises:
            TokensRefused: The provider gives none.
            ProviderUnavailable: Anything else than an answer.
        """
        given = self._ask_tokens(
            lambda client, endpoint: client.fetch_token(
                endpoint, grant_type="client_credentials", scope=scope
            )
        )
        return self._checked_bearer(given)[0]

    def put(self, path: str, access_token: str, body: bytes) -> int:
        """Send JSON to an interface of the provider; gives the status of the answer.

        Raises:
            TokensRefused: The access token is dead, or not for this.
            ProviderUnavailable: No answer.
        """
        return self._ask_api("PUT", path, access_token, body).status_code

    def _ask_api(self, method: str, path: str, access_token: str, body: bytes | None) -> Answer:
        """Use an access token at an interface of the provider."""
        headers = {"Authorization": f"Bearer {access_token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = self.settings.issuer.rstrip("/") + path
        try:
            answer = self._send(method, url, headers, body)
        except WireError as error:
            raise ProviderUnavailable(f"no answer from {url}") from error
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise TokensRefused(f"{path} answered {answer.status_code}")
        return answer

    # Signing out

    def logout_url(self, tokens: Tokens, state: str) -> str:
        """Return where to send the browser to sign out everywhere (RP-Initiated Logout 2).

        Raises:
            ProviderUnavailable: Discovery failed, or the provider has no logout.
        """
        endpoint = self._provider.metadata().get("end_session_endpoint")
        if not isinstance(endpoint, str):
            raise ProviderUnavailable("no end_session_endpoint")
        parameters = {
            "id_token_hint": tokens.id_token,
            "post_logout_redirect_uri": self.settings.post_logout_redirect_uri,
            "state": state,
        }
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(parameters)

    def revoke(self, tokens: Tokens) -> None:
        """Tell the provider that these tokens are no longer needed (RFC 7009).

        Raises:
            ProviderUnavailable: The provider does not answer.
        """
        endpoint = self._provider.metadata().get("revocation_endpoint")
        if not isinstance(endpoint, str):
            return
        token = tokens.refresh_token or tokens.access_token
        hint = "refresh_token" if tokens.refresh_token else "access_token"
        try:
            self._client().revoke_token(endpoint, token=token, token_type_hint=hint)
        except WireError as error:
            raise ProviderUnavailable("revocation failed") from error

    def check_logout_token(self, token: str) -> LogoutNotice:
        """Check what came to the back-channel logout address (Back-Channel Logout 2.6).

        Raises:
            AnswerRejected: It is no logout token of this provider for us, or came before.
            ProviderUnavailable: The provider's keys can't be had.
        """
        self._provider.metadata()
        _, claims = self._provider.verified(token, LOGOUT_TYPE)
        self._provider.check_envelope(claims)
        now = self._now()
        expires_at = _number(claims, "exp")
        if expires_at <= now - LEEWAY_SECONDS or _number(claims, "iat") > now + LEEWAY_SECONDS:
            raise AnswerRejected("logout token expired, or issued in the future")
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise AnswerRejected("logout token of another event")
        # Back-Channel Logout 2.4: an ID token must not pass for one.
        if "nonce" in claims:
            raise AnswerRejected("logout token with a nonce")
        notice = LogoutNotice(_text(claims, "sub"), _text(claims, "sid"))
        if notice.subject is None and notice.sid is None:
            raise AnswerRejected("logout token of nobody")
        self._use_once(_text(claims, "jti"), expires_at)
        return notice

    def check_event_token(self, token: str) -> SecurityEvent:
        """Check what came to the address for security events (RFC 8417 section 2; RFC 8935 section 2).

        Raises:
            AnswerRejected: It is no event of this provider for us; its `err` is the answer.
            ProviderUnavailable: The provider's keys can't be had.
        """
        self._provider.metadata()
        _, claims = self._provider.verified(token, EVENT_TYPE)
        self._provider.check_envelope(claims)
        if _number(claims, "iat") > self._now() + LEEWAY_SECONDS:
            raise AnswerRejected("event of the future")
        jti, events, who = _text(claims, "jti"), claims.get("events"), claims.get("sub_id")
        if jti is None or not isinstance(events, dict) or len(events) != 1:
            raise AnswerRejected("event without jti, or not of one type")
        kind, details = next(iter(events.items()))
        # RFC 9493 section 3.2.2: a subject means something together with who names it.
        if not isinstance(who, dict) or (who.get("format"), who.get("iss")) != ("iss_sub", claims["iss"]):
            raise AnswerRejected("event about nobody that we know")
        subject = _text(who, "sub")
        if subject is None or not isinstance(details, dict):
            raise AnswerRejected("event about nobody, or without details")
        return SecurityEvent(kind, subject, details, jti)

    def _use_once(self, jti: str | None, expires_at: float) -> None:
        """Refuse a token that came before; it is remembered as long as it lives."""
        if jti is None:
            raise AnswerRejected("logout token without jti")
        now = self._now()
        with self._lock:
            kept = {name: end for name, end in self._used_logout_tokens.items() if end > now - LEEWAY_SECONDS}
            if jti in kept:
                raise AnswerRejected("logout token used before")
            self._used_logout_tokens = {**kept, jti: expires_at}

    # Checks

    def _checked_answer(
        self,
        answer: Mapping[str, list[str]],
        begun: LoginRequest,
    ) -> dict[str, str]:
        """Check state and issuer before anything else is believed."""
        # RFC 6749 section 3.1: parameters "MUST NOT be included more than once".
        if any(len(values) != 1 for values in answer.values()):
            raise AnswerRejected("repeated parameter")
        single = {name: values[0] for name, values in answer.items()}
        if not compare_digest(single.get("state", "").encode(), begun.state.encode()):
            raise AnswerRejected("state of another request")
        announced = self._provider.metadata().get("authorization_response_iss_parameter_supported") is True
        # RFC 9207 section 2.4: a missing iss is refused where the provider says that it sends one.
        if single.get("iss", None if announced else self.settings.issuer) != self.settings.issuer:
            raise AnswerRejected("iss of another provider")
        return single

    def _checked_login(self, response: dict[str, Any], begun: LoginRequest) -> Tokens:
        """Check a token response to a code."""
        access_token, expires_at = self._checked_bearer(response)
        id_token = response.get("id_token")
        if not isinstance(id_token, str):
            raise AnswerRejected("no ID token")
        claims = self._checked_id_token(id_token, access_token)
        if not compare_digest(str(claims.get("nonce", "")).encode(), begun.nonce.encode()):
            raise AnswerRejected("nonce of another request")
        self._check_age(claims, begun)
        if begun.levels and claims.get("acr") not in begun.levels:
            # OIDC Core 5.5.1.1 leaves it to the provider to fail; whoever relies on a level looks all the same.
            raise AnswerRejected("a lower level than demanded")
        refresh_token = response.get("refresh_token")
        return Tokens(
            claims["sub"],
            id_token,
            claims,
            access_token,
            None if refresh_token is None else str(refresh_token),
            expires_at,
            str(response.get("scope") or self.settings.scope),
        )

    def _check_age(self, claims: dict[str, Any], begun: LoginRequest) -> None:
        """Check that a login is as fresh as asked (OIDC Core 3.1.3.7, item 13)."""
        if begun.max_age is None:
            return
        authenticated_at = _number(claims, "auth_time")
        if authenticated_at + begun.max_age + LEEWAY_SECONDS < self._now():
            raise AnswerRejected("authenticated too long ago")

    def _checked_bearer(self, response: dict[str, Any]) -> tuple[str, datetime | None]:
        """Check the access token of a token response."""
        access_token = response.get("access_token")
        if not isinstance(access_token, str) or not access_token:
            raise AnswerRejected("no access token")
        if str(response.get("token_type", "")).lower() != "bearer":
            raise AnswerRejected("not a bearer token")
        life = response.get("expires_in")
        if not isinstance(life, int | float):
            return access_token, None
        return access_token, self.settings.clock() + timedelta(seconds=life)

    def _checked_id_token(self, id_token: str, access_token: str) -> dict[str, Any]:
        """Check an ID token by itself (OIDC Core 3.1.3.7), its nonce aside."""
        alg, claims = self._provider.verified(id_token)
        self._provider.check_envelope(claims)
        now = self._now()
        if _number(claims, "exp") <= now - LEEWAY_SECONDS:
            raise AnswerRejected("expired")
        if _number(claims, "iat") > now + LEEWAY_SECONDS:
            raise AnswerRejected("issued in the future")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise AnswerRejected("no subject")
        if "at_hash" in claims and claims["at_hash"] != half_hash(access_token, alg):
            raise AnswerRejected("at_hash of another access token")
        return claims

    def _userinfo_claims(self, response: Answer) -> dict[str, Any]:
        """Read userinfo, whose media type says whether it is signed."""
        if response.status_code == HTTPStatus.OK and response.media_type == "application/jwt":
            _, claims = self._provider.verified(response.text)
            self._provider.check_envelope(claims)
            return claims
        if response.media_type != "application/json":
            raise ProviderUnavailable(f"userinfo is {response.media_type}")
        return json_object(response)

    # Wire

    def _now(self) -> float:
        return self.settings.clock().timestamp()

    def _client(self) -> _Client:
        """Make Authlib's client; one for each use, so that threads share nothing."""
        settings = self.settings
        client = _Client(
            FormPoster(self._send),
            settings.client_id,
            settings.private_key or settings.client_secret,
            token_endpoint_auth_method=settings.token_endpoint_auth_method,
            revocation_endpoint_auth_method=settings.token_endpoint_auth_method,
            redirect_uri=settings.redirect_uri,
            code_challenge_method="S256",
        )
        if settings.private_key is not None:
            client.register_client_auth_method(self._assertion(settings.private_key))
        return client

    def _assertion(self, key: ECKey) -> PrivateKeyJWT:
        """Make the client assertion (RFC 7523 section 3), for the issuer alone.

        Authlib would name the token endpoint as audience, and let the assertion live an hour.
        """
        return PrivateKeyJWT(
            claims={"aud": self.settings.issuer, "exp": int(self._now()) + ASSERTION_LIFE_SECONDS},
            headers={"kid": key.kid},
            alg="ES256",
        )

    def _ask_tokens(
        self,
        ask: Callable[[_Client, str], Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Send a token request and translate how it can fail."""
        endpoint = self._provider.metadata()["token_endpoint"]
        try:
            return dict(ask(self._client(), endpoint))
        except _TokenError as error:
            logging.getLogger(__name__).info("token request refused: %s", error.error)
            raise TokensRefused(error.error) from error
        except (WireError, ValueError) as error:
            raise ProviderUnavailable("no token response") from error


def _demanded_levels(claims: str) -> tuple[str, ...]:
    """Read which levels a `claims` parameter of ours demands of the ID token (OIDC Core 5.5.1.1)."""
    asked = json.loads(claims).get("id_token", {}).get("acr") or {}
    return tuple(asked.get("values", ())) if asked.get("essential") else ()


def _number(claims: dict[str, Any], name: str) -> float:
    """Read a time of a token."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerRejected(f"{name} is missing or no number")
    return float(value)


def _text(claims: dict[str, Any], name: str) -> str | None:
    """Read a name in a token; None when it is absent.

    Raises:
        AnswerRejected: It is there and is no text.
    """
    value = claims.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise AnswerRejected(f"{name} is no text")
    return value
