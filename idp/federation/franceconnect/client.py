"""Authorization URL, code exchange, ID token and signed userinfo checks, logout URL (FC-1).

FranceConnect answers 400 to any parameter outside its list, PKCE included (franceconnect.md 2): state bound
to the browser, nonce, confidential client and `iss` stand in for it. Authlib's client is the skeleton of the
two OAuth requests; what comes back is judged here.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Client
from authlib.oauth2.base import OAuth2Error

from idp.crypto.jwt import JWTRefused, unverified_header, verified_claims
from idp.federation.franceconnect.breaker import CircuitBreaker
from idp.federation.franceconnect.claims import received_identity
from idp.federation.franceconnect.documents import Documents
from idp.federation.franceconnect.encryption import signed_token
from idp.federation.franceconnect.tokens import check_id_token, check_userinfo
from idp.federation.franceconnect.wire import AuthlibSession, Conversation
from idp.federation.upstream import (
    UpstreamIdentity,
    UpstreamMisbehaved,
    UpstreamRefused,
    UpstreamUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.crypto.keyring import DecryptionKey
    from idp.federation.franceconnect.settings import FranceConnectSettings
    from idp.federation.upstream import UpstreamCallback
    from idp.outbound.http import HTTPClient

_OK = 200
_LONGEST_CODE = 2048
_LONGEST_TOKEN = 24_576
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class FranceConnect:
    """A portal, FranceConnect or FranceConnect+, as an upstream provider; shared by the threads of a worker.

    Args:
        settings: Who it is, and who we are there.
        http: Sends our requests.
        clock: The time.
        timeout: For all requests of one login together.
        breaker: Keeps a dead FranceConnect from holding us.
        decryption_keys: Ours, as they are now, for what comes encrypted.
    """

    def __init__(
        self,
        settings: FranceConnectSettings,
        http: HTTPClient,
        clock: Callable[[], datetime],
        *,
        timeout: timedelta = timedelta(seconds=5),
        breaker: CircuitBreaker | None = None,
        decryption_keys: Callable[[], tuple[DecryptionKey, ...]] = tuple,
    ) -> None:
        self._settings = settings
        self._http = http
        self._timeout = timeout
        self._breaker = breaker or CircuitBreaker(clock)
        self._documents = Documents(settings, clock)
        self._decryption_keys = decryption_keys

    @property
    def levels(self) -> tuple[str, ...]:
        """Give the levels that it may be asked for, weakest first."""
        return self._settings.levels

    def authorization_url(self, *, state: str, nonce: str, level: str | None = None) -> str:
        """Say where to send the browser; exactly the parameters that FranceConnect takes.

        Raises:
            UpstreamUnavailable: It does not answer, or was down a moment ago.
            UpstreamMisbehaved: Its discovery document speaks for another issuer.
        """
        conversation = self._conversation()
        with self._breaker.call():
            endpoint = self._documents.endpoints(conversation).authorization
            # Asked here rather than after the person's journey: who would find nobody there is told now (FC-7).
            self._documents.require_alive(conversation)
        url, _ = self._oauth(conversation).create_authorization_url(
            endpoint,
            state=state,
            nonce=nonce,
            acr_values=level or self._settings.level,
        )
        return str(url)

    def identify(
        self, callback: UpstreamCallback, *, nonce_hash: bytes, now: datetime, level: str | None = None
    ) -> UpstreamIdentity:
        """Exchange the code for an identity; every check of franceconnect.md 6.4.

        Raises:
            UpstreamRefused: FranceConnect or the person said no.
            UpstreamMisbehaved: A check failed.
            UpstreamUnavailable: No answer.
        """
        code = self._checked_code(callback)
        with self._breaker.call():
            conversation = self._conversation()
            received_token, access_token = self._exchanged(conversation, code)
            id_token = self._signed(received_token, "id_token")
            subject, reached = check_id_token(
                self._verified(conversation, id_token, "id_token"),
                self._settings,
                nonce_hash=nonce_hash,
                access_token=access_token,
                asked_level=level or self._settings.level,
                now=now,
            )
            claims = self._userinfo(conversation, access_token)
            check_userinfo(claims, self._settings, subject=subject, now=now)
            received = received_identity(claims)
        return UpstreamIdentity(
            subject=subject,
            level=reached,
            civil_identity=received.civil,
            preferred_username=received.preferred_username,
            email=received.email,
            partial_birthdate=received.partial_birthdate,
            id_token=id_token,
        )

    def logout_url(self, id_token: str, *, state: str) -> str:
        """Say where to send the browser so that its FranceConnect session ends (franceconnect.md 5).

        It never fails: whoever signs out while FranceConnect is silent is sent where it was last known to be.
        """
        try:
            with self._breaker.call():
                endpoint = self._documents.endpoints(self._conversation()).end_session
        except UpstreamUnavailable:
            endpoint = self._documents.known.end_session
        parameters = {
            "id_token_hint": id_token,
            "state": state,
            "post_logout_redirect_uri": self._settings.post_logout_redirect_uri,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    def _checked_code(self, callback: UpstreamCallback) -> str:
        """Read the callback (RFC 6749 section 4.1.2, RFC 9207)."""
        if callback.error is not None:
            # Errors may come without `iss`, from paths that FranceConnect's library does not serve.
            if callback.issuer not in {None, self._settings.issuer}:
                raise UpstreamMisbehaved("callback.iss")
            is_word = _ERROR.fullmatch(callback.error) is not None
            raise UpstreamRefused(callback.error if is_word else "unknown")
        # RFC 9207 section 2.4: "MUST NOT proceed" when it differs; and FranceConnect always sends it (S-61).
        if callback.issuer != self._settings.issuer:
            raise UpstreamMisbehaved("callback.iss")
        if not callback.code or len(callback.code) > _LONGEST_CODE:
            raise UpstreamMisbehaved("callback.code")
        return callback.code

    def _exchanged(self, conversation: Conversation, code: str) -> tuple[str, str]:
        """Redeem the code; gives back the ID token and the access token."""
        try:
            members: dict[str, Any] = self._oauth(conversation).fetch_token(
                self._documents.endpoints(conversation).token, code=code, grant_type="authorization_code"
            )
        except OAuth2Error as error:
            if error.error == "invalid_grant":
                # It lives 30 seconds, and once: the person came back late, or twice.
                raise UpstreamRefused("invalid_grant") from error
            raise UpstreamMisbehaved("token.error") from error
        except (ValueError, TypeError, KeyError) as error:
            raise UpstreamMisbehaved("token.malformed") from error
        if str(members.get("token_type")).lower() != "bearer":
            raise UpstreamMisbehaved("token.token_type")
        return _token(members, "id_token"), _token(members, "access_token")

    def _userinfo(self, conversation: Conversation, access_token: str) -> dict[str, Any]:
        answer = conversation.ask(
            "GET",
            self._documents.endpoints(conversation).userinfo,
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/jwt"},
        )
        if answer.status != _OK:
            raise UpstreamMisbehaved("userinfo.status")
        # v2 obliges the service to verify the signature: plain JSON, which has none, is refused, never sniffed.
        if answer.media_type != "application/jwt":
            raise UpstreamMisbehaved("userinfo.unsigned")
        token = self._signed(answer.body.decode("ascii", "replace").strip(), "userinfo")
        return self._verified(conversation, token, "userinfo")

    def _signed(self, token: str, what: str) -> str:
        """Give the signed token of what came, decrypted when this portal was registered to encrypt."""
        return signed_token(token, what, self._settings, self._decryption_keys)

    def _verified(self, conversation: Conversation, token: str, what: str) -> dict[str, Any]:
        """Check the signature, by the one algorithm that was registered (S-33)."""
        alg = self._settings.signing_algorithm
        try:
            header = unverified_header(token)
            if header.get("alg") != alg:
                # Before any key is looked for: `none` and HS256 end here.
                raise UpstreamMisbehaved(f"{what}.alg")
            keys = self._documents.key_set(conversation, _kid(header))
            return verified_claims(token, keys, algorithms=(alg,))
        except JWTRefused as error:
            raise UpstreamMisbehaved(f"{what}.signature") from error

    def _conversation(self) -> Conversation:
        return Conversation(self._http, self._timeout)

    def _oauth(self, conversation: Conversation) -> Any:  # noqa: ANN401 - Authlib has no types
        return OAuth2Client(
            AuthlibSession(conversation),
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            token_endpoint_auth_method="client_secret_post",
            scope=" ".join(self._settings.scopes),
            redirect_uri=self._settings.redirect_uri,
        )


def _kid(header: dict[str, Any]) -> str | None:
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


def _token(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TOKEN or not value.isascii():
        raise UpstreamMisbehaved(f"token.{name}")
    return value
