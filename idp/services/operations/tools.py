"""What administration needs: a `Context` has it too, and a command line makes it without the cost of pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from idp.crypto.keyring import KeyFolder
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


@dataclass(frozen=True, slots=True)
class Console:
    """The tools of a command line.

    Attributes:
        database: Reads and transactions.
        clock: The time.
        keys: Signing keys.
    """

    database: Database
    clock: Clock
    keys: KeyFolder
