"""The register of requests of the RGPD: received, extended, answered, reminded of (PRI-4, ACC-7, S-438)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import new_id
from idp.domain.data_request import DataRequest, RequestChannel, RequestKind, RequestState, due_at, extended
from idp.domain.events import DataRequestChanged
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.operations.accounts import find
from idp.storage.engine import retried
from idp.storage.repositories import accounts, data_requests

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.tools import Tools
    from idp.storage.engine import Connection

_ACTOR: Final = "administrator"
#: A reminder that could not be sent for so long has been followed by the next one.
_REMINDER_LIFETIME: Final = timedelta(days=3)
_REMINDER_LANGUAGE: Final = "fr"


@dataclass(frozen=True, slots=True)
class Received:
    """What an administrator writes down of a request.

    Attributes:
        kind: What is asked.
        channel: How it came.
        wanted: Identifier or address of the account; None for somebody without one.
        received_at: When it came, if not now.
        is_of_guardian: A parent or a guardian asked.
        note: For a guardian, how their authority was checked.
    """

    kind: RequestKind
    channel: RequestChannel
    wanted: str | None = None
    received_at: datetime | None = None
    is_of_guardian: bool = False
    note: str = ""


class Problem(StrEnum):
    """Why nothing was written."""

    UNKNOWN = "there is no such request"
    UNKNOWN_ACCOUNT = "there is no such account"
    FUTURE = "a request can't be received in the future"
    GUARDIAN_UNCHECKED = "say by --note how the guardian's authority was checked"
    CLOSED = "this request was answered already"
    EXTENDED = "this request was extended already: the law allows it once"
    OVERDUE = "the deadline has passed: it can't be extended any more, the person must be answered"


def add(tools: Tools, received: Received, *, by: str) -> DataRequest | Problem:
    """Write a request down, and tell its person by when they are answered.

    Args:
        tools: The parts.
        received: What came.
        by: Which administrator.
    """
    now = tools.clock()
    received_at = received.received_at or now
    if received_at > now:
        return Problem.FUTURE
    if received.is_of_guardian and not received.note:
        return Problem.GUARDIAN_UNCHECKED
    with tools.database.write() as connection:
        account = None if received.wanted is None else find(connection, received.wanted)
        if received.wanted is not None and account is None:
            return Problem.UNKNOWN_ACCOUNT
        request = DataRequest(
            request_id=new_id(now),
            account_id=None if account is None else account.account_id,
            kind=received.kind,
            channel=received.channel,
            is_of_guardian=received.is_of_guardian,
            state=RequestState.OPEN,
            received_at=received_at,
            due_at=due_at(received_at),
            note=received.note,
        )
        data_requests.add(connection, request)
        _record(connection, request, "received", now, by=by)
        _mail(tools, connection, request, "received")
    return request


def listed(tools: Tools, *, open_only: bool = True) -> list[DataRequest]:
    """List the requests that wait, or all of them, the most urgent first."""
    with tools.database.read() as connection:
        return data_requests.listed(connection, open_only=open_only)


def show(tools: Tools, request_id: str) -> DataRequest | None:
    """Find a request; None when there is none."""
    with tools.database.read() as connection:
        return data_requests.by_id(connection, request_id)


@retried
def extend(tools: Tools, request_id: str, *, by: str, reason: str) -> DataRequest | Problem:
    """Give the city two more months, once, and tell the person why (RGPD article 12, 3).

    Args:
        tools: The parts.
        request_id: Which request.
        by: Which administrator.
        reason: In words that the person reads.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        request = data_requests.by_id(connection, request_id)
        if request is None:
            return Problem.UNKNOWN
        later = extended(request.due_at)
        if not data_requests.extend(connection, request, later, now):
            return _why_not(data_requests.by_id(connection, request_id) or request)
        moved = replace(request, due_at=later, extended_at=now, reminded_at=None)
        _record(connection, moved, "extended", now, by=by, reason=reason)
        _mail(tools, connection, moved, "extended", reason=reason)
    return moved


@retried
def close(
    tools: Tools, request_id: str, *, by: str, outcome: str, is_refused: bool = False
) -> DataRequest | Problem:
    """Write down what was answered, and tell the person.

    Args:
        tools: The parts.
        request_id: Which request.
        by: Which administrator.
        outcome: What was done, or why it was not, in words that the person reads.
        is_refused: It was not done (RGPD article 12, 4).
    """
    now, state = tools.clock(), RequestState.REFUSED if is_refused else RequestState.DONE
    with tools.database.write() as connection:
        if not data_requests.close(connection, request_id, state, by=by, outcome=outcome, now=now):
            found = data_requests.by_id(connection, request_id)
            return Problem.UNKNOWN if found is None else Problem.CLOSED
        request = data_requests.by_id(connection, request_id)
        if request is None:
            raise AssertionError("what was just closed is there")
        _record(connection, request, state, now, by=by)
        _mail(tools, connection, request, state, reason=outcome)
    return request


@retried
def remind(tools: Tools, to: str) -> tuple[DataRequest, ...]:
    """Remind the city of the requests whose deadline comes near, by one mail; each once at each stage.

    Args:
        tools: The parts.
        to: The mailbox of who answers them.

    Returns:
        The requests that the mail names; nothing is sent for none.
    """
    now = tools.clock()
    with tools.database.read() as connection:
        due = [one for one in data_requests.listed(connection, open_only=True) if one.reminder_is_due(now)]
    if not due:
        return ()
    with tools.database.write() as connection:
        named = tuple(one for one in due if data_requests.remind(connection, one, now))
        if named:
            mail = Mail(
                to, "data_requests_due", _REMINDER_LANGUAGE, {"requests": [_line(one, now) for one in named]}
            )
            queue_mail(tools, connection, mail, account_id=None, lifetime=_REMINDER_LIFETIME)
        for one in named:
            _record(connection, one, "reminded", now, by="", actor="system")
    return named


def _why_not(request: DataRequest) -> Problem:
    if not request.is_open:
        return Problem.CLOSED
    return Problem.OVERDUE if request.extended_at is None else Problem.EXTENDED


def _line(request: DataRequest, now: datetime) -> dict[str, Any]:
    return {
        "id": request.request_id,
        "kind": request.kind.value,
        "last_day": request.last_day.isoformat(),
        "days_left": request.days_left(now),
    }


def _record(
    connection: Connection,
    request: DataRequest,
    change: str,
    now: datetime,
    *,
    by: str,
    reason: str = "",
    actor: str = _ACTOR,
) -> None:
    event = DataRequestChanged(request.request_id, change, by, reason)
    record(connection, event, now, actor=actor, account_id=request.account_id)


def _mail(tools: Tools, connection: Connection, request: DataRequest, step: str, reason: str = "") -> None:
    """Tell the person of a step, where there is an account to write to."""
    account = None if request.account_id is None else accounts.by_id(connection, request.account_id)
    if account is None:
        return
    variables = {
        "step": step,
        "kind": request.kind.value,
        "received_at": request.received_at,
        "last_day": request.last_day.isoformat(),
        "reason": reason,
    }
    mail = Mail(account.email, "data_request", account.language, variables)
    queue_mail(tools, connection, mail, account_id=account.account_id)
