"""Clients that register and manage themselves (RFC 7591, RFC 7592; OIDC Registration 3, 4; OID-7)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_id, new_secret
from idp.domain.client import CERTIFICATE_METHODS, RegistrationMode
from idp.domain.errors import ThrottledUntil
from idp.domain.events import ClientChanged
from idp.domain.throttle import ThrottlePolicy, network_of
from idp.protocol.authorization.response_type import is_in_front
from idp.protocol.clients.metadata import MetadataProblem, problems
from idp.protocol.clients.registration import ANSWER_MEMBERS, Unreadable, read
from idp.protocol.errors import ErrorCode
from idp.services.audit import record
from idp.services.clients.registry import changed_fields, rules_of
from idp.services.clients.secrets import has_secret, issue, keep_secret, needs_secret
from idp.services.clients.sectors import sector_problems
from idp.services.sign_in.throttling import Brake, count
from idp.storage.repositories import clients, registrations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.protocol.clients.metadata import Rules
    from idp.services.context import Context

_ACTOR: Final = "client"
#: Where anybody may register: enough for tests of every kind, and not enough to fill a disk in a week.
_PER_NETWORK: Final = ThrottlePolicy(
    free_failures=60, window=timedelta(minutes=1), long_limit=4000, cleared_by_success=False
)


@dataclass(frozen=True, slots=True)
class SelfRegistered:
    """A client that registered itself, as it is now stored.

    Attributes:
        client: As stored.
        token: By which it manages its registration (RFC 7592).
        secret: A new secret, in clear for the only time; None when none was made.
    """

    client: Client
    token: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was stored: this is wrong, all at once."""

    problems: tuple[MetadataProblem, ...]

    @property
    def code(self) -> ErrorCode:
        """Say it in a word (RFC 7591 section 3.2.2)."""
        if any(problem.field == "redirect_uris" for problem in self.problems):
            return ErrorCode.INVALID_REDIRECT_URI
        return ErrorCode.INVALID_CLIENT_METADATA

    def __str__(self) -> str:
        """Say everything in a sentence for the developer; it holds nothing of what was sent."""
        return "; ".join(f"{problem.field} {problem.message}" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The token opens nothing here, or there is none."""


@dataclass(frozen=True, slots=True)
class ChangedMeanwhile:
    """Nothing was stored: the client was changed at the same moment."""


def admit(context: Context, initial_token: str | None, address: str) -> NotAllowed | ThrottledUntil | None:
    """Say whether somebody may register a client, before anything that they sent is looked at.

    Args:
        context: The parts.
        initial_token: As received, if any.
        address: Whose network is counted where anybody may register.

    Returns:
        None when they may; nothing of a token is used up by it.
    """
    now = context.clock()
    if context.registration.mode is RegistrationMode.OPEN:
        brake = Brake("registration+network", network_of(address), _PER_NETWORK)
        with context.database.write() as connection:
            decision = count(context, connection, (brake,), now)
        return decision if isinstance(decision, ThrottledUntil) else None
    token_hash = _hash_of(SecretKind.INITIAL_ACCESS, initial_token)
    if token_hash is None:
        return NotAllowed()
    with context.database.read() as connection:
        opens = registrations.initial_token_opens(connection, token_hash, now)
    return None if opens else NotAllowed()


def register(
    context: Context, members: Mapping[str, object], initial_token: str | None
) -> SelfRegistered | Rejected | NotAllowed:
    """Register a client that was admitted, in one transaction that uses its token up (RFC 7591 section 3).

    Args:
        context: The parts.
        members: What it says of itself.
        initial_token: As received; used where one is needed.
    """
    now = context.clock()
    client = read(members, context.registration)
    if isinstance(client, Unreadable):
        return Rejected(client.problems)
    client = replace(client, client_id=new_id(now), created_at=now)
    found = _problems(context, client)
    if found:
        return Rejected(found)
    secret = issue(context.sealer, client, now) if needs_secret(client) else None
    stored = client if secret is None else replace(client, secrets=(secret.kept,))
    token = new_secret(SecretKind.REGISTRATION_ACCESS)
    with context.database.write() as connection:
        if context.registration.mode is not RegistrationMode.OPEN:
            token_hash = _hash_of(SecretKind.INITIAL_ACCESS, initial_token)
            if token_hash is None or registrations.use_initial_token(connection, token_hash, now) is None:
                return NotAllowed()
        clients.create(connection, stored)
        registrations.add_registration(connection, stored.client_id, digest(token), now)
        record(connection, ClientChanged("created"), now, actor=_ACTOR, client_id=stored.client_id)
    return SelfRegistered(stored, token, None if secret is None else secret.clear)


def find(context: Context, client_id: str, token: str | None) -> SelfRegistered | NotAllowed:
    """Read the client that a token manages (RFC 7592 section 2.1); nothing for one that was closed."""
    token_hash = _hash_of(SecretKind.REGISTRATION_ACCESS, token)
    if token is None or token_hash is None:
        return NotAllowed()
    with context.database.read() as connection:
        if registrations.managed_client(connection, token_hash) != client_id:
            return NotAllowed()
        client = clients.by_id(connection, client_id)
    if client is None or client.disabled_at is not None:
        return NotAllowed()
    return SelfRegistered(client, token)


def change(
    context: Context, present: SelfRegistered, members: Mapping[str, object]
) -> SelfRegistered | Rejected | ChangedMeanwhile:
    """Replace everything that a client registered (RFC 7592 section 2.2): what is left out goes.

    Args:
        context: The parts.
        present: What `find` gave for the client's token.
        members: What it says of itself now.
    """
    now = context.clock()
    before = present.client
    changed = read(members, context.registration, before)
    unreadable = changed.problems if isinstance(changed, Unreadable) else ()
    found = (*_foreign(before, members, context), *unreadable)
    if found or isinstance(changed, Unreadable):
        return Rejected(found)
    candidate = changed if needs_secret(changed) else replace(changed, secrets=())
    found = _problems(context, candidate)
    if found:
        return Rejected(found)
    is_new = needs_secret(candidate) and not has_secret(candidate, now)
    secret = issue(context.sealer, candidate, now) if is_new else None
    with context.database.write() as connection:
        if not clients.replace(connection, candidate):
            return ChangedMeanwhile()
        keep_secret(connection, candidate, secret, now)
        event = ClientChanged("updated", changed_fields(before, candidate))
        record(connection, event, now, actor=_ACTOR, client_id=before.client_id)
    return SelfRegistered(candidate, present.token, None if secret is None else secret.clear)


def remove(context: Context, present: SelfRegistered) -> None:
    """Erase a client with its consents, its tokens and the token that manages it (RFC 7592 section 2.3)."""
    client_id = present.client.client_id
    with context.database.write() as connection:
        if clients.remove(connection, client_id):
            event = ClientChanged("deleted")
            record(connection, event, context.clock(), actor=_ACTOR, client_id=client_id)


def _problems(context: Context, client: Client) -> tuple[MetadataProblem, ...]:
    return problems(client, _rules(context)) or sector_problems(context, client)


def _rules(context: Context) -> Rules:
    usual = rules_of(context)
    types = usual.response_types
    if not context.registration.legacy_response_types:
        types = tuple(text for text in types if not is_in_front(text))
    methods = usual.authentication_methods
    if not context.mutual_tls.is_on:
        methods = tuple(method for method in methods if method not in CERTIFICATE_METHODS)
    return replace(usual, response_types=types, authentication_methods=methods)


def _foreign(client: Client, members: Mapping[str, object], context: Context) -> tuple[MetadataProblem, ...]:
    """Say what shows that a change is meant for another client, or is the answer sent back unread."""
    found = [MetadataProblem(name, "must not be sent back") for name in ANSWER_MEMBERS if name in members]
    if members.get("client_id") != client.client_id:
        found.append(MetadataProblem("client_id", "must be the client's own"))
    secret = members.get("client_secret")
    if secret is not None and not _is_secret_of(client, secret, context):
        # RFC 7592 section 2.2: "the value of this field MUST match the currently issued client secret".
        found.append(MetadataProblem("client_secret", "must be the present one, or be left out"))
    return tuple(found)


def _is_secret_of(client: Client, secret: object, context: Context) -> bool:
    if not isinstance(secret, str):
        return False
    presented, now = digest(secret), context.clock()
    return any(presented == one.secret_hash for one in client.secrets if one.is_live(now))


def _hash_of(kind: SecretKind, token: str | None) -> bytes | None:
    return digest(token) if token is not None and is_well_formed(kind, token) else None
