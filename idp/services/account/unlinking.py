"""What a person asks about the link to FranceConnect, and may take back, until a manager has decided (FC-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import new_id
from idp.domain.errors import ThrottledUntil
from idp.domain.events import UnlinkRequested, UnlinkWithdrawn
from idp.domain.unlinking import (
    DAY,
    LONGEST_MESSAGE,
    MOST_A_DAY,
    RequestState,
    UnlinkRequest,
    normalise_message,
)
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.storage.repositories import franceconnect, unlink_requests

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class Asked:
    """The request waits for a manager; it may have waited before: a second click asks nothing more."""

    request: UnlinkRequest


@dataclass(frozen=True, slots=True)
class NotLinked:
    """There is no link to end."""


@dataclass(frozen=True, slots=True)
class PasswordNeeded:
    """Nobody knows the password: without FranceConnect nobody could sign in any more (PWD-7)."""


@dataclass(frozen=True, slots=True)
class MessageTooLong:
    """What was written has more characters than are kept; nothing was asked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands.

    Attributes:
        is_linked: It has a live link, to whichever portal.
        request: What it asked last.
    """

    is_linked: bool
    request: UnlinkRequest | None

    @property
    def open_request(self) -> UnlinkRequest | None:
        """Give the request that waits, if one does."""
        return self.request if self.request is not None and self.request.is_open else None

    @property
    def refused_request(self) -> UnlinkRequest | None:
        """Give the latest request, if it was refused."""
        is_refused = self.request is not None and self.request.state is RequestState.REFUSED
        return self.request if is_refused else None


def standing(context: Context, account_id: str) -> Standing:
    """Tell where an account stands with its link."""
    with context.database.read() as connection:
        is_linked = bool(franceconnect.links_of_account(connection, account_id))
        return Standing(is_linked, unlink_requests.latest_of_account(connection, account_id))


def ask(
    context: Context, account: Account, typed: str
) -> Asked | NotLinked | PasswordNeeded | MessageTooLong:
    """Ask a manager to end the link; one request waits at a time, however often it is sent.

    Args:
        context: The parts.
        account: Who is signed in, proven again lately.
        typed: What they write to the manager; may be empty.

    Raises:
        ThrottledUntil: Too many requests within a day.
    """
    message = normalise_message(typed)
    if len(message) > LONGEST_MESSAGE:
        return MessageTooLong()
    if account.password_is_generated:
        return PasswordNeeded()
    with context.database.write() as connection:
        # Held: an approval that is being written ends the link before we look, or sees this request.
        if not franceconnect.hold_links(connection, account.account_id):
            return NotLinked()
        return Asked(_open_request(context, connection, account, message))


def withdraw(context: Context, account: Account) -> bool:
    """Take the request back; False when a manager was first, or there was none."""
    now = context.clock()
    with context.database.write() as connection:
        withdrawn = unlink_requests.withdraw(connection, account.account_id, now)
        if withdrawn is None:
            return False
        _tell(context, connection, account, "unlink_withdrawn", now)
        event = UnlinkWithdrawn(withdrawn.request_id)
        record(connection, event, now, account_id=account.account_id)
    return True


def _open_request(context: Context, connection: Connection, account: Account, message: str) -> UnlinkRequest:
    now = context.clock()
    latest = unlink_requests.latest_of_account(connection, account.account_id)
    if latest is not None and latest.is_open:
        return latest
    _brake(connection, account.account_id, now)
    request = UnlinkRequest(new_id(now), account.account_id, RequestState.OPEN, message, now)
    if not unlink_requests.create(connection, request):
        return unlink_requests.latest_of_account(connection, account.account_id) or request
    _tell(context, connection, account, "unlink_requested", now)
    record(connection, UnlinkRequested(request.request_id), now, account_id=account.account_id)
    return request


def _brake(connection: Connection, account_id: str, now: datetime) -> None:
    count, first = unlink_requests.asked_since(connection, account_id, now - DAY)
    if first is not None and count >= MOST_A_DAY:
        raise ThrottledUntil(first + DAY)


def _tell(context: Context, connection: Connection, account: Account, event: str, now: datetime) -> None:
    mail = Mail(account.email, event, account.language, {"at": now})
    queue_mail(context, connection, mail, account_id=account.account_id)
