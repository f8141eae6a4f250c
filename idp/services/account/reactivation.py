"""Keeps an unused account by the link of a warning: no login, one button, another period (LIF-2).

The link proves the mailbox; it opens no session and changes nothing but the moment from which inactivity counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.events import AccountReactivated
from idp.services.account.life_cycle import LINK_GRACE, PURPOSE
from idp.services.audit import record
from idp.storage.repositories import account_links, life_cycle

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context
    from idp.storage.repositories.life_cycle import ReactivationLink


@dataclass(frozen=True, slots=True)
class Waiting:
    """The link serves.

    Attributes:
        email: Of the account.
        deletes_at: The date that the mail told.
        is_overdue: That date has passed: the account may go at any moment.
        kept_until: Until when the account lives without another use, if the link is used now.
    """

    email: str
    deletes_at: datetime
    is_overdue: bool
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class InUse:
    """The account was used since the mail was sent, by this link or otherwise: nothing is left to do.

    Attributes:
        kept_until: Until when it lives without another use.
    """

    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The account was kept just now.

    Attributes:
        kept_until: Until when it lives without another use.
    """

    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """The link serves no more, but there is an account: signing in keeps it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There never was such a link, it was altered, or its account is gone."""


State = Waiting | InUse | Expired | Unknown


def look(context: Context, token: str | None) -> State:
    """Say what a link would do; nothing changes, for programs that read mail follow links (S-272)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return Unknown()
    with context.database.read() as connection:
        return _state(context, life_cycle.find_link(connection, digest(token), PURPOSE))


def keep(context: Context, token: str | None) -> Kept | InUse | Expired | Unknown:
    """Begin another period: warnings of the present one are void, and the job finds nothing due."""
    seen = look(context, token)
    if token is None or not isinstance(seen, Waiting):
        return Unknown() if isinstance(seen, Waiting) else seen
    now = context.clock()
    with context.database.write() as connection:
        link = life_cycle.find_link(connection, digest(token), PURPOSE)
        if link is None or not life_cycle.reactivate(connection, link.account_id, now):
            return Unknown()
        # One statement decides which of two clicks it was; the other finds the account in use, which is as good.
        if account_links.consume(connection, digest(token), PURPOSE, now):
            record(connection, AccountReactivated(), now, account_id=link.account_id)
    return Kept(context.life_cycle.inactive_at(now))


def _state(context: Context, link: ReactivationLink | None) -> State:
    if link is None:
        return Unknown()
    if link.last_active_at > link.created_at:
        return InUse(context.life_cycle.inactive_at(link.last_active_at))
    now = context.clock()
    if link.consumed_at is not None or now >= link.expires_at:
        return Expired()
    deletes_at = link.expires_at - LINK_GRACE
    return Waiting(link.email, deletes_at, now >= deletes_at, context.life_cycle.inactive_at(now))
