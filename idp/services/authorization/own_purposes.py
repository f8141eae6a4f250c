"""What a client does with a person's token about its own purposes (CON-3): it shows them, and brings answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from idp.domain.disclosure import Way
from idp.protocol.claims.standard import PURPOSES
from idp.services.authorization.purposes import AnsweredPurpose, answered, choose_within
from idp.services.tokens import opening
from idp.storage.repositories import consents, purposes

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.services.tokens.opening import Opened, PresentedToken
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class Listed:
    """What a client asks, and what the person of its token answered."""

    client: Client
    answered: list[AnsweredPurpose]


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer that a client brings.

    Attributes:
        name: Of the purpose.
        version: Of the words that the person read.
        language: Of those words.
        is_allowed: Yes or no.
    """

    name: str
    version: str
    language: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer was kept, or was that already."""

    client: Client
    answered: AnsweredPurpose


class Why(StrEnum):
    """Why an answer is not kept."""

    #: The client asks nothing of that name: it may be another's.
    UNKNOWN = "unknown"
    #: What the person read is not, or no longer, what the client declares.
    REWORDED = "reworded"
    #: The client does not declare it in that language.
    NOT_IN_LANGUAGE = "not_in_language"


@dataclass(frozen=True, slots=True)
class NotKept:
    """An answer was not kept."""

    client: Client
    why: Why


def read(context: Context, presented: PresentedToken) -> Listed:
    """List the purposes of the client that holds a token, with the answers of the token's person.

    Args:
        context: The parts.
        presented: The token, and the proof that goes with it.

    Raises:
        BearerError: As at UserInfo.
    """
    with context.database.read() as connection:
        opened = opening.find(context, connection, presented)
        listed = _listed(connection, opened)
    opening.check(context, presented, opened)
    if listed:
        whom = (opened.account_id, opened.client.client_id)
        context.disclosures.note(context.database, Way.API, whom, {PURPOSES: listed}, context.clock())
    return Listed(opened.client, listed)


def answer(context: Context, presented: PresentedToken, new: NewAnswer) -> Kept | NotKept:
    """Keep an answer that the person gave on the client's own page.

    Args:
        context: The parts.
        presented: The token, and the proof that goes with it.
        new: The answer.

    Raises:
        BearerError: As at UserInfo.
    """
    with context.database.read() as connection:
        opened = opening.find(context, connection, presented)
    opening.check(context, presented, opened)
    with context.database.write() as connection:
        # Found anew, behind whoever withdraws the consent or erases the account at this moment.
        consents.one_at_a_time(connection, opened.account_id)
        opened = opening.find(context, connection, presented)
        why = _refusal(opened.client, new)
        return NotKept(opened.client, why) if why is not None else _kept(context, connection, opened, new)


def _refusal(client: Client, new: NewAnswer) -> Why | None:
    purpose = client.purpose(new.name)
    if purpose is None:
        return Why.UNKNOWN
    if purpose.version != new.version:
        return Why.REWORDED
    return None if purpose.title.get(new.language) else Why.NOT_IN_LANGUAGE


def _kept(context: Context, connection: Connection, opened: Opened, new: NewAnswer) -> Kept:
    choose_within(
        context,
        connection,
        opened.account_id,
        opened.client,
        {new.name: new.is_allowed},
        language=new.language,
        channel="api",
        now=context.clock(),
    )
    listed = _listed(connection, opened)
    return Kept(opened.client, next(one for one in listed if one.purpose.name == new.name))


def _listed(connection: Connection, opened: Opened) -> list[AnsweredPurpose]:
    choices = purposes.of_person(connection, opened.account_id, opened.client.client_id)
    return answered(opened.client, choices)
