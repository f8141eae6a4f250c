"""A parent's permission below the age that a service sets: asked by mail, answered, taken back (CON-7).

The link of the mail answers, once and in time; afterwards it shows what was answered and takes it back. Whoever
holds it holds the parent's mailbox: the child never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_id, new_secret
from idp.domain import email_address
from idp.domain.email_address import EmailAddress
from idp.domain.errors import ThrottledUntil
from idp.domain.events import PermissionChanged
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.domain.minimum_age import (
    AgeGate,
    Permission,
    PermissionState,
    first_name,
    is_own_address,
)
from idp.protocol.claims.subject import subject_of
from idp.protocol.errors import ErrorCode
from idp.services import ledger
from idp.services.age import gate_alone
from idp.services.audit import record
from idp.services.authorization import consents, grants
from idp.services.authorization.requests import Answered
from idp.services.authorization.responses import bring_error
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.storage.engine import retried
from idp.storage.repositories import accounts, attributes, clients, permissions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.services.authorization.consents import Shown
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

#: Where the link of the mail leads.
PAGE: Final = "/permission"


@dataclass(frozen=True, slots=True)
class Requested:
    """A mail is on its way to the parent."""

    permission: Permission


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """The address is the child's own."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many mails were asked for, or a parent said no lately: not before then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AlreadyGiven:
    """A parent has said yes meanwhile; nothing is asked."""


