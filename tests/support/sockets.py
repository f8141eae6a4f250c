"""Keeps the tests on this machine: a connection or a name look-up that would leave it fails."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost", socket.gethostname()})


def is_local(host: object) -> bool:
    """Say whether a host is this machine.

    Args:
        host: A name or an address, as given to the socket module; None means any.

    Returns:
        True for loopback addresses and the names of this machine.
    """
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name in LOCAL_NAMES or name.endswith(".localhost")


def is_address(host: object) -> bool:
    """Say whether a host is written as an address, which needs no look-up.

    Args:
        host: As given to the socket module.

    Returns:
        True for IPv4 and IPv6 addresses.
    """
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True


def stay_on_this_machine(patch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and every look-up of a name that is not of this machine.

    Args:
        patch: Undoes it at the end of the run.
    """
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def check(itself: socket.socket, address: Any) -> None:
        if itself.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            pytest.fail(f"a test tried to connect to {address!r}")

    def guarded_connect(itself: socket.socket, address: Any) -> None:
        check(itself, address)
        return connect(itself, address)

    def guarded_connect_ex(itself: socket.socket, address: Any) -> int:
        check(itself, address)
        return connect_ex(itself, address)

    def guarded_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if not (is_local(host) or is_address(host)):
            pytest.fail(f"a test tried to look up {host!r}")
        return getaddrinfo(host, *rest, **named)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
