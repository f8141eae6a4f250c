"""Inactivity: warnings, and the deletion of what nobody uses any more (LIF-1, LIF-2, LIF-3).

The job looks at accounts in the order of their latest use, a batch at a time, and asks the rules what is due. What is
due is decided anew in the transaction that does it, on rows that this transaction holds: a login, a click on a link
or another node that came first wins. Nothing is kept between runs; one that was killed is run again.

Left alone: accounts whose processing is limited, and those with a request under way (PRI-4). A lock by an
administrator says nothing of how long data may be kept: locked accounts are warned and deleted like others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.email_address import canonical
from idp.domain.events import DeletionWarned, WarningBounced
from idp.domain.life_cycle import (
    WARNING_LIFETIME,
    Delete,
    Delivery,
    Unwarned,
    Wait,
    Warn,
    next_step,
)
from idp.services.account import deletion
from idp.services.audit import record
from idp.services.messages import LIFE_CYCLE_WARNING, Mail, queue_mail
from idp.storage.engine import retried
from idp.storage.repositories import life_cycle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from idp.domain.life_cycle import LifeCyclePolicy, Step
    from idp.services.tools import Tools
    from idp.storage.engine import Connection
    from idp.storage.repositories.life_cycle import IdleAccount

#: What the links of warnings are for, in the table of mailed links.
PURPOSE: Final = "reactivate"
#: Links serve a while beyond the date of the deletion: the job may be late.
LINK_GRACE: Final = timedelta(days=30)
#: Rows of a transaction that does nothing but fill in one column.
_DATED_AT_ONCE: Final = 1000
_ACTOR: Final = "system"


@dataclass(frozen=True, slots=True)
class Due:
    """What is, or was, due for an account."""

    account: IdleAccount
    step: Step


@dataclass(slots=True)
class Run:
    """What one run of the job did, or would do.

    Attributes:
        looked_at: Accounts that were read.
        dated: Accounts of before the latest use was kept, filled in.
        warned: Mails queued.
        deleted: Accounts erased.
        unwarned: Accounts that no mail reaches: they stay, and a manager may look into them.
        is_whole: False when it was told to stop before the end.
    """

    looked_at: int = 0
    dated: int = 0
    warned: int = 0
    deleted: int = 0
    unwarned: int = 0
    is_whole: bool = True


@dataclass(slots=True)
class Status:
    """How many unused accounts stand where.

    Attributes:
        undated: Whose latest use is not filled in.
        kept: Limited, or with a request under way: left alone.
        warned: By the stage of the latest warning that arrived.
        underway: Their first warning waits in the outbox.
        due_for_warning: The next run warns them.
        due_for_deletion: The next run deletes them.
        blocked_by_outage: Not warned because mail was away; the next run tries again.
        unwarned: No mail reaches them.
    """

    undated: int = 0
    kept: int = 0
    warned: Counter[int] = field(default_factory=Counter)
    underway: int = 0
    due_for_warning: int = 0
    due_for_deletion: int = 0
    blocked_by_outage: int = 0
    unwarned: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a run goes.

    Attributes:
        batch: Accounts of one transaction.
        acts: Stop after so many warnings and deletions; None to go on to the end.
        go_on: False ends the run early.
    """

    batch: int = 200
    acts: int | None = None
    go_on: Callable[[], bool] = lambda: True


