"""Limits the processing of an account: nothing is told to services, nothing is deleted (PRI-4, S-445; RGPD 18)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from idp.domain.events import ProcessingLimited, ProcessingUnlimited, SessionEnded
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.operations.accounts import find
from idp.services.sign_in.endings import tell
from idp.storage.engine import retried
from idp.storage.repositories import accounts, sessions, tokens

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

_ACTOR: Final = "administrator"
_ENDED: Final = "limited"


class Limiting(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"
    UNKNOWN = "unknown"


@retried
def limit(tools: Tools, wanted: str, *, by: str, reason: str) -> Limiting:
    """Have services told nothing of a person from now on, and tell the person.

    In one transaction: the sessions end and their services are told, every token dies. The person may sign in again,
    to their own space alone.

    Args:
        tools: The parts.
        wanted: Identifier or address.
        by: Which administrator.
        reason: A few words for the trail; nothing personal.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return Limiting.UNKNOWN
        # First: a login that goes on writes this row too, so that its session is there when sessions end, or it
        # comes after the limit and finds it.
        if not accounts.limit(connection, account.account_id, reason, now):
            return Limiting.ALREADY
        ended = sessions.end_all(connection, account.account_id)
        tell(connection, ended, sealer=tools.sealer, now=now)
        tokens.revoke_families_of_account(connection, account.account_id, now, _ENDED)
        event = ProcessingLimited(by, reason)
        record(connection, event, now, actor=_ACTOR, account_id=account.account_id)
        if ended:
            record(connection, SessionEnded(_ENDED), now, actor=_ACTOR, account_id=account.account_id)
        _mail(tools, account, "processing_limited", connection)
    return Limiting.DONE


@retried
def unlimit(tools: Tools, wanted: str, *, by: str, reason: str) -> Limiting:
    """Let services be told again what the person allows, and tell the person (RGPD article 18, 3)."""
    now = tools.clock()
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return Limiting.UNKNOWN
        if not accounts.unlimit(connection, account.account_id):
            return Limiting.ALREADY
        event = ProcessingUnlimited(by, reason)
        record(connection, event, now, actor=_ACTOR, account_id=account.account_id)
        _mail(tools, account, "processing_unlimited", connection)
    return Limiting.DONE


def _mail(tools: Tools, account: Account, event: str, connection: Connection) -> None:
    mail = Mail(account.email, event, account.language, {"at": tools.clock()})
    queue_mail(tools, connection, mail, account_id=account.account_id)
