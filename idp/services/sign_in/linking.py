"""Links the identity that waits to the account whose password is known: proof of both sides (FC-3, FC-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.domain.authentication import Authentication
from idp.services.sign_in import password
from idp.services.sign_in.arrival import Arrived, arrive
from idp.services.sign_in.certification import attach, conflict_of, tell_linked, wait_for_turn
from idp.services.sign_in.federated import SignedIn, let_in
from idp.services.sign_in.journeys import (
    Reason,
    Refused,
    Way,
    held,
    held_within,
    refused_for,
    retried,
    way_of,
)
from idp.storage.repositories import franceconnect
from idp.storage.repositories.franceconnect import Purpose

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.services.sign_in.arrival import Visit
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.storage.engine import Connection
    from idp.storage.repositories.franceconnect import Journey


@dataclass(frozen=True, slots=True)
class ToCompare:
    """The password was right, and the account is linked to this person under another subject: compare, then confirm.

    The session is open, by the password alone.
    """

    arrived: Arrived
    way: Way


Outcome = SignedIn | ToCompare | password.Refused | password.Throttled | Refused


def link_with_password(
    context: Context,
    email: str,
    typed_password: str,
    *,
    address: str,
    browser_hash: bytes,
    visit: Visit,
) -> Outcome:
    """Link the identity that waits here to the account whose password is known.

    Args:
        context: The parts.
        email: As typed.
        typed_password: As typed; tries are counted as at sign-in (LOG-2).
        address: The visitor's IP address.
        browser_hash: This browser.
        visit: The browser, for the session.
    """
    way = Way(visit.pending_id)
    if held(context, Purpose.SIGN_IN, visit.pending_id, browser_hash) is None:
        return Refused(Reason.EXPIRED, way)
    checked = password.check(context, email, typed_password, address=address, device_hash=visit.device_hash)
    if not isinstance(checked, password.Checked):
        return checked

    def link(connection: Connection) -> Outcome:
        found = held_within(context, connection, Purpose.SIGN_IN, visit.pending_id, browser_hash)
        if found is None:
            return Refused(Reason.EXPIRED, way)
        journey, came = found
        account = checked.credential.account
        wait_for_turn(context, connection, account.account_id, came)
        if not password.confirm(context, connection, checked, context.clock()):
            return password.Refused()
        present = franceconnect.link_of_account(connection, account.account_id, came.provider)
        if present is not None and present.upstream_subject != came.subject:
            return _to_compare(
                context, connection, account, found=found, browser_hash=browser_hash, visit=visit
            )
        if not franceconnect.release_identity(connection, journey.state_hash):
            return Refused(Reason.EXPIRED, way)
        conflict = attach(context, connection, account, came)
        if conflict is not None:
            return refused_for(context, connection, conflict, way, came, account_id=account.account_id)
        tell_linked(context, connection, account, context.clock())
        return SignedIn(let_in(context, connection, account, came, visit), way_of(journey))

    return retried(context, link)


def _to_compare(
    context: Context,
    connection: Connection,
    account: Account,
    *,
    found: tuple[Journey, HeldIdentity],
    browser_hash: bytes,
    visit: Visit,
) -> ToCompare | Refused:
    """Lead who is linked under another subject to the comparison: what the old link certified is about to change."""
    journey, came = found
    way, account_id = way_of(journey), account.account_id
    conflict = conflict_of(context, connection, account_id, came)
    if conflict is not None:
        franceconnect.release_identity(connection, journey.state_hash)
        return refused_for(context, connection, conflict, way, came, account_id=account_id)
    if not franceconnect.turn_into_link(connection, journey, account_id, browser_hash=browser_hash):
        return Refused(Reason.EXPIRED, way)
    by_password = Authentication.by_password(context.clock())
    return ToCompare(arrive(context, connection, account, by_password, visit), way)
