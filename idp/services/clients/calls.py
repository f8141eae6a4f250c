"""How often a service may call the interfaces that it opens with a token of its own (PRO-6, PRO-7).

A program that loops is told to wait, before it takes the place of everybody else's requests.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idp.domain.errors import ThrottledUntil
from idp.domain.throttle import ThrottlePolicy
from idp.services.sign_in import throttling
from idp.services.sign_in.throttling import Brake

if TYPE_CHECKING:
    from idp.services.context import Context

#: Twenty a second: what tells a hundred thousand people within an hour and a half.
CALLS: Final = ThrottlePolicy(free_failures=1200, window=timedelta(minutes=1), cleared_by_success=False)


def brake(client_id: str) -> Brake:
    """Name the counter of a service's calls."""
    return Brake("interface+client", client_id, CALLS)


def count(context: Context, client_id: str) -> None:
    """Count a call of a service.

    Raises:
        ThrottledUntil: There were too many within a minute.
    """
    with context.database.write() as connection:
        decision = throttling.count(context, connection, (brake(client_id),), context.clock())
    if isinstance(decision, ThrottledUntil):
        raise decision
