"""Writes what FranceConnect certifies to an account: at each login, and when the two are linked (FC-2, FC-3, ACC-6).

Every function works in the transaction of its caller, checks before it writes, and answers a conflict as a
value. Where only the database could see the other writer, it raises `LostRace`: the caller's transaction is
undone, and its second try finds the conflict by looking.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from idp.crypto.opaque import new_id
from idp.domain.civil_identity import (
    GIVEN_NAMES,
    PARTIAL_BIRTHDATE,
    civil_identity,
    is_locked,
    is_same_birthdate,
)
from idp.domain.errors import DomainError
from idp.domain.events import FranceConnectLinked, FranceConnectRefreshed
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in.held_identity import FRANCE, pivot_hash
from idp.storage.repositories import attributes, franceconnect
from idp.storage.repositories.franceconnect import Link

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.account import Account
    from idp.domain.civil_identity import Attribute, Change, CivilIdentity
    from idp.services.context import Context
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.storage.engine import Connection


class Conflict(StrEnum):
    """Why an identity and an account don't come together."""

    #: The identity belongs to another account.
    LINKED_ELSEWHERE = "linked_elsewhere"
    #: Another account certifies the same pivot identity under another subject: nothing is merged.
    IDENTITY_TAKEN = "identity_taken"
    #: An account certifies the same pivot identity through the other portal: nothing is guessed.
    OTHER_PORTAL = "other_portal"
    #: The account belongs to somebody else's identity.
    ALREADY_LINKED = "already_linked"
    #: The same subject comes with other birth data, which FranceConnect never does.
    BIRTH_DATA_CHANGED = "birth_data_changed"


class LostRace(DomainError):
    """Another transaction was first; this one must be undone and tried again."""


def refresh(
    context: Context, connection: Connection, account: Account, link: Link, held: HeldIdentity
) -> Conflict | None:
    """Bring the certified values of a linked account up to date (FC-3).

    Raises:
        LostRace: The link ended meanwhile.
    """
    now = context.clock()
    # Other logins of the same person wait from here on.
    links = franceconnect.hold_links(connection, account.account_id)
    if link.link_id not in {one.link_id for one in links}:
        raise LostRace
    current = attributes.read(connection, account.account_id)
    if is_locked(current) and _birth_data_differ(current, held):
        _tell(context, connection, account, "franceconnect_blocked", now)
        return Conflict.BIRTH_DATA_CHANGED
    if not _certify_pivot(context, connection, account.account_id, links, held):
        return Conflict.IDENTITY_TAKEN
    if not franceconnect.touch_link(connection, link.link_id, held.level, now):
        raise LostRace
    changed = _spoken_of(_certify(connection, account.account_id, current, held, now))
    if changed:
        record(connection, FranceConnectRefreshed(changed), now, account_id=account.account_id)
        _tell(context, connection, account, "franceconnect_identity_changed", now, changed=list(changed))
    return None


def attach(context: Context, connection: Connection, account: Account, held: HeldIdentity) -> Conflict | None:
    """Link an identity to an account, both proven by the caller, and certify the account with it (ACC-6).

    A link to an identity that was the same person's under another civil status is replaced, and kept as history.
    What the account has at the other portal stays.

    Raises:
        LostRace: Another transaction linked the identity or the account meanwhile.
    """
    links = wait_for_turn(context, connection, account.account_id, held)
    conflict = conflict_of(context, connection, account.account_id, held)
    if conflict is not None:
        return conflict
    present = next((link for link in links if link.provider == held.provider), None)
    if present is not None and present.upstream_subject == held.subject:
        return refresh(context, connection, account, present, held)
    now = context.clock()
    if present is not None and not franceconnect.end_link(
        connection, present.link_id, "subject_changed", now
    ):
        raise LostRace
    pivot = pivot_hash(context, held.civil)
    link = Link(new_id(now), account.account_id, held.subject, pivot, held.provider)
    if not franceconnect.create_link(connection, link, now, level=held.level):
        raise LostRace
    if not _certify_pivot(context, connection, account.account_id, links, held):
        raise LostRace
    current = attributes.read(connection, account.account_id)
    _certify(connection, account.account_id, current, held, now)
    record(connection, FranceConnectLinked(), now, account_id=account.account_id)
    return None


