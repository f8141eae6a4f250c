"""Moves keys through next, active and retired; every step is audited (OPS-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.events import KeysRotated
from idp.services.audit import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from idp.crypto.keyring import HeldKey
    from idp.services.tools import Tools


def rotate(
    tools: Tools, algorithms: tuple[str, ...], *, minimum_age: timedelta, force: bool = False
) -> tuple[HeldKey, ...]:
    """Move the keys of some algorithms one step.

    Args:
        tools: The parts.
        algorithms: Which keys.
        minimum_age: How long a key must have been known before it is used.
        force: Use the next key at once, for one that is compromised.

    Returns:
        The keys that changed, in their new state.

    Raises:
        KeyringError: A next key was made known too lately; nothing has moved for its algorithm.
    """
    now = tools.clock()
    moved: list[HeldKey] = []
    try:
        for alg in algorithms:
            moved.extend(tools.keys.rotate(alg, now, minimum_age=minimum_age, force=force))
    finally:
        tell(tools, moved)
    return tuple(moved)


def retire(tools: Tools, kid: str, *, token_lifetime: timedelta, force: bool = False) -> HeldKey:
    """Remove a key whose tokens are all dead.

    Raises:
        KeyringError: Unknown, still in use, or retired too lately.
    """
    removed = tools.keys.retire(kid, tools.clock(), token_lifetime=token_lifetime, force=force)
    tell(tools, [removed])
    return removed


def tell(tools: Tools, moved: Sequence[HeldKey]) -> None:
    """Record keys that were made, moved or removed.

    Files and database share no transaction: the files come first, for they are what signs and decrypts.
    """
    if not moved:
        return
    with tools.database.write() as connection:
        event = KeysRotated(tuple(key.kid for key in moved))
        record(connection, event, tools.clock(), actor="administrator")
