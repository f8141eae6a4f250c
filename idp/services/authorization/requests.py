"""From a checked request to a code, or to the next thing the person must do (LOG-4).

A silent request, or one of a session that needs nothing, goes from parse to answer with three reads and one
write transaction, and never touches the pending table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.jwt import JWTRefused, verified_claims
from idp.crypto.opaque import SecretKind, new_secret
from idp.domain.civil_identity import Level
from idp.domain.pending_authorization import DIRECT, PENDING_LIFETIME, PendingAuthorization
from idp.protocol.authorization.interaction import (
    Ask,
    Facts,
    Proceed,
    Reason,
    Refuse,
    Step,
    decide,
    wanted_levels,
)
from idp.protocol.authorization.request import AuthorizationRequest, parse
from idp.protocol.claims.requested import NO_SHORTFALL, shortfall
from idp.protocol.claims.subject import subject_of
from idp.protocol.errors import ErrorCode
from idp.services.age import gate_of
from idp.services.authorization import conditions, grants, request_objects
from idp.services.authorization.situation import Situation
from idp.services.sign_in.portals import reachable_levels
from idp.services.sign_in.sessions import find_for_client
from idp.storage.repositories import (
    attributes,
    consents,
    pending_authorizations,
    sessions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.domain.pending_authorization import RequestOrigin
    from idp.protocol.authorization.response_mode import AuthorizationResponse
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.attributes import StoredAttribute

#: Level of what we say ourselves: the language, the latest change.
_OWN_LEVEL = 100
#: The request stands elsewhere, or in what the client signed (RFC 9101 section 5, RFC 9126 section 4).
_CARRIERS = frozenset({"request", "request_uri"})


@dataclass(frozen=True, slots=True)
class Answered:
    """The request is answered: this goes to the client."""

    response: AuthorizationResponse
    client: Client


@dataclass(frozen=True, slots=True)
class Asked:
    """A page comes first; the request waits under this identifier."""

    pending_id: str
    step: Step
    reason: Reason
    client: Client


Outcome = Answered | Asked


def begin(
    context: Context,
    pairs: Iterable[tuple[str, str]],
    *,
    session_cookie: str | None,
    browser_hash: Callable[[], bytes],
) -> Outcome:
    """Decide a request that has just arrived.

    Args:
        context: The parts.
        pairs: Parameters as received, in order.
        session_cookie: The browser's session cookie.
        browser_hash: Names this browser, which the request is bound to if it must wait; called only then.

    Returns:
        The answer; or the page to show first.

    Raises:
        DirectError: Client or redirect URI not proven.
        RedirectedError: The client must hear that something is wrong.
    """
    received, origin = list(pairs), DIRECT
    if any(name in _CARRIERS for name, _ in received):
        resolved = request_objects.resolve(context, received)
        received, origin = resolved.pairs, resolved.origin
    with context.database.read() as connection:
        situation = _read(context, connection, received, origin, session_cookie)
    return _decided(context, situation, session_cookie, browser_hash)


def resume(context: Context, pending: PendingAuthorization, *, session_cookie: str | None) -> Outcome:
    """Decide again a request that waited, after the person did something.

    Raises:
        DirectError: The client was disabled or changed meanwhile.
        RedirectedError: The client must hear that something is wrong.
    """
    with context.database.read() as connection:
        situation = _read_again(context, connection, pending, session_cookie)
    return _decided(context, situation, session_cookie, None)


def situation_of(context: Context, pending: PendingAuthorization, *, session_cookie: str | None) -> Situation:
    """Read what a page of the way shows: the request, the person, what they allow."""
    with context.database.read() as connection:
        return _read_again(context, connection, pending, session_cookie)


def missing_claims(
    context: Context, pending: PendingAuthorization, *, session_cookie: str | None
) -> tuple[str, ...]:
    """Name what the service of a waiting request can't do without, and nothing is known of (CON-1).

    Raises:
        DirectError: The client was disabled or changed meanwhile.
        RedirectedError: The client must hear that something is wrong.
    """
    situation = situation_of(context, pending, session_cookie=session_cookie)
    return shortfall(situation.client, situation.request.asked, levels_of(situation.known)).missing


def find_pending(context: Context, pending_id: str, *, browser_hash: bytes) -> PendingAuthorization | None:
    """Find a waiting request of this browser; None when unknown, another browser's, or expired."""
    with context.database.read() as connection:
        pending = pending_authorizations.find(connection, pending_id, browser_hash=browser_hash)
    return None if pending is None or context.clock() >= pending.expires_at else pending


def who_asked(context: Context, pending_id: str, *, browser_hash: bytes) -> Client | None:
    """Name the client of a request of this browser, past its time or not; None once it was purged."""
    with context.database.read() as connection:
        pending = pending_authorizations.find(connection, pending_id, browser_hash=browser_hash)
        return None if pending is None else context.clients.find(connection, pending.client_id)


def levels_wanted(context: Context, pending: PendingAuthorization) -> tuple[str, ...]:
    """Give the levels of which a waiting request demands one, or else would like one; none when it says nothing.

    Raises:
        DirectError: The client was disabled or changed meanwhile.
        RedirectedError: The client must hear that something is wrong.
    """
    return wanted_levels(situation_of(context, pending, session_cookie=None).request)


def mark(context: Context, pending: PendingAuthorization, step: str) -> None:
    """Write that the person passed a step of the way."""
    with context.database.write() as connection:
        pending_authorizations.mark(connection, pending.pending_id, step, context.clock())


