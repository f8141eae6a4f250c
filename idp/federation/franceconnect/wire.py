"""The requests that go to FranceConnect from here, and what becomes of their failures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from idp.federation.upstream import UpstreamMisbehaved, UpstreamUnavailable
from idp.outbound.http import Answer, Failure, HTTPClient, Unreachable

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


class Conversation:
    """The requests of one login; all together they may take no longer than one time-out (S-366).

    Args:
        http: Sends them.
        total: For all of them.
    """

    def __init__(self, http: HTTPClient, total: timedelta) -> None:
        self._http = http
        self._deadline = time.monotonic() + total.total_seconds()

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request; a redirect is given back as it came, and no caller takes it.

        Raises:
            UpstreamUnavailable: No answer, or one that says so.
            UpstreamMisbehaved: An answer that no provider would send.
        """
        left = timedelta(seconds=self._deadline - time.monotonic())
        if left <= timedelta():
            raise UpstreamUnavailable(Failure.TIMED_OUT)
        try:
            answer = self._http.request(method, url, headers=headers, body=body, total=left)
        except Unreachable as error:
            if error.kind is Failure.TOO_LARGE:
                raise UpstreamMisbehaved("answer.too_large") from error
            raise UpstreamUnavailable(error.kind) from error
        if answer.status >= _SERVER_ERRORS or answer.status == _TOO_MANY_REQUESTS:
            raise UpstreamUnavailable(f"http_{answer.status}")
        return answer


def json_object(answer: Answer, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UpstreamMisbehaved: It is something else; named by `what`.
    """
    try:
        value = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamMisbehaved(f"{what}.not_json") from error
    if not isinstance(value, dict):
        raise UpstreamMisbehaved(f"{what}.not_an_object")
    return value


class AuthlibSession:
    """What Authlib's client takes for a session of `requests`: our own HTTP client underneath.

    Args:
        conversation: Sends the request.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def post(self, url: str, data: dict[str, str], headers: Mapping[str, str], auth: Any) -> AuthlibAnswer:  # noqa: ANN401 - Authlib's ClientAuth has no types
        """Send a form, with the client authentication that Authlib adds to it."""
        prepared_url, prepared_headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return AuthlibAnswer(
            self._conversation.ask("POST", prepared_url, headers=prepared_headers, body=body.encode())
        )


class AuthlibAnswer:
    """What Authlib's client takes for an answer of `requests`.

    Args:
        answer: Ours; never of status 500 or more.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> dict[str, Any]:
        """Give the members.

        Raises:
            UpstreamMisbehaved: Not a JSON object, or members that say success in an answer that does not.
        """
        members = json_object(self._answer, "token")
        if self.status_code != 200 and "error" not in members:  # noqa: PLR2004 - OK
            raise UpstreamMisbehaved("token.status")
        return members

    def raise_for_status(self) -> None:
        """Do nothing: `json` has judged the status."""
