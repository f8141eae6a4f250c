"""What a service was told of a person, when and by which way: names of claims, never values (PRI-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

#: Stands before the name of a claim that was told with its proof, within `verified_claims`.
VERIFIED_PREFIX: Final = "verified_claims."
#: What every answer begins with: who it is about, under the name that this service knows.
_IDENTIFIERS: Final = frozenset({"sub"})


class Way(StrEnum):
    """How it was told."""

    ID_TOKEN = "id_token"
    USERINFO = "userinfo"
    INTROSPECTION = "introspection"
    API = "api"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one service was told of one person in one way on one day, as often as it was the same.

    Attributes:
        account_id: Of whom.
        client_id: To which service; one may be gone.
        way: How.
        day: In UTC, such as "2026-11-22".
        claims: Wire names, sorted; empty when only the identifier was told.
        first_at: The first time.
        last_at: The last time.
        times: How often.
    """

    account_id: str
    client_id: str
    way: Way
    day: str
    claims: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Told:
    """What one service was told of one person in one way, over all the days that are kept.

    Attributes:
        client_id: To which service.
        way: How.
        claims: Wire names, sorted; empty when only the identifier was told.
        first_at: The first time.
        last_at: The last time.
        times: How often.
    """

    client_id: str
    way: Way
    claims: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    times: int


# A service is told the same claims again and again.
@lru_cache(maxsize=1024)
def told_claims(names: tuple[str, ...], verified: tuple[str, ...]) -> tuple[str, ...]:
    """Give the claims of an answer as they are kept.

    Args:
        names: Members of the answer, in any order; `verified_claims` is told by what is in it.
        verified: Claims within `verified_claims`, several times when they stand in several elements.
    """
    plain = set(names) - _IDENTIFIERS - {VERIFIED_PREFIX.rstrip(".")}
    return tuple(sorted(plain | {VERIFIED_PREFIX + name for name in verified}))
