"""Opens an account through FranceConnect, and links an existing one to it (ACC-2, ACC-6, FC-4, PWD-7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from idp.domain.civil_identity import PIVOT_ORDER, USAGE_NAME
from idp.services.account import signup
from idp.services.account.signup import AddressTaken, Gone
from idp.services.authorization import terms
from idp.services.sign_in.certification import LostRace, attach, conflict_of, tell_created, tell_linked
from idp.services.sign_in.federated import SignedIn, let_in
from idp.services.sign_in.held_identity import decoded, encoded
from idp.services.sign_in.journeys import (
    OpenSession,
    Reason,
    Refused,
    Way,
    held,
    held_within,
    refused_for,
    retried,
    way_of,
)
from idp.storage.repositories import accounts, attributes, franceconnect
from idp.storage.repositories.franceconnect import Purpose

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.domain.civil_identity import Attribute
    from idp.domain.email_address import EmailAddress
    from idp.domain.terms import TermsVersion
    from idp.services.context import Context
    from idp.services.sign_in.arrival import Arrived, Visit
    from idp.services.sign_in.held_identity import HeldIdentity
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class Compared:
    """One attribute, ours beside FranceConnect's (FC-4)."""

    name: str
    ours: str | None
    theirs: str | None

    @property
    def changes(self) -> bool:
        """Tell whether the value would be replaced."""
        return (self.ours or "") != (self.theirs or "")


def begin_signup(
    context: Context,
    email: EmailAddress,
    accepted: TermsVersion,
    *,
    browser_hash: bytes,
    address: str,
    language: str,
    pending_id: str | None,
    service_name: str | None,
) -> signup.Begun | signup.Throttled | Gone:
    """Send the code that proves the address; the identity and the acceptance wait with it (ACC-2, ACC-3).

    Args:
        context: The parts.
        email: The address, FranceConnect's or another: nobody has verified either.
        accepted: The terms whose box was ticked.
        browser_hash: This browser.
        address: The visitor's IP address.
        language: Of the mail, and of the account.
        pending_id: The authorization request that waits.
        service_name: Who sent it.
    """
    came = held(context, Purpose.SIGN_IN, pending_id, browser_hash)
    if came is None:
        return Gone()
    kept = msgspec.structs.replace(came, terms_version=accepted.version, terms_language=accepted.language)
    return signup.begin(
        context,
        email,
        browser_hash=browser_hash,
        address=address,
        language=language,
        pending_id=pending_id,
        service_name=service_name,
        franceconnect=encoded(kept),
    )


def finish_signup(
    context: Context, handle: str | None, browser_hash: bytes, *, visit: Visit
) -> Arrived | AddressTaken | Refused | Gone:
    """Open the account whose address is proven: account, certified identity, link, terms and session, or nothing.

    Args:
        context: The parts.
        handle: Of the sign-up, as the browser sent it.
        browser_hash: This browser.
        visit: The browser, for the session; its pending request is the one that the sign-up began in.

    Raises:
        NoTermsInForceError: There is nothing to accept.
    """
    known = signup.proven(context, handle, browser_hash)
    if handle is None or known is None or known.franceconnect is None:
        return Gone()
    came = decoded(known.franceconnect)
    accepted = _accepted(context, came, known.language)
    password_hash = context.passwords.generate()

    def open_account(connection: Connection) -> Arrived | AddressTaken | Refused | Gone:
        used = signup.consume(context, connection, handle, browser_hash)
        if used is None:
            return Gone()
        here = replace(visit, pending_id=used.pending_id)
        _forget(context, connection, used.pending_id, browser_hash)
        linked = _linked_account(context, connection, came)
        if isinstance(linked, Refused):
            return linked
        if linked is not None:
            # The same person was quicker in another tab: one identity, one account, and they are in it (ACC-6).
            return let_in(context, connection, linked, came, here)
        account = signup.create_account(
            context,
            connection,
            used,
            password_hash=password_hash,
            password_is_generated=True,
            language=used.language,
            accepted=accepted,
            way="franceconnect",
        )
        if account is None:
            return AddressTaken()
        return _certified(context, connection, account, came, here)

    return retried(context, open_account)


