"""What an administrator does with parents' permissions, for a guardian who calls: list, withdraw (CON-7, ACC-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain.events import AccountViewed
from idp.services.audit import record
from idp.services.authorization import parental_permission
from idp.services.authorization.consents import Shown
from idp.services.authorization.parental_permission import Actor
from idp.services.operations.accounts import find
from idp.storage.repositories import clients, permissions

if TYPE_CHECKING:
    from idp.domain.minimum_age import Permission
    from idp.services.tools import Tools

_ACTOR: Final = "administrator"
#: Nothing was shown to the guardian: the ledger says by which way it was done.
_WORDS: Final = Shown(
    "Withdrawn by an administrator at the request of a parent or guardian.", "en", channel=_ACTOR
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A permission and the name of its service, as it is called today."""

    permission: Permission
    service: str


def listed(tools: Tools, wanted: str, *, by: str, reason: str) -> list[Listed] | None:
    """List every permission asked for a child, the oldest first; that it was read is written to the trail.

    Args:
        tools: The parts.
        wanted: Identifier or address of the child's account.
        by: Which administrator.
        reason: A few words for the trail; nothing personal.

    Returns:
        None when there is no such account.
    """
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return None
        found = permissions.of_account(connection, account.account_id)
        names = {
            one: client for one in {p.client_id for p in found} if (client := clients.by_id(connection, one))
        }
        event = AccountViewed(by, reason)
        record(connection, event, tools.clock(), actor=_ACTOR, account_id=account.account_id)
    return [
        Listed(one, names[one.client_id].name if one.client_id in names else one.client_id) for one in found
    ]


def withdraw(tools: Tools, permission_id: str, *, by: str, reason: str) -> Permission | None:
    """Take a permission back for a guardian: as the parent would by the link of the mail.

    Returns:
        None when there is none to take back.
    """
    actor = Actor(_ACTOR, by, reason)
    return parental_permission.withdraw(tools, permission_id, shown=_WORDS, actor=actor)
