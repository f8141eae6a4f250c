"""What FranceConnect publishes about itself: its endpoints and its keys, kept a while (decision 0010)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from idp.crypto.jwt import public_keys
from idp.federation.franceconnect.settings import Endpoints
from idp.federation.franceconnect.wire import json_object
from idp.federation.upstream import UpstreamMisbehaved, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.federation.franceconnect.settings import FranceConnectSettings
    from idp.federation.franceconnect.wire import Conversation

_OK = 200
#: Discovery is optional at FranceConnect: where it does not answer, it is not asked again for so long.
_RETRY = timedelta(minutes=1)
_LIFETIME = timedelta(hours=1)
#: Who answered so lately is taken to be alive.
_ALIVE = timedelta(seconds=30)
#: No key has it.
_NO_KID = object()
_MEMBERS = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "userinfo": "userinfo_endpoint",
    "jwks": "jwks_uri",
    "end_session": "end_session_endpoint",
}


@dataclass(frozen=True, slots=True)
class _Keys:
    """A key set and when it was fetched."""

    by_kid: dict[str | None, Any]
    fetched_at: datetime


class Documents:
    """Caches of one worker; losing them costs one request.

    Args:
        settings: Issuer and lifetimes.
        clock: The time.
    """

    def __init__(self, settings: FranceConnectSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._endpoints = Endpoints.fixed(settings.issuer)
        self._endpoints_until: datetime | None = None
        self._keys: _Keys | None = None

    @property
    def known(self) -> Endpoints:
        """Give the endpoints as they were last known, asking nobody."""
        return self._endpoints

    def endpoints(self, conversation: Conversation) -> Endpoints:
        """Give the endpoints: as discovered, else FranceConnect's fixed paths.

        Raises:
            UpstreamMisbehaved: The document speaks for another issuer, or lacks an endpoint (S-84).
        """
        with self._lock:
            now = self._clock()
            if self._endpoints_until is not None and now < self._endpoints_until:
                return self._endpoints
            try:
                self._endpoints = self._discovered(conversation)
                self._endpoints_until = now + _LIFETIME
            except UpstreamUnavailable:
                # Discovery is optional (franceconnect.md 1): what was known, or the fixed paths, go on serving.
                self._endpoints_until = now + _RETRY
            return self._endpoints

    def key_set(self, conversation: Conversation, kid: object) -> dict[str | None, Any]:
        """Give the public keys; fetched again when `kid` is unknown or they are old, but never too often.

        Raises:
            UpstreamUnavailable: They were never had, and can't be.
            UpstreamMisbehaved: What came is no key set.
        """
        url = self.endpoints(conversation).jwks
        with self._lock:
            kept, now = self._keys, self._clock()
            if kept is not None and not self._is_due(kept, kid, now):
                return kept.by_kid
            try:
                fetched = public_keys(json_object(conversation.ask("GET", url), "jwks"))
            except UpstreamUnavailable:
                # Their age alone is no reason to turn people away; a kid that stays unknown is.
                if kept is None or kid not in kept.by_kid:
                    raise
                fetched = kept.by_kid
            self._keys = _Keys(fetched, now)
            return fetched

    def require_alive(self, conversation: Conversation) -> None:
        """Fetch the keys, unless they came a moment ago: they are needed next, and say that somebody is there.

        Raises:
            UpstreamUnavailable: Nobody is.
        """
        kept = self._keys
        if kept is not None and self._clock() < kept.fetched_at + _ALIVE:
            return
        self.key_set(conversation, _NO_KID)

    def _is_due(self, kept: _Keys, kid: object, now: datetime) -> bool:
        age = now - kept.fetched_at
        if age < self._settings.jwks_minimum_refetch:
            # The floor: forged tokens with invented kids must not make us hammer FranceConnect.
            return False
        return kid not in kept.by_kid or age >= self._settings.jwks_lifetime

    def _discovered(self, conversation: Conversation) -> Endpoints:
        answer = conversation.ask("GET", f"{self._settings.issuer}/.well-known/openid-configuration")
        if answer.status != _OK:
            raise UpstreamUnavailable(f"discovery_http_{answer.status}")
        document = json_object(answer, "discovery")
        # OIDC Discovery 4.3: "MUST be identical to the Issuer URL that was used as the prefix".
        if document.get("issuer") != self._settings.issuer:
            raise UpstreamMisbehaved("discovery.issuer")
        return Endpoints(**{name: self._endpoint(document, member) for name, member in _MEMBERS.items()})

    def _endpoint(self, document: dict[str, Any], member: str) -> str:
        value = document.get(member)
        # Plain http is for an issuer that is plain http itself: a simulator on this machine.
        scheme = self._settings.issuer.partition(":")[0]
        if not isinstance(value, str) or not value.startswith((f"{scheme}://", "https://")):
            raise UpstreamMisbehaved(f"discovery.{member}")
        return value
