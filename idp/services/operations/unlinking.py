"""The manager's queue of requests to end a link to FranceConnect: look, approve, refuse (FC-5, ADM-1, ADM-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain.events import SessionEnded, UnlinkApproved, UnlinkListed, UnlinkRefused, UnlinkViewed
from idp.domain.unlinking import ENDED_REASON, RequestState, UnlinkRequest, declared_again
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in.endings import tell
from idp.storage.engine import retried
from idp.storage.repositories import accounts, attributes, franceconnect, sessions, tokens, unlink_requests

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idp.domain.account import Account
    from idp.services.tools import Tools
    from idp.storage.engine import Connection
    from idp.storage.repositories.franceconnect import Link

_ACTOR: Final = "administrator"


@dataclass(frozen=True, slots=True)
class Listed:
    """A request in the queue, and the address of who asked."""

    request: UnlinkRequest
    email: str


@dataclass(frozen=True, slots=True)
class RequestCard:
    """What a manager decides upon; no identity is shown.

    Attributes:
        request: What was asked.
        account: By whom.
        portals: Where the account is linked now.
        sessions: How many signed-in browsers came from there, and would be signed out.
    """

    request: UnlinkRequest
    account: Account
    portals: tuple[str, ...]
    sessions: int


@dataclass(frozen=True, slots=True)
class Approved:
    """The link is gone, the attributes are declared, the person is told.

    Attributes:
        request: As it stands now.
        attributes: Wire names of what is declared again.
        sessions_ended: How many.
    """

    request: UnlinkRequest
    attributes: tuple[str, ...]
    sessions_ended: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The link stays, the person is told why."""

    request: UnlinkRequest


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such request, or it was erased with its account."""


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """Somebody was first: another manager, or the person, who withdrew it."""

    request: UnlinkRequest


@dataclass(frozen=True, slots=True)
class PasswordNeeded:
    """Nobody knows the password of the account: nobody could sign in without FranceConnect (PWD-7)."""


@dataclass(frozen=True, slots=True)
class NotLinked:
    """The link has ended meanwhile; what remains is to refuse the request."""


def listed(tools: Tools, *, by: str, open_only: bool = True) -> list[Listed]:
    """List the requests that wait, or all of them, the oldest first; who read the addresses is recorded (S-456)."""
    with tools.database.write() as connection:
        found = [Listed(*one) for one in unlink_requests.listed(connection, open_only=open_only)]
        if found:
            record(connection, UnlinkListed(len(found), by), tools.clock(), actor=_ACTOR)
    return found


def show(tools: Tools, request_id: str, *, by: str) -> RequestCard | None:
    """Give what a manager needs to decide; None when there is no such request. That it was read is recorded."""
    with tools.database.write() as connection:
        request = unlink_requests.by_id(connection, request_id)
        account = None if request is None else accounts.by_id(connection, request.account_id)
        if request is None or account is None:
            return None
        links = franceconnect.links_of_account(connection, account.account_id)
        signed_in = sessions.of_account(connection, account.account_id)
        event = UnlinkViewed(request_id, by)
        record(connection, event, tools.clock(), actor=_ACTOR, account_id=account.account_id)
    upstream = [one for one in signed_in if one.session.upstream is not None]
    return RequestCard(request, account, tuple(link.provider for link in links), len(upstream))


@retried
def approve(
    tools: Tools, request_id: str, *, by: str, reason: str | None = None
) -> Approved | Unknown | AlreadyDecided | PasswordNeeded | NotLinked:
    """End every link of the account, make its attributes declared, end what rested on the link, and tell the person.

    Args:
        tools: The parts.
        request_id: Which request.
        by: Who decides.
        reason: In their words, if they want to say one.

    Returns:
        What happened; nothing is written unless it is `Approved`.
    """
    with tools.database.write() as connection:
        request = unlink_requests.hold(connection, request_id)
        if request is None:
            return Unknown()
        if not request.is_open:
            return AlreadyDecided(request)
        links = _hold_everything(connection, request.account_id)
        account = accounts.by_id(connection, request.account_id)
        if account is None:
            return Unknown()
        if account.password_is_generated:
            return PasswordNeeded()
        if not links:
            return NotLinked()
        return _approved(tools, connection, request, account, links, by=by, reason=reason)


@retried
def refuse(tools: Tools, request_id: str, *, by: str, reason: str) -> Refused | Unknown | AlreadyDecided:
    """Leave everything as it is, and tell the person why.

    Args:
        tools: The parts.
        request_id: Which request.
        by: Who decides.
        reason: In their words; the person reads it.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        request = unlink_requests.hold(connection, request_id)
        if request is None:
            return Unknown()
        refused = unlink_requests.decide(
            connection, request_id, RequestState.REFUSED, by=by, reason=reason, now=now
        )
        if refused is None:
            return AlreadyDecided(request)
        account = accounts.by_id(connection, request.account_id)
        if account is not None:
            _mail(tools, connection, account, "unlink_refused", now, reason=reason)
        event = UnlinkRefused(request_id, by)
        record(connection, event, now, actor=_ACTOR, account_id=request.account_id)
    return Refused(refused)


def _hold_everything(connection: Connection, account_id: str) -> tuple[Link, ...]:
    """Hold the links, then the account, as a login by FranceConnect takes them, so that neither waits for the other.

    Nobody links the account while it is held; what was linked since the first look is seen at the second.
    """
    franceconnect.hold_links(connection, account_id)
    accounts.hold(connection, account_id)
    return franceconnect.hold_links(connection, account_id)


def _approved(
    tools: Tools,
    connection: Connection,
    request: UnlinkRequest,
    account: Account,
    links: Sequence[Link],
    *,
    by: str,
    reason: str | None,
) -> Approved | AlreadyDecided:
    now = tools.clock()
    decided = unlink_requests.decide(
        connection, request.request_id, RequestState.APPROVED, by=by, reason=reason, now=now
    )
    if decided is None:
        return AlreadyDecided(request)
    # The links first: while one lives, triggers refuse to lower what it certified (FC-2).
    for link in links:
        franceconnect.end_link(connection, link.link_id, ENDED_REASON, now)
    names = _declare_again(connection, account.account_id, now)
    ended = _end_sessions(tools, connection, account.account_id, now)
    _mail(tools, connection, account, "unlink_approved", now)
    event = UnlinkApproved(request.request_id, by, names)
    record(connection, event, now, actor=_ACTOR, account_id=account.account_id)
    return Approved(decided, names, ended)


def _declare_again(connection: Connection, account_id: str, now: datetime) -> tuple[str, ...]:
    _, changes = declared_again(attributes.read(connection, account_id), now)
    unlink_requests.lower(connection, account_id, changes, now)
    return tuple(change.name for change in changes)


def _end_sessions(tools: Tools, connection: Connection, account_id: str, now: datetime) -> int:
    """End the sessions that came from FranceConnect, with the tokens born in them: what they rest on is gone."""
    ended = sessions.end_upstream(connection, account_id)
    if not ended:
        return 0
    tell(connection, ended, sealer=tools.sealer, now=now)
    tokens.revoke_families_of_sessions(connection, ended, now, ENDED_REASON)
    record(connection, SessionEnded(ENDED_REASON), now, actor=_ACTOR, account_id=account_id)
    return len(ended)


def _mail(
    tools: Tools, connection: Connection, account: Account, event: str, now: datetime, **more: object
) -> None:
    mail = Mail(account.email, event, account.language, {"at": now, **more})
    queue_mail(tools, connection, mail, account_id=account.account_id)