def run(
    tools: Tools,
    policy: LifeCyclePolicy,
    limits: Limits | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> Run:
    """Warn and delete everything that is due.

    Args:
        tools: The parts.
        policy: The settings.
        limits: How far to go.
        told: Called with how many more accounts have been dealt with.
    """
    limits = limits or Limits()
    done = Run()
    _date_undated(tools, limits, done, told)
    for batch in _batches(tools, policy, limits.batch):
        due = [_due(tools, policy, account) for account in batch]
        acts = [one for one in due if isinstance(one.step, Warn | Delete)]
        room = len(acts) if limits.acts is None else limits.acts - done.warned - done.deleted
        if not limits.go_on() or (acts and room <= 0):
            done.is_whole = False
            break
        done.is_whole = len(acts) <= room
        _act(tools, policy, acts[:room], limits, done)
        done.looked_at += len(batch)
        done.unwarned += sum(isinstance(one.step, Unwarned) for one in due)
        told(len(batch))
    _forget_void(tools, limits)
    return done


def foreseen(tools: Tools, policy: LifeCyclePolicy, batch: int = 200) -> Iterator[Due]:
    """Say what a run would do, and what waits, without writing anything; undated accounts last."""
    for accounts in _batches(tools, policy, batch):
        for account in accounts:
            yield _due(tools, policy, account)
    before, after = policy.idle_before(tools.clock()), ""
    while True:
        with tools.database.read() as connection:
            found = life_cycle.undated(connection, before=before, after=after, limit=batch)
        for account in found:
            yield _due(tools, policy, account)
        if len(found) < batch:
            return
        after = found[-1].account_id


def expected(tools: Tools, policy: LifeCyclePolicy) -> int:
    """Count what a run will deal with, for its progress."""
    with tools.database.read() as connection:
        undated = life_cycle.count_undated(connection)
        return undated + life_cycle.count_idle(connection, policy.idle_before(tools.clock()))


def status(tools: Tools, policy: LifeCyclePolicy, batch: int = 200) -> Status:
    """Count unused accounts by what has become of them."""
    found = Status()
    with tools.database.read() as connection:
        found.undated = life_cycle.count_undated(connection)
        found.kept = life_cycle.count_kept(connection, policy.idle_before(tools.clock()))
    for accounts in _batches(tools, policy, batch):
        for account in accounts:
            _count(found, _due(tools, policy, account))
    return found


def undeliverable(tools: Tools, policy: LifeCyclePolicy, batch: int = 200) -> Iterator[Due]:
    """Give accounts that no warning reaches, the longest unused first: a manager decides what becomes of them."""
    for accounts in _batches(tools, policy, batch):
        for account in accounts:
            due = _due(tools, policy, account)
            if isinstance(due.step, Unwarned):
                yield due


def bounce(tools: Tools, *, message_id: str | None = None, address: str | None = None) -> int:
    """Take into account that a mail server sent a warning back.

    Args:
        tools: The parts.
        message_id: Which warning, when that is known.
        address: Else: every warning of the present period to this address.

    Returns:
        How many accounts that concerns; 0 when the mail was no warning, or was sent back before.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        found = life_cycle.bounced(
            connection,
            now,
            message_id=message_id,
            canonical=None if address is None else canonical(address),
        )
        for account_id in found:
            record(connection, WarningBounced(), now, actor=_ACTOR, account_id=account_id)
    return len(found)


def _date_undated(tools: Tools, limits: Limits, done: Run, told: Callable[[int], object]) -> None:
    with tools.database.read() as connection:
        # A read first: on SQLite a transaction that changes nothing would hold up everybody too.
        left = life_cycle.count_undated(connection)
    while left and limits.go_on():
        with tools.database.write() as connection:
            dated = life_cycle.date_undated(connection, _DATED_AT_ONCE)
        if not dated:
            # Another node has them.
            return
        done.dated += dated
        left -= dated
        told(dated)


def _batches(tools: Tools, policy: LifeCyclePolicy, size: int) -> Iterator[Sequence[IdleAccount]]:
    if not policy.warnings:
        return
    before = policy.idle_before(tools.clock())
    after: tuple[datetime, str] | None = None
    while True:
        with tools.database.read() as connection:
            batch = life_cycle.idle(connection, before=before, after=after, limit=size)
        if batch:
            yield batch
        if len(batch) < size:
            return
        after = (batch[-1].idle_since, batch[-1].account_id)


def _due(tools: Tools, policy: LifeCyclePolicy, account: IdleAccount) -> Due:
    return Due(account, next_step(policy, account.idle_since, account.warnings, tools.clock()))


def _act(tools: Tools, policy: LifeCyclePolicy, acts: Sequence[Due], limits: Limits, done: Run) -> None:
    to_warn = [one.account.account_id for one in acts if isinstance(one.step, Warn)]
    if to_warn:
        done.warned += _warn(tools, policy, to_warn)
    for one in acts:
        if isinstance(one.step, Delete) and limits.go_on():
            done.deleted += _delete(tools, policy, one.account.account_id)


@retried
def _warn(tools: Tools, policy: LifeCyclePolicy, account_ids: Sequence[str]) -> int:
    """Queue the warnings of a batch: the mails and what is kept of them stand or fall together."""
    now = tools.clock()
    with tools.database.write() as connection:
        held = [_due(tools, policy, account) for account in life_cycle.hold(connection, account_ids)]
        wanted = [(one.account, one.step) for one in held if isinstance(one.step, Warn)]
        if wanted:
            _queue(tools, connection, wanted, now)
    return len(wanted)


def _queue(
    tools: Tools, connection: Connection, wanted: Sequence[tuple[IdleAccount, Warn]], now: datetime
) -> None:
    warnings, links = [], []
    for account, step in wanted:
        token = new_secret(SecretKind.LINK)
        message_id = queue_mail(
            tools,
            connection,
            _mail(tools, account, step, token),
            account_id=account.account_id,
            lifetime=WARNING_LIFETIME,
        )
        warnings.append(
            life_cycle.NewWarning(
                account.account_id, account.idle_since, step.stage, message_id, step.deletes_at
            )
        )
        links.append(life_cycle.NewLink(account.account_id, digest(token), step.deletes_at + LINK_GRACE))
        event = DeletionWarned(step.stage, step.deletes_at.isoformat())
        record(connection, event, now, actor=_ACTOR, account_id=account.account_id)
    life_cycle.add_warnings(connection, warnings, now)
    life_cycle.add_links(connection, links, PURPOSE, now)


def _mail(tools: Tools, account: IdleAccount, step: Warn, token: str) -> Mail:
    variables = {
        "deletes_at": step.deletes_at,
        "idle_since": account.idle_since,
        "email": account.email,
        "link": f"{tools.issuer}/keep-account?{urlencode({'token': token})}",
    }
    return Mail(account.email, LIFE_CYCLE_WARNING, account.language, variables)


@retried
def _delete(tools: Tools, policy: LifeCyclePolicy, account_id: str) -> bool:
    """Erase an account, unless somebody used it, limited it or asks something of us since it was looked at."""
    with tools.database.write() as connection:
        for account in life_cycle.hold(connection, [account_id]):
            if isinstance(_due(tools, policy, account).step, Delete):
                return bool(deletion.delete_within(tools, connection, account_id, actor="life_cycle"))
    return False


def _forget_void(tools: Tools, limits: Limits) -> None:
    count = limits.batch
    while count == limits.batch and limits.go_on():
        with tools.database.write() as connection:
            count = life_cycle.forget_void(connection, limits.batch)


def _count(found: Status, due: Due) -> None:
    warnings = due.account.warnings
    arrived = [one.stage for one in warnings if one.delivery is Delivery.DELIVERED]
    match due.step:
        case Unwarned():
            found.unwarned += 1
        case Delete():
            found.due_for_deletion += 1
        case Warn():
            found.due_for_warning += 1
            if warnings and not arrived and warnings[-1].delivery is Delivery.LOST:
                found.blocked_by_outage += 1
        case Wait() if not arrived and warnings:
            found.underway += 1
        case Wait():
            pass
    if arrived:
        found.warned[min(arrived)] += 1
