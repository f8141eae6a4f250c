"""The HTTP client: time-outs, size limit, no redirect, no private address.

Every request of this server to another one goes through here. A name is resolved once and the connection
goes to the address that was checked: a name that answers a public address first and a private one next
(DNS rebinding) gains nothing. Proxies of the environment are not used, for they would resolve names anew.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from http.client import HTTPException
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import SSLError as UrllibSSLError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from urllib3.response import HTTPResponse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Translated at a network's border into the IPv4 address of its last 32 bits (RFC 6052, RFC 8215).
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_PORTS = {"http": 80, "https": 443}
_CHUNK = 16_384


class Failure(StrEnum):
    """Why no answer came."""

    OFF = "off"
    URL_REFUSED = "url_refused"
    NAME_UNKNOWN = "name_unknown"
    ADDRESS_REFUSED = "address_refused"
    NOT_CONNECTED = "not_connected"
    TLS = "tls"
    TIMED_OUT = "timed_out"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"


class Unreachable(Exception):
    """No answer that can be read came back.

    Args:
        kind: Why; safe to log.
        host: Whom it was asked of; never the path or the query, which may carry secrets.
    """

    def __init__(self, kind: Failure, host: str = "") -> None:
        super().__init__(f"{kind}: {host}" if host else str(kind))
        self.kind = kind
        self.host = host


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; a redirect is an answer like another.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name; a repeated one is joined by commas.
        body: As received; never compressed, for none is asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """Give the media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much.

    Attributes:
        connect: To each address, TLS included.
        read: Between two pieces of the answer.
        total: From the first look-up to the last byte; a server that drips can't stretch it.
        body_bytes: The largest body.
    """

    connect: timedelta = timedelta(seconds=2)
    read: timedelta = timedelta(seconds=4)
    total: timedelta = timedelta(seconds=5)
    body_bytes: int = 1_048_576


class HTTPClient(Protocol):
    """Sends one request and gives back its answer."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Send a request; `total` shortens the time it may take in all.

        Raises:
            Unreachable: No answer came, or none that may be taken.
        """


class NullHTTPClient:
    """Sends nothing: the twin for tests and for installations that call nobody."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Refuse.

        Raises:
            Unreachable: Always, OFF.
        """
        del method, headers, body, total
        raise Unreachable(Failure.OFF, urlsplit(url).hostname or "")


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL taken apart and found acceptable."""

    is_secure: bool
    host: str
    port: int
    authority: str
    path: str


