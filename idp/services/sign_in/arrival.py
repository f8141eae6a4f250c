"""What every way in ends with: a session, a known browser, the request that waited (LOG-3, LOG-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.events import SignedInEvent
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in.sessions import open_session
from idp.storage.repositories import pending_authorizations, sessions

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.domain.authentication import Authentication
    from idp.domain.session import Session
    from idp.services.context import Context
    from idp.services.sign_in.sessions import OpenedSession
    from idp.storage.engine import Connection

#: Says "password" or "franceconnect" in the mail about a new device, by the first method of the login.
_METHODS = {"pwd": "password", "fc": "franceconnect"}


@dataclass(frozen=True, slots=True)
class Visit:
    """The browser that somebody comes in with.

    Attributes:
        browser: What to call it in the list of sessions.
        device_hash: Hash of its device cookie; None when it has none.
        replaces: The session that it had.
        pending_id: The authorization request it is in; checked to be this browser's.
    """

    browser: str
    device_hash: bytes | None = None
    replaces: Session | None = None
    pending_id: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody came in.

    Attributes:
        account: Who.
        opened: The session, and its cookie.
        new_device: A device cookie for the browser that had none.
    """

    account: Account
    opened: OpenedSession
    new_device: str | None


def arrive(
    context: Context,
    connection: Connection,
    account: Account,
    authentication: Authentication,
    visit: Visit,
    *,
    upstream: str | None = None,
    upstream_id_token: str | None = None,
) -> Arrived:
    """Let a person in whose login was proven, in the transaction of that login.

    Args:
        context: The parts.
        connection: That transaction.
        account: Who, as before this login: who never signed in is not told of a new device.
        authentication: How.
        visit: The browser.
        upstream: The portal that the login came through, "franceconnect" or "franceconnect_plus"; else None.
        upstream_id_token: Its raw ID token.
    """
    opened = open_session(
        context,
        connection,
        account.account_id,
        authentication,
        browser=visit.browser,
        replaces=visit.replaces,
        upstream=upstream,
        upstream_id_token=upstream_id_token,
    )
    if visit.pending_id is not None:
        pending_authorizations.mark(
            connection, visit.pending_id, "authenticated_at", opened.session.authentication.at
        )
    new_device = _recognise(context, connection, account, authentication, visit)
    record(
        connection,
        SignedInEvent(authentication.methods),
        authentication.at,
        account_id=account.account_id,
    )
    return Arrived(account, opened, new_device)


def _recognise(
    context: Context, connection: Connection, account: Account, authentication: Authentication, visit: Visit
) -> str | None:
    """Remember the browser, and tell the owner by mail when it is a new one (LOG-5)."""
    given = new_secret(SecretKind.DEVICE) if visit.device_hash is None else None
    device_hash = digest(given) if given is not None else visit.device_hash
    now = authentication.at
    is_new = device_hash is not None and sessions.remember_device(
        connection, account.account_id, device_hash, now
    )
    if is_new and account.last_sign_in_at is not None:
        method = _METHODS[authentication.methods[0]]
        variables = {"at": now, "device": visit.browser, "method": method}
        mail = Mail(account.email, "new_device", account.language, variables)
        queue_mail(context, connection, mail, account_id=account.account_id)
    return given
