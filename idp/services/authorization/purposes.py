"""Keeps what people answer to the purposes of services, and tells the services at once (CON-3).

The same answer to the same wording changes nothing: no line, no event, and the date stays that of the answer.
An answer to an earlier wording is neither yes nor no to the present one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.domain.events import PurposeAnswered
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.domain.purposes import Choice, Purpose, UnknownPurpose, answer_to
from idp.protocol.claims.subject import subject_of
from idp.protocol.security_event import purpose_changed
from idp.services import ledger
from idp.services.audit import record
from idp.services.logout.security_events import EventNotice, announce
from idp.storage.repositories import consents, purposes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

_WORDS: Final = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class AnsweredPurpose:
    """A purpose, and what the person answered to its present wording; None is neither yes nor no."""

    purpose: Purpose
    choice: Choice | None


def choose_within(
    tools: Tools,
    connection: Connection,
    account_id: str,
    client: Client,
    choices: Mapping[str, bool],
    *,
    language: str,
    channel: str,
    now: datetime,
) -> None:
    """Keep answers in a transaction that does more, with their proof and the news to the service.

    Nothing is kept of an account that is gone meanwhile.

    Args:
        tools: The parts.
        connection: That transaction.
        account_id: Whose answers.
        client: Who asks.
        choices: Yes or no by the name of the purpose; those that are left out stay as they are.
        language: Of the words that were shown.
        channel: Where, as the ledger says it: "consent", "account", "api".
        now: When.

    Raises:
        UnknownPurpose: The service does not ask one of them; nothing is kept then.
    """
    asked = [(_declared(client, name), is_allowed) for name, is_allowed in choices.items()]
    if not asked or not consents.one_at_a_time(connection, account_id):
        return
    before = {choice.name: choice for choice in purposes.of_person(connection, account_id, client.client_id)}
    given = [
        _Given(purpose, Choice(purpose.name, purpose.version, is_allowed, now), before.get(purpose.name))
        for purpose, is_allowed in asked
    ]
    changed = [one for one in given if one.is_new]
    for one in changed:
        purposes.put(connection, account_id, client.client_id, one.choice)
    _Keeper(tools, connection, account_id, client, language, channel, now).keep(
        _Act(one.act, one.choice, one.purpose) for one in changed
    )


def choose(
    context: Context,
    account_id: str,
    client_id: str,
    choices: Mapping[str, bool],
    *,
    versions: Mapping[str, str],
    language: str,
    channel: str,
) -> None:
    """Keep answers at once.

    Args:
        context: The parts.
        account_id: Whose answers.
        client_id: Who asks.
        choices: Yes or no by the name of the purpose.
        versions: Of the words that were read, by the same names.
        language: Of the words that were shown.
        channel: Where.

    Raises:
        UnknownPurpose: There is no such service, it does not ask one of them, or not in the words that were read;
            nothing is kept then.
    """
    with context.database.write() as connection:
        client = context.clients.find(connection, client_id)
        if client is None:
            raise UnknownPurpose(next(iter(choices), ""))
        for name in choices:
            # In the transaction that keeps the answer: a rewording either comes before and is seen, or after.
            if _declared(client, name).version != versions.get(name):
                raise UnknownPurpose(name)
        now = context.clock()
        choose_within(
            context, connection, account_id, client, choices, language=language, channel=channel, now=now
        )


def of_service(context: Context, account_id: str, client: Client) -> list[AnsweredPurpose]:
    """List what a service asks, with the person's answers; nothing is read for one that asks nothing."""
    if not client.purposes:
        return []
    with context.database.read() as connection:
        choices = purposes.of_person(connection, account_id, client.client_id)
    return answered(client, choices)


def answered(client: Client, choices: tuple[Choice, ...]) -> list[AnsweredPurpose]:
    """Put answers beside what a service asks."""
    return [AnsweredPurpose(purpose, answer_to(purpose, choices)) for purpose in client.purposes]


