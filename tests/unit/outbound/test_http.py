"""The one outgoing HTTP client, against real servers: slow, huge, redirecting, private, with wrong certificates."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.outbound.http import Failure, GuardedHTTPClient, Limits, NullHTTPClient, Unreachable, is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from idp.outbound.http import Address

pytestmark = pytest.mark.rule("FC-7")

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok"
#: Less than the slow servers take, more than a busy machine adds to our own limits.
PATIENCE = 4
PATIENT = Limits(timedelta(seconds=30), timedelta(seconds=30), timedelta(seconds=60), body_bytes=10_000)
QUICK = Limits(timedelta(seconds=1), timedelta(seconds=0.4), timedelta(seconds=0.8), body_bytes=10_000)


def read_request(connection: socket.socket) -> bytes:
    """Read until the end of the head."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(4096)
        if not piece:
            break
        received += piece
    return received


@contextmanager
def a_server(
    answer: Callable[[socket.socket, bytes], None], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Listen on loopback, and let a function answer each connection; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            try:
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                answer(connection, read_request(connection))
            except OSError:
                pass
            finally:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)


def replying(reply: bytes) -> Callable[[socket.socket, bytes], None]:
    """Answer always the same."""
    return lambda connection, _: connection.sendall(reply)


def a_client(**others: object) -> GuardedHTTPClient:
    """Build a client that may go to loopback, and waits briefly."""
    return GuardedHTTPClient(**({"limits": PATIENT, "allow_private_networks": True} | others))  # type: ignore[arg-type]


def failure(client: GuardedHTTPClient, url: str) -> Failure:
    """Give why no answer came."""
    with pytest.raises(Unreachable) as raised:
        client.request("GET", url)
    return raised.value.kind


def test_answer_is_given_as_it_came() -> None:
    """Status, headers by lower-case name, body."""
    with a_server(replying(OK)) as port:
        answer = a_client().request("GET", f"http://localhost:{port}/x")

    assert (answer.status, answer.body, answer.media_type) == (200, b"ok", "text/plain")


def test_request_carries_host_method_body_and_headers() -> None:
    """What is sent is what was asked for, and the name, not the address, as Host."""
    seen: list[bytes] = []

    def answer(connection: socket.socket, received: bytes) -> None:
        while not received.endswith(b"d=e"):
            received += connection.recv(100)
        seen.append(received)
        connection.sendall(OK)

    with a_server(answer) as port:
        a_client().request("POST", f"http://localhost:{port}/a?b=c", headers={"X-One": "1"}, body=b"d=e")

    assert seen[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert f"Host: localhost:{port}\r\n".encode() in seen[0]
    assert b"X-One: 1\r\n" in seen[0]
    assert seen[0].endswith(b"d=e")


def test_redirect_is_not_followed() -> None:
    """A redirect to anywhere is an answer like another (S-149)."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with a_server(replying(moved)) as port:
        answer = a_client().request("GET", f"http://localhost:{port}/")

    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")


def test_silent_server_is_given_up() -> None:
    """A server that accepts and says nothing."""
    with a_server(lambda _connection, _received: time.sleep(5)) as port:
        started = time.monotonic()

        assert failure(a_client(limits=QUICK), f"http://localhost:{port}/") is Failure.TIMED_OUT

    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["head", "body", "body that ends with the connection", "body of HTTP/1.0"],
)
def test_server_that_drips_is_given_up(start: bytes) -> None:
    """A byte now and then keeps every socket time-out away, and the total one not (S-366)."""

    def drip(connection: socket.socket, _received: bytes) -> None:
        connection.sendall(start)
        for _ in range(50):
            connection.sendall(b"H")
            time.sleep(0.1)

    with a_server(drip) as port:
        started = time.monotonic()

        assert failure(a_client(limits=QUICK), f"http://localhost:{port}/") is Failure.TIMED_OUT

    assert time.monotonic() - started < PATIENCE


def test_total_may_be_shortened_for_one_request() -> None:
    """The requests of one login share one time-out."""
    with a_server(lambda _connection, _received: time.sleep(5)) as port:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="timed_out"):
            a_client(limits=Limits()).request(
                "GET", f"http://localhost:{port}/", total=timedelta(seconds=0.2)
            )

    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n" * 1
        + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 4 + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 20_000,
    ],
    ids=["announced", "chunked", "until the end"],
)  # fmt: skip
def test_huge_answer_is_given_up(reply: bytes) -> None:
    """Nothing larger than the limit enters the memory."""
    with a_server(replying(reply)) as port:
        assert failure(a_client(), f"http://localhost:{port}/") is Failure.TOO_LARGE


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["nothing", "no HTTP", "cut short", "compressed", "long header", "many headers"],
)
def test_malformed_answer_is_given_up(reply: bytes) -> None:
    """Whatever a server sends, the caller gets one kind of exception."""
    with a_server(replying(reply)) as port:
        assert failure(a_client(), f"http://localhost:{port}/") is Failure.PROTOCOL


def test_nobody_listening_is_told() -> None:
    """A port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    assert failure(a_client(), f"http://localhost:{port}/") is Failure.NOT_CONNECTED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://localhost/",
        "file:///etc/passwd",
        "http://",
        "https://user:password@localhost/",
        "http://localhost:99999/",
        "http://[::1/",
        "http://localhost/é",
    ],
)
def test_unfit_url_is_refused(url: str) -> None:
    """No other scheme, no credentials, no port out of range."""
    assert failure(a_client(), url) is Failure.URL_REFUSED


