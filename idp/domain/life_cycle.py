"""Inactivity, warnings, deletion dates (LIF-1, LIF-2, LIF-3).

Every date follows from the latest use of the account and from what became of the warnings; nothing else is kept, so
that a job may stop at any point and be run again. The date that a mail tells is true: a later mail may tell a later
one, and no account is deleted before the latest date that was told.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How long a warning is worth sending. Past it another one is written, which tells a later date.
WARNING_LIFETIME: Final = timedelta(days=3)
#: After so long an address that takes no mail is tried again: mailboxes are emptied, and servers set right.
_REFUSAL_LASTS: Final = timedelta(days=30)
#: Who was warned of a date that passed so long ago is warned again: the job was off, or the account was kept.
_FORGOTTEN_AFTER: Final = timedelta(days=30)
#: Months are of unequal lengths: going forth and back may be short of a day by so many.
_LONGEST_SLIP: Final = timedelta(days=3)
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class LifeCyclePolicy:
    """When an account counts as abandoned, and how its owner is told.

    Attributes:
        inactivity_months: Months without a login or a reactivation, after which it is deleted.
        warnings: How long before the deletion each mail goes out, the earliest first. Without any, nobody is
            deleted.
    """

    inactivity_months: int = 37
    warnings: tuple[timedelta, ...] = (timedelta(days=60), timedelta(days=30), timedelta(days=7))

    @property
    def first_warning(self) -> timedelta:
        """How long before the deletion the first mail goes out."""
        return max(self.warnings)

    @property
    def notice(self) -> timedelta:
        """How long a person has at least, from a warning that reached them: the delay of the last one (LIF-3)."""
        return min(self.warnings)

    def inactive_at(self, idle_since: datetime) -> datetime:
        """Say when an account counts as abandoned, if nothing more happens (LIF-1)."""
        return months_after(idle_since, self.inactivity_months)

    def abandoned_before(self, now: datetime) -> datetime:
        """Say before which moment an account was last used that counts as abandoned, to a few days."""
        return months_after(now, -self.inactivity_months)

    def idle_before(self, now: datetime) -> datetime:
        """Say before which moment an account was last used, if anything may be due: what lies after it is not read."""
        return months_after(now + self.first_warning, -self.inactivity_months) + _LONGEST_SLIP


class Delivery(StrEnum):
    """What became of a warning."""

    #: It waits in the outbox.
    PENDING = "pending"
    #: The next mail server took it, and did not send it back.
    DELIVERED = "delivered"
    #: No mail server was there as long as it was worth sending: nothing is known of the address.
    LOST = "lost"
    #: It was refused for good, or sent back.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SentWarning:
    """A warning of the present period without use.

    Attributes:
        stage: How many days before the deletion it was meant for.
        queued_at: When it was written.
        deletes_at: The date that it tells.
        delivery: What became of it.
        delivered_at: When a mail server took it; None for every other fate.
    """

    stage: int
    queued_at: datetime
    deletes_at: datetime
    delivery: Delivery
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due; as things are, the account is deleted at that date."""

    deletes_at: datetime


@dataclass(frozen=True, slots=True)
class Warn:
    """A mail is due, which tells that date."""

    stage: int
    deletes_at: datetime


@dataclass(frozen=True, slots=True)
class Unwarned:
    """No mail reached the owner, and none is due today: the account stays, and a manager may look into it."""

    deletes_at: datetime


@dataclass(frozen=True, slots=True)
class Delete:
    """The account may be deleted, since that date."""

    deletes_at: datetime


Step = Wait | Warn | Unwarned | Delete


def months_after(moment: datetime, months: int) -> datetime:
    """Add calendar months: the same day and time of a later month, or its last day where it has no such day.

    Counted in UTC, so that one moment has one answer: 31 January and a month is 28 or 29 February. In Paris the day
    may read one more.

    Args:
        moment: An aware datetime in UTC.
        months: How many; negative ones go back.
    """
    year, month = divmod(moment.year * _MONTHS + moment.month - 1 + months, _MONTHS)
    last = monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def next_step(
    policy: LifeCyclePolicy, idle_since: datetime, warnings: Sequence[SentWarning], now: datetime
) -> Step:
    """Say what is due for an account.

    Args:
        policy: Today's settings.
        idle_since: The latest use of the account.
        warnings: Those since then; what was sent in an earlier period is void.
        now: The time.
    """
    natural = policy.inactive_at(idle_since)
    if not policy.warnings:
        return Wait(natural)
    deletes_at = max((natural, *(one.deletes_at for one in warnings)))
    # Settings that moved the date make earlier mails untrue: the owner is told anew.
    holding = [one for one in warnings if one.deletes_at >= deletes_at]
    if not holding:
        return _not_begun(policy, deletes_at, now)
    reached = [one.delivered_at for one in holding if one.delivered_at is not None]
    if not reached:
        return _not_reached(policy, deletes_at, holding, now)
    return _reached(policy, deletes_at, max(deletes_at, min(reached) + policy.notice), holding, now)


def _not_begun(policy: LifeCyclePolicy, deletes_at: datetime, now: datetime) -> Step:
    """Begin in time, and give the whole delay of the first warning however late it is."""
    if now < deletes_at - policy.first_warning:
        return Wait(deletes_at)
    whole = max(policy.first_warning, WARNING_LIFETIME + policy.notice)
    return Warn(policy.first_warning.days, max(deletes_at, now + whole))


def _not_reached(
    policy: LifeCyclePolicy, deletes_at: datetime, holding: Sequence[SentWarning], now: datetime
) -> Step:
    """Try again when there is hope; the date moves so that it is true whenever the mail arrives."""
    if any(one.delivery is Delivery.PENDING for one in holding):
        return Wait(deletes_at)
    latest = max(holding, key=lambda one: one.queued_at)
    stage = _stage(policy, deletes_at, now) or policy.first_warning.days
    is_due = (
        latest.delivery is Delivery.LOST
        or stage not in _stages(holding)
        or now >= latest.queued_at + _REFUSAL_LASTS
    )
    if not is_due:
        return Unwarned(deletes_at)
    return Warn(stage, max(deletes_at, now + WARNING_LIFETIME + policy.notice))


def _reached(
    policy: LifeCyclePolicy,
    deletes_at: datetime,
    may_go_at: datetime,
    holding: Sequence[SentWarning],
    now: datetime,
) -> Step:
    """Delete once the notice has passed since a mail that arrived; until then send the mails that remain."""
    if now >= may_go_at + _FORGOTTEN_AFTER:
        return Warn(policy.notice.days, now + WARNING_LIFETIME + policy.notice)
    if now >= may_go_at:
        return Delete(may_go_at)
    stage = _stage(policy, deletes_at, now)
    lost = _stages(one for one in holding if one.delivery is Delivery.LOST)
    if stage is not None and (stage not in _stages(holding) or stage in lost):
        return Warn(stage, deletes_at)
    return Wait(may_go_at)


def _stage(policy: LifeCyclePolicy, deletes_at: datetime, now: datetime) -> int | None:
    """Name the latest stage that has come: whoever was away for several gets one mail, not several."""
    come = [delay.days for delay in policy.warnings if now >= deletes_at - delay]
    return min(come, default=None)


def _stages(warnings: Iterable[SentWarning]) -> set[int]:
    return {one.stage for one in warnings}