def withdraw_all_within(
    tools: Tools,
    connection: Connection,
    account_id: str,
    client: Client,
    *,
    language: str,
    channel: str,
    now: datetime,
    actor: str = "person",
) -> None:
    """Take every answer away when the consent ends, in its transaction: each yes is withdrawn and told as a no.

    Args:
        tools: The parts.
        connection: The transaction in which the consent ends.
        account_id: Whose answers.
        client: Which service.
        language: Of the page or mail by which it ends.
        channel: Where.
        now: When.
        actor: Who ends it, for the trail: "person", "parent" or "administrator".
    """
    if not consents.one_at_a_time(connection, account_id):
        return
    removed = purposes.remove(connection, account_id, client.client_id)
    _Keeper(tools, connection, account_id, client, language, channel, now, actor).keep(
        _Act(
            Act.WITHDRAWN,
            Choice(one.name, one.version, is_allowed=False, changed_at=now),
            _worded(client, one),
        )
        for one in removed
        if one.is_allowed
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer, and the one that it comes after."""

    purpose: Purpose
    choice: Choice
    before: Choice | None

    @property
    def is_new(self) -> bool:
        """Tell whether it changes anything."""
        return self.before is None or not self.before.says(self.purpose, is_allowed=self.choice.is_allowed)

    @property
    def act(self) -> Act:
        """Name it for the ledger: a no after a yes takes it back."""
        if self.choice.is_allowed:
            return Act.GIVEN
        return Act.WITHDRAWN if self.before is not None and self.before.is_allowed else Act.REFUSED


@dataclass(frozen=True, slots=True)
class _Act:
    """An answer as it is proven: what was done, and the words that were shown, while they are known."""

    act: Act
    choice: Choice
    purpose: Purpose | None


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Writes the proof of answers of one person to one service, and tells the service."""

    tools: Tools
    connection: Connection
    account_id: str
    client: Client
    language: str
    channel: str
    now: datetime
    actor: str = "person"

    def keep(self, acts: Iterable[_Act]) -> None:
        """Write the ledger and the trail, and queue the events."""
        subject = subject_of(self.client, self.account_id, self.tools.pairwise)
        notices = []
        for one in acts:
            ledger.enter(self.connection, self._entry(one, subject), self.now)
            self._record(one.choice)
            notices.append(self._notice(one.choice, subject))
        if self.client.events_uri is not None:
            announce(self.connection, notices, sealer=self.tools.sealer, now=self.now)

    def _entry(self, one: _Act, subject: str) -> Entry:
        choice, purpose = one.choice, one.purpose
        recipients = [] if purpose is None else list(purpose.recipients)
        return Entry(
            matter=Matter.PURPOSE,
            act=one.act,
            account_id=self.account_id,
            subject=subject,
            client_id=self.client.client_id,
            document=Document(choice.name, choice.version, self.client.policy_uri),
            words=choice.name if purpose is None else "\n".join(purpose.words(self.language)),
            language=self.language if purpose is None else purpose.language(self.language),
            channel=self.channel,
            details={"answer": _WORDS[choice.is_allowed], "recipients": recipients},
        )

    def _record(self, choice: Choice) -> None:
        event = PurposeAnswered(choice.name, choice.version, _WORDS[choice.is_allowed])
        record(
            self.connection,
            event,
            self.now,
            actor=self.actor,
            account_id=self.account_id,
            client_id=self.client.client_id,
        )

    def _notice(self, choice: Choice, subject: str) -> EventNotice:
        at = int(self.now.timestamp())
        payload: dict[str, Any] = {
            "purpose": choice.name,
            "version": choice.version,
            "answer": choice.is_allowed,
            "updated_at": at,
        }
        event = purpose_changed(self.tools.issuer)
        return EventNotice(self.client.client_id, subject, event, payload, at)


def _declared(client: Client, name: str) -> Purpose:
    purpose = client.purpose(name)
    if purpose is None:
        raise UnknownPurpose(name)
    return purpose


def _worded(client: Client, choice: Choice) -> Purpose | None:
    """Find the words of an answer; None when they are not in use any more: the entry of the answer has them."""
    purpose = client.purpose(choice.name)
    return purpose if purpose is not None and choice.answers(purpose) else None
