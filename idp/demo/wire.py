"""How a service speaks HTTP with its provider: bounded in time and size, no redirect, no proxy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlencode

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

#: Longer answers are cut off by an error: no document of a provider comes near.
MAX_ANSWER_BYTES = 1_000_000


class WireError(Exception):
    """No answer, or one that can't be used."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, under the names that Authlib's client expects.

    Attributes:
        status_code: Of HTTP.
        media_type: Of the body, in lower case, without parameters.
        text: The body.
    """

    status_code: int
    media_type: str
    text: str

    def json(self) -> Any:  # noqa: ANN401 - Whatever the provider sent.
        """Parse the body.

        Raises:
            ValueError: When it is not JSON.
        """
        return json.loads(self.text)

    def raise_for_status(self) -> None:
        """Raise for an error answer, as Authlib's client does when it can't be read.

        Raises:
            WireError: When the status is 400 or more.
        """
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise WireError(f"status {self.status_code}")


#: Sends a request: method, address, headers, body. Tests may hand an application over.
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


class ClientAuthentication(Protocol):
    """What Authlib's client hands over to authenticate a request."""

    def prepare(
        self,
        method: str,
        uri: str,
        headers: dict[str, str],
        body: str,
    ) -> tuple[str, dict[str, str], str]:
        """Add the client's credentials."""


def sender(timeout_seconds: float) -> Send:
    """Return what sends requests over the network.

    Args:
        timeout_seconds: For the connection, and for each read.
    """
    pool = PoolManager(retries=False, timeout=Timeout(timeout_seconds))

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            response = pool.request(
                method,
                url,
                headers={**headers, "Connection": "close"},
                body=body,
                redirect=False,
                preload_content=False,
            )
            with response:
                raw = response.read(MAX_ANSWER_BYTES + 1)
        except HTTPError as error:
            raise WireError(f"no answer from {url}") from error
        return answer(response.status, response.headers.get("Content-Type", ""), raw)

    return send


def answer(status: int, content_type: str, raw: bytes) -> Answer:
    """Make an answer of what came.

    Raises:
        WireError: When it is too long or not UTF-8.
    """
    if len(raw) > MAX_ANSWER_BYTES:
        raise WireError("answer too long")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise WireError("answer is not UTF-8") from error
    return Answer(status, content_type.partition(";")[0].strip().lower(), text)


@dataclass(frozen=True)
class FormPoster:
    """Posts forms for Authlib's client, which knows sessions of that shape."""

    send: Send

    def post(
        self,
        url: str,
        data: Mapping[str, str],
        headers: Mapping[str, str],
        auth: ClientAuthentication,
    ) -> Answer:
        """Authenticate a form and post it."""
        where, authenticated, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self.send("POST", where, authenticated, body.encode())