@pytest.mark.parametrize("url", ["http://localhost/a\r\nX: y", "http://localhost/a b"])
def test_url_that_would_split_the_request_is_refused(url: str) -> None:
    """Nothing in an address becomes a header."""
    with a_server(replying(OK)) as port:
        address = url.replace("localhost", f"localhost:{port}")

        assert failure(a_client(), address) in {Failure.PROTOCOL, Failure.URL_REFUSED}


def test_plain_http_is_refused_in_the_open() -> None:
    """Outside a closed network there is TLS or nothing."""
    client = GuardedHTTPClient(QUICK)

    assert failure(client, "http://service.example/") is Failure.URL_REFUSED


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
        "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_refused(address: str) -> None:
    """Loopback, private, link-local, multicast, and IPv6 spellings of these (S-149)."""
    assert not is_public(ip_address(address))
    client = GuardedHTTPClient(QUICK, resolve=lambda _host, _port: [ip_address(address)])

    assert failure(client, "https://service.example/") is Failure.ADDRESS_REFUSED


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_address_is_one(address: str) -> None:
    """What anybody on the Internet may be sent to."""
    assert is_public(ip_address(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    """Which one is tried first would be the attacker's choice."""
    both: list[Address] = [ip_address("93.184.215.14"), ip_address("127.0.0.1")]
    client = GuardedHTTPClient(QUICK, resolve=lambda _host, _port: both)

    assert failure(client, "https://service.example/") is Failure.ADDRESS_REFUSED


def test_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    """A second look-up, with another answer, never happens (DNS rebinding)."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        asked.append(host)
        return [ipaddress.IPv6Address("::1"), ipaddress.IPv4Address("127.0.0.1")]

    with a_server(replying(OK)) as port:
        answer = a_client(resolve=resolve).request("GET", f"http://service.example:{port}/")

    assert answer.status == 200
    assert asked == ["service.example"]


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError()])
def test_unknown_name_is_told(error: Exception) -> None:
    """A name that nobody knows."""

    def resolve(_host: str, _port: int) -> list[Address]:
        raise error

    assert failure(a_client(resolve=resolve), "https://service.example/") is Failure.NAME_UNKNOWN


def test_slow_look_up_is_given_up() -> None:
    """The system's resolver has no time limit of ours: it is not waited for."""

    def resolve(_host: str, _port: int) -> list[Address]:
        time.sleep(5)
        return []

    started = time.monotonic()

    assert failure(a_client(resolve=resolve, limits=QUICK), "https://service.example/") is Failure.TIMED_OUT
    assert time.monotonic() - started < PATIENCE


def test_null_client_sends_nothing() -> None:
    """The twin for who calls nobody."""
    with pytest.raises(Unreachable, match="off"):
        NullHTTPClient().request("GET", "https://service.example/")


def a_certificate(folder: Path, name: str, *, days: int = 1) -> tuple[ssl.SSLContext, str]:
    """Make a self-signed certificate; gives the server's context and the bundle to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)  # noqa: TID251 - OpenSSL checks certificates by the machine's clock
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, str(pem)


def test_certificate_of_the_name_is_accepted_at_the_checked_address(tmp_path: Path) -> None:
    """SNI and the certificate are the name's, the connection goes to the address."""
    context, bundle = a_certificate(tmp_path, "service.example")
    client = a_client(ca_bundle=bundle, resolve=lambda _host, _port: [ip_address("127.0.0.1")])
    with a_server(replying(OK), context) as port:
        answer = client.request("GET", f"https://service.example:{port}/")

    assert answer.status == 200


@pytest.mark.parametrize(
    "name,days,trusted",
    [("autre.example", 1, True), ("service.example", -1, True), ("service.example", 1, False)],
    ids=["of another name", "expired", "of an unknown authority"],
)
def test_wrong_certificate_is_refused(tmp_path: Path, name: str, days: int, *, trusted: bool) -> None:
    """Nothing is sent to a server that is not the one that was named."""
    context, bundle = a_certificate(tmp_path, name, days=days)
    seen: list[bytes] = []
    client = a_client(
        ca_bundle=bundle if trusted else None, resolve=lambda _host, _port: [ip_address("127.0.0.1")]
    )
    with a_server(lambda _connection, received: seen.append(received), context) as port:
        assert failure(client, f"https://service.example:{port}/") is Failure.TLS

    assert seen == []