class LinkState(StrEnum):
    """What the parent's page has to show."""

    QUESTION = "question"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELED = "canceled"
    EXPIRED = "expired"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class ParentsView:
    """What the holder of a link may see.

    Attributes:
        state: What is to be shown.
        permission: That of the link.
        client: The service.
        child: The child's first name; None when none is known.
        others: What the same address permitted the same child elsewhere, and may take back here too.
    """

    state: LinkState
    permission: Permission
    client: Client
    child: str | None
    others: tuple[tuple[Permission, Client], ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for the trail.

    Attributes:
        kind: "parent" or "administrator".
        name: Of the administrator.
        reason: In the administrator's words.
    """

    kind: str
    name: str | None = None
    reason: str | None = None


_PARENT: Final = Actor("parent")


def latest(context: Context, account_id: str, client: Client) -> Permission | None:
    """Read where the permission of a child for a service stands."""
    with context.database.read() as connection:
        return permissions.latest(connection, account_id, client.client_id)


@retried
def ask(
    context: Context,
    account: Account,
    client: Client,
    address: EmailAddress,
    *,
    contract: Mapping[str, Any],
    language: str,
) -> Requested | OwnAddress | Wait | AlreadyGiven:
    """Mail a parent the question; a link that was mailed before for the same answers no more.

    Args:
        context: The parts.
        account: The child's.
        client: The service.
        address: Of the parent, as the child typed it.
        contract: What the service says, for the mail, in that language: "data", each a "label" and a "reason",
            and "retention".
        language: Of the page, and of the mail.
    """
    now, token = context.clock(), new_secret(SecretKind.LINK)
    account_id = account.account_id
    with context.database.write() as connection:
        # Two tabs of one child: the second one sees what the first one asked.
        permissions.alone(connection, account_id)
        known = attributes.of_account(connection, account_id)
        own = [account.email] + [known[name].value for name in ("email",) if name in known]
        if any(is_own_address(address, one) for one in own):
            return OwnAddress()
        standing = permissions.latest(connection, account_id, client.client_id)
        if standing is not None and standing.state is PermissionState.GIVEN:
            return AlreadyGiven()
        if standing is not None and not standing.may_be_asked_again(now):
            return Wait(standing.ask_again_at() or now)
        brakes = throttling.permission_brakes(context, canonical=address.canonical, account_id=account_id)
        counted = throttling.count(context, connection, brakes, now)
        if isinstance(counted, ThrottledUntil):
            return Wait(counted.when)
        permission = _replace(
            context, connection, account_id, client, address=address, token=token, language=language
        )
        given_names = known["given_name"].value if "given_name" in known else ""
        variables = {
            "child": first_name(given_names),
            "service": client.name,
            "minimum_age": client.minimum_age,
            "data": contract["data"],
            "retention": contract["retention"],
            "link": f"{context.issuer}{PAGE}?token={token}",
            "until": permission.expires_at,
        }
        mail = Mail(address.typed, "permission_asked", language, variables)
        queue_mail(context, connection, mail, account_id=account_id)
    return Requested(permission)


def turn_back(context: Context, situation: Situation) -> Answered:
    """Send the child back to the service without a permission: `access_denied` (CON-7)."""
    grants.use_up(context, situation.request)
    refusal = situation.request.refusal(ErrorCode.ACCESS_DENIED, reason="below the minimum age")
    return Answered(bring_error(context, refusal), situation.client)


def of_link(context: Context, token: str | None) -> ParentsView | None:
    """Read what the holder of a link may see; nothing changes, for programs that read mail follow links (S-272)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    with context.database.read() as connection:
        permission = permissions.by_token(connection, digest(token))
        return None if permission is None else _view(context, connection, permission)


@retried
def answer(context: Context, token: str, *, is_given: bool, shown: Shown) -> bool:
    """Take the parent's yes or no, enter it into the ledger and tell the child, all or nothing.

    Args:
        context: The parts.
        token: Of the mailed link.
        is_given: The answer.
        shown: What the parent answered to.

    Returns:
        False when the link answers no more: it has, it is past its time, or another was sent.
    """
    now = context.clock()
    state = PermissionState.GIVEN if is_given else PermissionState.REFUSED
    with context.database.write() as connection:
        asked = permissions.by_token(connection, digest(token))
        if asked is None or not permissions.alone(connection, asked.account_id):
            return False
        permission = permissions.answer(connection, digest(token), state, now)
        client = clients.by_id(connection, asked.client_id)
        if permission is None or client is None:
            return False
        act = Act.GIVEN if is_given else Act.REFUSED
        _enter(context, connection, permission, client, act=act, shown=shown)
        record(
            connection,
            PermissionChanged(state, permission.permission_id),
            now,
            actor=_PARENT.kind,
            account_id=permission.account_id,
            client_id=client.client_id,
        )
        _tell_child(context, connection, permission, client)
    return True


def withdraw_by_link(context: Context, token: str, permission_id: str, *, shown: Shown) -> bool:
    """Let a parent take back the permission of their link, or another one of theirs for the same child.

    Returns:
        False when it is not theirs, not given, or not needed any more: then the child decides alone.
    """
    view = of_link(context, token)
    if view is None:
        return False
    theirs = {permission.permission_id for permission, _ in view.others}
    if view.state is LinkState.GIVEN:
        theirs.add(view.permission.permission_id)
    if permission_id not in theirs:
        return False
    return withdraw(context, permission_id, shown=shown) is not None


@retried
def withdraw(tools: Tools, permission_id: str, *, shown: Shown, actor: Actor = _PARENT) -> Permission | None:
    """Take a permission back: consent and tokens end, service and child are told, all at once or nothing (CON-7).

    Args:
        tools: The parts.
        permission_id: Which one.
        shown: What they saw.
        actor: Who does.

    Returns:
        The permission; None when there is none to take back.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        known = permissions.find(connection, permission_id)
        if known is None or not permissions.alone(connection, known.account_id):
            return None
        # Before the consent, as whoever answers a request holds them: neither waits for the other for ever.
        permission = permissions.withdraw(connection, permission_id, now)
        client = clients.by_id(connection, known.client_id)
        if permission is None or client is None:
            return None
        _enter(tools, connection, permission, client, act=Act.WITHDRAWN, shown=shown)
        record(
            connection,
            PermissionChanged(PermissionState.WITHDRAWN, permission_id, actor.name, actor.reason),
            now,
            actor=actor.kind,
            account_id=permission.account_id,
            client_id=client.client_id,
        )
        consents.withdraw_within(
            tools,
            connection,
            permission.account_id,
            client,
            shown,
            reason="permission_withdrawn",
            actor=actor.kind,
        )
        _tell_child(tools, connection, permission, client)
    return permission


def _replace(
    context: Context,
    connection: Connection,
    account_id: str,
    client: Client,
    *,
    address: EmailAddress,
    token: str,
    language: str,
) -> Permission:
    now = context.clock()
    canceled = permissions.cancel_asked(connection, account_id, client.client_id, now)
    permission = Permission(
        permission_id=new_id(now),
        account_id=account_id,
        client_id=client.client_id,
        parent_email=address.typed,
        state=PermissionState.ASKED,
        asked_at=now,
        expires_at=now + context.permission_lifetime,
    )
    permissions.add(connection, permission, token_hash=digest(token), language=language)
    changes = [PermissionChanged(PermissionState.CANCELED, one) for one in canceled]
    for event in [*changes, PermissionChanged(PermissionState.ASKED, permission.permission_id)]:
        record(connection, event, now, account_id=account_id, client_id=client.client_id)
    return permission


def _view(context: Context, connection: Connection, permission: Permission) -> ParentsView | None:
    client = clients.by_id(connection, permission.client_id)
    if client is None:
        return None
    known = attributes.of_account(connection, permission.account_id)
    given_names = known["given_name"].value if "given_name" in known else ""
    return ParentsView(
        state=_link_state(context, connection, permission, client),
        permission=permission,
        client=client,
        child=first_name(given_names),
        others=_others(context, connection, permission),
    )


def _link_state(
    context: Context, connection: Connection, permission: Permission, client: Client
) -> LinkState:
    match permission.state:
        case PermissionState.ASKED | PermissionState.GIVEN if not _is_needed(
            context, connection, permission, client
        ):
            return LinkState.NOT_NEEDED
        case PermissionState.ASKED:
            is_open = context.clock() < permission.expires_at
            return LinkState.QUESTION if is_open else LinkState.EXPIRED
        case _:
            return LinkState(permission.state)


def _is_needed(context: Context, connection: Connection, permission: Permission, client: Client) -> bool:
    """Tell whether the child is still below the age: who has grown up decides alone."""
    gate = gate_alone(context, connection, client, permission.account_id)
    return gate is not AgeGate.OPEN


def _others(
    context: Context, connection: Connection, permission: Permission
) -> tuple[tuple[Permission, Client], ...]:
    parent = email_address.canonical(permission.parent_email)
    found = []
    for other in permissions.of_account(connection, permission.account_id):
        if other.permission_id == permission.permission_id or other.state is not PermissionState.GIVEN:
            continue
        client = clients.by_id(connection, other.client_id)
        if client is None or email_address.canonical(other.parent_email) != parent:
            continue
        if _is_needed(context, connection, other, client):
            found.append((other, client))
    return tuple(found)


def _enter(
    tools: Tools,
    connection: Connection,
    permission: Permission,
    client: Client,
    *,
    act: Act,
    shown: Shown,
) -> None:
    details: dict[str, Any] = {
        "permission_id": permission.permission_id,
        "minimum_age": client.minimum_age,
        "claims": sorted(use.name for use in client.claims),
    }
    entry = Entry(
        matter=Matter.PERMISSION,
        act=act,
        account_id=permission.account_id,
        subject=subject_of(client, permission.account_id, tools.pairwise),
        client_id=client.client_id,
        document=Document("policy", client.policy_version, client.policy_uri),
        words=shown.words,
        language=shown.language,
        channel=shown.channel,
        details=details,
    )
    ledger.enter(connection, entry, tools.clock())


def _tell_child(tools: Tools, connection: Connection, permission: Permission, client: Client) -> None:
    account = accounts.by_id(connection, permission.account_id)
    if account is None:
        return
    variables = {"service": client.name, "service_url": client.service_uri, "at": permission.answered_at}
    mail = Mail(account.email, f"permission_{permission.state}", account.language, variables)
    queue_mail(tools, connection, mail, account_id=account.account_id)