def wait_for_turn(
    context: Context, connection: Connection, account_id: str, held: HeldIdentity
) -> tuple[Link, ...]:
    """Have other links of this account, and of this person, wait for the end of the transaction; give the account's.

    The account's links first, then the pivot, then the row of the account: whoever locks in another order waits for
    somebody who waits for them.
    """
    links = franceconnect.hold_links(connection, account_id)
    franceconnect.hold_pivot(connection, pivot_hash(context, held.civil))
    return links


def conflict_of(
    context: Context, connection: Connection, account_id: str, held: HeldIdentity
) -> Conflict | None:
    """Tell why an identity can't be linked to an account, before anybody is asked to confirm."""
    by_subject = franceconnect.link_by_subject(connection, held.subject, held.provider)
    if by_subject is not None:
        return None if by_subject.account_id == account_id else Conflict.LINKED_ELSEWHERE
    if _is_anothers(connection, pivot_hash(context, held.civil), account_id):
        return Conflict.IDENTITY_TAKEN
    links = franceconnect.links_of_account(connection, account_id)
    if not links or is_same_person(context, connection, account_id, held):
        return None
    # A first name, a birth name, a gender change with civil status; day and place of birth do not (FC-3).
    current = attributes.read(connection, account_id)
    return Conflict.ALREADY_LINKED if _birth_data_differ(current, held) else None


def is_same_person(context: Context, connection: Connection, account_id: str, held: HeldIdentity) -> bool:
    """Tell whether another portal certifies the very same identity for this account."""
    pivot = pivot_hash(context, held.civil)
    links = franceconnect.links_of_account(connection, account_id)
    return any(link.pivot_hash == pivot and link.provider != held.provider for link in links)


def tell_linked(context: Context, connection: Connection, account: Account, now: datetime) -> None:
    """Tell the owner by mail that a FranceConnect identity was linked."""
    _tell(context, connection, account, "franceconnect_linked", now)


def tell_created(context: Context, connection: Connection, account: Account, now: datetime) -> None:
    """Tell the owner that an account was opened, and how a password can be had (PWD-7, PWD-8)."""
    forgotten_url = f"{context.issuer}/forgotten-password"
    _tell(context, connection, account, "franceconnect_account_created", now, forgotten_url=forgotten_url)


def _tell(
    context: Context, connection: Connection, account: Account, event: str, now: datetime, **more: object
) -> None:
    mail = Mail(account.email, event, account.language, {"at": now, **more})
    queue_mail(context, connection, mail, account_id=account.account_id)


def _certify(
    connection: Connection,
    account_id: str,
    current: Mapping[str, Attribute],
    held: HeldIdentity,
    now: datetime,
) -> tuple[Change, ...]:
    certified, changes = held.certify(current, now)
    blocked = attributes.write(
        connection, account_id, current, certified, changed_by="franceconnect", now=now
    )
    if blocked is not None:
        raise LostRace
    return changes


def _spoken_of(changes: tuple[Change, ...]) -> tuple[str, ...]:
    """Name what changed for the person: values, not who says so, nor what only stands beside another value."""
    return tuple(
        change.name
        for change in changes
        if change.name not in (GIVEN_NAMES, PARTIAL_BIRTHDATE)
        and _value(change.before) != _value(change.after)
    )


def _value(attribute: Attribute | None) -> str:
    return "" if attribute is None else attribute.value


def _certify_pivot(
    context: Context, connection: Connection, account_id: str, links: tuple[Link, ...], held: HeldIdentity
) -> bool:
    """Write the pivot that the account certifies now, wherever it is linked; False when another account has it."""
    pivot = pivot_hash(context, held.civil)
    if all(link.pivot_hash == pivot for link in links):
        return True
    franceconnect.hold_pivot(connection, pivot)
    if _is_anothers(connection, pivot, account_id):
        return False
    return franceconnect.set_pivot(connection, account_id, pivot)


def _is_anothers(connection: Connection, pivot: bytes, account_id: str) -> bool:
    return any(link.account_id != account_id for link in franceconnect.links_by_pivot(connection, pivot))


def _birth_data_differ(current: Mapping[str, Attribute], held: HeldIdentity) -> bool:
    known, came = civil_identity(current), held.civil
    return known.birthcountry != came.birthcountry or not (
        is_same_birthdate(known.birthdate, came.birthdate) and _is_same_birthplace(known, came)
    )


def _is_same_birthplace(known: CivilIdentity, came: CivilIdentity) -> bool:
    """Compare two places in one country; abroad one portal has a text where the other has nothing."""
    if known.birthcountry == FRANCE:
        return known.birthplace == came.birthplace
    return not (known.birthplace and came.birthplace) or known.birthplace == came.birthplace
