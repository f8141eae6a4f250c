"""Tokens by which an administrator lets a client register itself (RFC 7591 section 3; OID-7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import SecretKind, digest, new_id, new_secret
from idp.domain.events import InitialTokenChanged
from idp.services.audit import record
from idp.storage.repositories import registrations
from idp.storage.repositories.registrations import InitialToken

if TYPE_CHECKING:
    from datetime import timedelta

    from idp.services.tools import Tools

_ACTOR: Final = "administrator"


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token: what is kept of it, and itself in clear for the only time."""

    kept: InitialToken
    token: str = field(repr=False)


def make(tools: Tools, label: str, *, uses: int | None, lifetime: timedelta) -> MadeToken:
    """Make a token.

    Args:
        tools: The parts.
        label: For whom.
        uses: How many clients it may register; None for any number.
        lifetime: From now on.
    """
    now = tools.clock()
    token = new_secret(SecretKind.INITIAL_ACCESS)
    kept = InitialToken(new_id(now), label, uses, now, now + lifetime)
    with tools.database.write() as connection:
        registrations.add_initial_token(connection, kept, digest(token))
        record(connection, InitialTokenChanged("created", kept.token_id), now, actor=_ACTOR)
    return MadeToken(kept, token)


def every(tools: Tools) -> list[InitialToken]:
    """Read all tokens, the oldest first."""
    with tools.database.read() as connection:
        return registrations.initial_tokens(connection)


def revoke(tools: Tools, token_id: str) -> bool:
    """End a token at once; False when there is none that has not ended."""
    now = tools.clock()
    with tools.database.write() as connection:
        ended = registrations.revoke_initial_token(connection, token_id, now)
        if ended:
            record(connection, InitialTokenChanged("revoked", token_id), now, actor=_ACTOR)
    return ended