class GuardedHTTPClient:
    """The real one; it may be shared by threads, and keeps no connection.

    Args:
        limits: Times and sizes.
        allow_private_networks: Take plain http and private addresses: tests, demonstrations, closed networks.
        ca_bundle: File of certificate authorities; None for the system's.
        resolve: Looks names up; as `socket.getaddrinfo`.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        allow_private_networks: bool = False,
        ca_bundle: str | None = None,
        resolve: Callable[[str, int], list[Address]] | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._allow_private_networks = allow_private_networks
        self._tls = ssl.create_default_context(cafile=ca_bundle)
        self._resolve = resolve or resolved

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Send a request to the first address of the host that can be connected to.

        Raises:
            Unreachable: See `Failure`.
        """
        target = self._target(url)
        allowed = min(self._limits.total, total or self._limits.total)
        deadline = time.monotonic() + allowed.total_seconds()
        addresses = self._checked_addresses(target, deadline)
        failure = Unreachable(Failure.NOT_CONNECTED, target.host)
        for address in addresses:
            connection = self._connection(target, address, deadline)
            try:
                with _cut_at(deadline) as line:
                    self._connect(connection, line)
                    return self._exchange(connection, target, method, headers or {}, body)
            except (HTTPError, HTTPException, OSError, ValueError) as error:
                kind = Failure.TIMED_OUT if line.is_cut else _kind(error)
                failure = Unreachable(kind, target.host)
                # Only an address that nobody listens at is worth trying another for: nothing was sent.
                if kind is not Failure.NOT_CONNECTED:
                    raise failure from error
            finally:
                connection.close()
        raise failure

    def _target(self, url: str) -> _Target:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Unreachable(Failure.URL_REFUSED) from error
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        plain = parts.scheme == "http" and self._allow_private_networks
        if not host or not (secure or plain) or parts.username is not None or not url.isascii():
            raise Unreachable(Failure.URL_REFUSED, host)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return _Target(secure, host, port or _PORTS[parts.scheme], parts.netloc, path)

    def _checked_addresses(self, target: _Target, deadline: float) -> list[Address]:
        addresses = _within(deadline, lambda: self._resolve(target.host, target.port), target.host)
        if not addresses:
            raise Unreachable(Failure.NAME_UNKNOWN, target.host)
        # One private address among public ones is enough: which is tried first would be the attacker's choice.
        if not self._allow_private_networks and not all(map(is_public, addresses)):
            raise Unreachable(Failure.ADDRESS_REFUSED, target.host)
        return addresses

    def _connection(self, target: _Target, address: Address, deadline: float) -> HTTPConnection:
        left = max(deadline - time.monotonic(), 0.001)
        timeout = min(self._limits.connect.total_seconds(), left)
        if not target.is_secure:
            return HTTPConnection(str(address), target.port, timeout=timeout)
        return HTTPSConnection(
            str(address),
            target.port,
            timeout=timeout,
            ssl_context=self._tls,
            # The certificate must be the name's, though the connection goes to the address.
            server_hostname=target.host,
        )

    def _connect(self, connection: HTTPConnection, line: _Line) -> None:
        connection.connect()
        if connection.sock is not None:
            line.watch(connection.sock)
            connection.sock.settimeout(self._limits.read.total_seconds())

    def _exchange(
        self,
        connection: HTTPConnection,
        target: _Target,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        sent = {"Host": target.authority, "User-Agent": "idp", "Accept-Encoding": "identity", **headers}
        connection.request(
            method, target.path, body=body, headers=sent, preload_content=False, decode_content=False
        )
        # A response that closes the connection owns its socket: it is closed whatever happens.
        with closing(connection.getresponse()) as response:
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                self._body(response, target.host),
            )

    def _body(self, response: HTTPResponse, host: str) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Unreachable(Failure.PROTOCOL, host)
        body = bytearray()
        for piece in response.stream(_CHUNK, decode_content=False):
            body += piece
            if len(body) > self._limits.body_bytes:
                raise Unreachable(Failure.TOO_LARGE, host)
        return bytes(body)


def resolved(host: str, port: int) -> list[Address]:
    """Look a name up; an address written as such is itself.

    Raises:
        OSError: The name has no address.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return list(dict.fromkeys(addresses))


def is_public(address: Address) -> bool:
    """Tell whether an address is one that anybody on the Internet may be sent to (S-149)."""
    real = _embedded(address)
    return real.is_global and not real.is_multicast


def _embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    for embedded in (address.ipv4_mapped, address.sixtofour, (address.teredo or (None, None))[1]):
        if embedded is not None:
            return embedded
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _within(deadline: float, look_up: Callable[[], list[Address]], host: str) -> list[Address]:
    """Look up in a thread of its own: the system's resolver has no time limit that we could set."""
    found: queue.SimpleQueue[list[Address]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put(look_up())
        except (OSError, UnicodeError):
            found.put([])

    threading.Thread(target=run, daemon=True).start()
    try:
        return found.get(timeout=max(deadline - time.monotonic(), 0))
    except queue.Empty as error:
        raise Unreachable(Failure.TIMED_OUT, host) from error


def _kind(error: Exception) -> Failure:
    # First: urllib3 derives it from its connection time-out.
    if isinstance(error, NewConnectionError):
        return Failure.NOT_CONNECTED
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(error, UrllibSSLError | ssl.SSLError):
        return Failure.TLS
    return Failure.PROTOCOL


class _Line:
    """The socket of one exchange, which can be cut from another thread.

    Kept here, for the connection lets go of it as soon as an answer says that it ends with the connection.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_cut = False

    def watch(self, connected: socket.socket) -> None:
        """Take the socket; one that comes after the deadline is cut at once."""
        with self._lock:
            self._socket = connected
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """End the exchange."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Of the plain socket: the TLS layer's own would touch what another thread reads through.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


@contextmanager
def _cut_at(deadline: float) -> Iterator[_Line]:
    """Cut the exchange at the deadline: a time-out of the socket begins anew with each byte."""
    line = _Line()
    timer = threading.Timer(max(deadline - time.monotonic(), 0), line.cut)
    timer.daemon = True
    timer.start()
    try:
        yield line
    finally:
        timer.cancel()
    if line.is_cut:
        # An answer that ends with the connection looks whole where it was cut.
        raise TimeoutError