def decision_of(context: Context, situation: Situation) -> Proceed | Ask | Refuse:
    """Say what comes next for a situation."""
    request, signed_in = situation.request, situation.signed_in
    subject = None if signed_in is None else _subject(context, request.client, signed_in.account)
    levels = levels_of(situation.known)
    facts = Facts(
        now=context.clock(),
        session=None if signed_in is None else signed_in.session,
        subject=subject,
        hinted_subject=_hinted_subject(context, request),
        consent=situation.consent,
        pending=situation.pending,
        terms_accepted=situation.terms_are_accepted,
        shortfall=NO_SHORTFALL if signed_in is None else shortfall(request.client, request.asked, levels),
        reachable_levels=reachable_levels(context),
        is_limited=signed_in is not None and signed_in.account.is_limited,
        age=situation.age,
        purposes_open=signed_in is not None and bool(situation.open_purposes),
    )
    return decide(request, facts)


def levels_of(known: Mapping[str, StoredAttribute]) -> dict[str, int]:
    """Say how sure each claim is that has a value, those included that are made of others."""
    levels = {name: attribute.level for name, attribute in known.items()}
    parts = [levels[name] for name in ("given_name", "preferred_username", "family_name") if name in levels]
    if parts:
        levels["name"] = min(parts)
        levels["updated_at"] = _OWN_LEVEL
    # The login address is proven by our own mail (ACC-4).
    return levels | {"email": Level.PROVEN, "locale": _OWN_LEVEL}


def _read_again(
    context: Context, connection: Connection, pending: PendingAuthorization, session_cookie: str | None
) -> Situation:
    return _read(
        context, connection, pending.parameters.items(), pending.origin, session_cookie, pending=pending
    )


def _read(
    context: Context,
    connection: Connection,
    pairs: Iterable[tuple[str, str]],
    origin: RequestOrigin,
    session_cookie: str | None,
    *,
    pending: PendingAuthorization | None = None,
) -> Situation:
    request = parse(
        pairs, lambda client_id: context.clients.find(connection, client_id), context.clock(), origin
    )
    found = find_for_client(context, connection, session_cookie, request.client.client_id)
    if found is None:
        return Situation(request, None, None, {}, pending)
    account_id = found.signed_in.account.account_id
    known = attributes.of_account(connection, account_id)
    age = gate_of(context, connection, request.client, account_id, known)
    return Situation(
        request,
        found.signed_in,
        found.consent,
        known,
        pending,
        found.terms_are_accepted,
        age.gate,
        conditions.choices(connection, request.client, account_id),
        age.permission_id,
    )


def _decided(
    context: Context,
    situation: Situation,
    session_cookie: str | None,
    browser_hash: Callable[[], bytes] | None,
) -> Outcome:
    match decision_of(context, situation):
        case Refuse(code, reason):
            grants.use_up(context, situation.request)
            raise situation.request.refusal(code, reason=reason)
        case Ask(step, reason):
            if situation.pending is not None:
                return Asked(situation.pending.pending_id, step, reason, situation.client)
            if browser_hash is None:
                raise AssertionError("a request that waited has its row")
            return Asked(_wait(context, situation, browser_hash()), step, reason, situation.client)
        case Proceed():
            answered = _answered(context, situation)
    if answered is not None:
        return answered
    # Signed out, or withdrawn, since it was read: what is true now decides.
    request = situation.request
    with context.database.read() as connection:
        again = _read(
            context,
            connection,
            request.parameters.items(),
            request.origin,
            session_cookie,
            pending=situation.pending,
        )
    return _decided(context, again, session_cookie, browser_hash)


def _answered(context: Context, situation: Situation) -> Answered | None:
    signed_in, consent = situation.signed_in, situation.consent
    if signed_in is None:
        raise AssertionError("nobody is signed in, and nothing was asked")
    with context.database.write() as connection:
        if not sessions.hold(connection, signed_in.session.session_id):
            return None
        # Before the consent: in the order in which a withdrawal takes them.
        if not conditions.hold(connection, situation):
            return None
        if consent is not None and not consents.hold(connection, consent.consent_id):
            return None
        granted = grants.grant(context, connection, situation, signed_in, consent)
    return Answered(grants.answer(context, situation, granted), situation.client)


def _wait(context: Context, situation: Situation, browser_hash: bytes) -> str:
    now = context.clock()
    pending = PendingAuthorization(
        pending_id=new_secret(SecretKind.PENDING),
        client_id=situation.client.client_id,
        parameters=dict(situation.request.parameters),
        created_at=now,
        expires_at=now + PENDING_LIFETIME,
        origin=situation.request.origin,
    )
    with context.database.write() as connection:
        pending_authorizations.create(connection, pending, browser_hash=browser_hash)
    return pending.pending_id


def _subject(context: Context, client: Client, account: Account) -> str:
    return subject_of(client, account.account_id, context.derived.pairwise)


def _hinted_subject(context: Context, request: AuthorizationRequest) -> str | None:
    """Read `id_token_hint`: ours, made for this client; an expired one is accepted (OIDC Core 3.1.2.1)."""
    if request.id_token_hint is None:
        return None
    try:
        claims = verified_claims(request.id_token_hint, context.keys.keyring().public_keys())
    except JWTRefused as error:
        raise request.refusal(ErrorCode.INVALID_REQUEST, reason=f"id_token_hint: {error}") from error
    # Signed answers of UserInfo have the same issuer and audience, and no auth_time (S-55).
    if (
        claims.get("iss") != context.issuer
        or claims.get("aud") != request.client.client_id
        or "auth_time" not in claims
    ):
        raise request.refusal(
            ErrorCode.INVALID_REQUEST, reason="id_token_hint of another issuer, client or kind"
        )
    return str(claims.get("sub"))
