"""HTTP/1.1 as far as a load needs it: requests that are bytes already, answers cut at their length."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from http.cookies import SimpleCookie

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Args:
        method: GET or POST.
        path: With the query.
        headers: Beside those that every request has.
        body: A form, when there is one.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def encoded(self) -> bytes:
        """Give the bytes of the request."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", self.body]).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    head: str
    body: bytes

    def header(self, name: str) -> str:
        """Give a header; empty when it is absent.

        Args:
            name: As the server may write it, in any case.
        """
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""

    def cookies(self) -> dict[str, str]:
        """Give the cookies that the answer sets."""
        jar: SimpleCookie = SimpleCookie()
        for line in self.head.split("\r\n")[1:]:
            if line.lower().startswith("set-cookie:"):
                jar.load(line.partition(":")[2].strip())
        return {name: morsel.value for name, morsel in jar.items()}


#: One operation: it is sent the answer to each request that it yields.
Steps = Generator[Request, Answer, None]


class WireError(RuntimeError):
    """The server answered something else than HTTP/1.1 with a length."""


def cut(received: bytes) -> tuple[Answer, bool] | None:
    """Take one answer from what was received.

    Args:
        received: Since the request was sent.

    Returns:
        The answer, and whether the connection stays open; None when more must be read.

    Raises:
        WireError: The length is not told.
    """
    end = received.find(HEAD_END)
    if end < 0:
        return None
    head = received[:end].decode("latin-1")
    answer = Answer(int(head[9:12]), head, received[end + len(HEAD_END) :])
    length = answer.header("Content-Length")
    if not length:
        message = f"no Content-Length: {head}"
        raise WireError(message)
    if len(answer.body) < int(length):
        return None
    return answer, answer.header("Connection").lower() != "close"