def comparison(
    context: Context, account_id: str, pending_id: str | None, browser_hash: bytes
) -> list[Compared] | None:
    """Put the account's identity beside the one that waits; None when none waits any more (FC-4)."""
    with context.database.read() as connection:
        found = held_within(context, connection, Purpose.LINK, pending_id, browser_hash)
        if found is None or found[0].account_id != account_id:
            return None
        ours = attributes.read(connection, account_id)
    theirs, _ = found[1].certify(ours, context.clock())
    names = [*PIVOT_ORDER, *([USAGE_NAME] if USAGE_NAME in theirs else [])]
    return [Compared(name, _value(ours, name), _value(theirs, name)) for name in names]


def confirm_link(
    context: Context, account: Account, pending_id: str | None, browser_hash: bytes, *, visit: Visit
) -> SignedIn | Refused:
    """Link the identity that waits to the account that is signed in; the person has seen what changes.

    The session is renewed at the level of FranceConnect, which has just vouched for the person.
    """

    def link(connection: Connection) -> SignedIn | Refused:
        way = Way(pending_id)
        found = held_within(context, connection, Purpose.LINK, pending_id, browser_hash)
        if found is None or found[0].account_id != account.account_id:
            return Refused(Reason.EXPIRED, way)
        journey, came = found
        if not franceconnect.release_identity(connection, journey.state_hash):
            return Refused(Reason.EXPIRED, way)
        conflict = attach(context, connection, account, came)
        if conflict is not None:
            return refused_for(context, connection, conflict, way, came, account_id=account.account_id)
        tell_linked(context, connection, account, context.clock())
        return SignedIn(let_in(context, connection, account, came, visit), way_of(journey))

    return retried(context, link)


def cancel(
    context: Context, purpose: Purpose, pending_id: str | None, browser_hash: bytes
) -> OpenSession | None:
    """Drop the identity that waits: the person said no.

    Returns:
        Their session at the portal, which is to end too; None when nothing waited.
    """
    with context.database.write() as connection:
        found = held_within(context, connection, purpose, pending_id, browser_hash)
        if found is None:
            return None
        franceconnect.release_identity(connection, found[0].state_hash)
    return OpenSession(found[1].provider, found[1].id_token)


def linked_portals(context: Context, account_id: str) -> tuple[str, ...]:
    """Name the portals that an account is linked at."""
    with context.database.read() as connection:
        return tuple(link.provider for link in franceconnect.links_of_account(connection, account_id))


def _certified(
    context: Context, connection: Connection, account: Account, came: HeldIdentity, visit: Visit
) -> Arrived:
    """Certify and link a new account; any conflict undoes the account too."""
    if attach(context, connection, account, came) is not None:
        raise LostRace
    tell_created(context, connection, account, context.clock())
    return let_in(context, connection, account, came, visit)


def _linked_account(context: Context, connection: Connection, came: HeldIdentity) -> Account | Refused | None:
    """Find the account of an identity that got one while its address was being proven."""
    link = franceconnect.link_by_subject(connection, came.subject, came.provider)
    if link is None:
        conflict = conflict_of(context, connection, "", came)
        return None if conflict is None else refused_for(context, connection, conflict, Way(), came)
    account = accounts.by_id(connection, link.account_id)
    if account is None or not account.is_active:
        return Refused(Reason.LOCKED, Way(), "locked", came.provider)
    return account


def _accepted(context: Context, came: HeldIdentity, language: str) -> TermsVersion:
    """Give the version whose box was ticked; a newer one is asked for at the next step (CGU-2)."""
    shown = None
    if came.terms_version is not None:
        shown = terms.find(context, came.terms_version, came.terms_language or language)
    return shown or terms.in_force(context, language)


def _forget(context: Context, connection: Connection, pending_id: str | None, browser_hash: bytes) -> None:
    found = held_within(context, connection, Purpose.SIGN_IN, pending_id, browser_hash)
    if found is not None:
        franceconnect.release_identity(connection, found[0].state_hash)


def _value(known: dict[str, Attribute], name: str) -> str | None:
    return known[name].value if name in known else None
