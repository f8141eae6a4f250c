"""What administration needs: a `Context` has it too, and a command line makes it without the cost of pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from idp.crypto.opaque import PAIRWISE_PURPOSE, Sealer
from idp.domain.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.crypto.keyring import KeyFolder
    from idp.outbound.http import HTTPClient
    from idp.services.context import Clock
    from idp.storage.engine import Database


class Tools(Protocol):
    """The parts that administrative use cases are made of."""

    @property
    def database(self) -> Database:
        """Reads and transactions."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def keys(self) -> KeyFolder:
        """Signing keys."""

    @property
    def sealer(self) -> Sealer:
        """Encrypts what must be read back."""

    @property
    def issuer(self) -> str:
        """Our own address, without a trailing slash."""

    @property
    def pairwise(self) -> bytes:
        """The secret of all subjects."""

    @property
    def controller(self) -> Controller:
        """Who is responsible for the data."""

    @property
    def http(self) -> HTTPClient:
        """Sends requests to clients' addresses."""


@dataclass(frozen=True, slots=True)
class Console:
    """The tools of a command line.

    Attributes:
        database: Reads and transactions.
        clock: The time.
        keys: Signing keys.
        connect: Makes what sends requests: few commands send one, and it reads every authority of the system.
        issuer: Our own address, without a trailing slash.
        controller: Who is responsible for the data, on certificates.
    """

    database: Database
    clock: Clock
    keys: KeyFolder
    connect: Callable[[], HTTPClient]
    issuer: str
    controller: Controller = field(default_factory=Controller)

    @property
    def http(self) -> HTTPClient:
        """Sends requests to clients' addresses."""
        return self.connect()

    @property
    def pairwise(self) -> bytes:
        """The secret of all subjects.

        Raises:
            KeyringError: The root of the keys is missing, or readable by others.
        """
        return self.keys.derivation().key(PAIRWISE_PURPOSE)

    @property
    def sealer(self) -> Sealer:
        """Encrypts what must be read back, as a server does that reads it.

        Raises:
            KeyringError: The root of the keys is missing, or readable by others.
        """
        return Sealer.derived(self.keys.derivation())
