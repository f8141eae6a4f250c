"""Queues mails in the transaction of what they tell; the worker delivers them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from idp.crypto.opaque import new_id
from idp.storage.repositories import outbox

if TYPE_CHECKING:
    from idp.crypto.opaque import Sealer
    from idp.services.context import Clock, Context
    from idp.storage.engine import Connection

#: A notice is worth delivering for so long after an outage; a code or a link, no longer than it lives.
NOTICE_LIFETIME = timedelta(days=3)
#: The mail that warns of a deletion: alone among mails it is not sent once the account has been used again.
LIFE_CYCLE_WARNING = "life_cycle_warning"


class Sender(Protocol):
    """What queueing takes: a `Context` has it, and so have the tools of a command line."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def sealer(self) -> Sealer:
        """Encrypts what must be read back."""


class Mail(msgspec.Struct, frozen=True):
    """A mail that waits: which event it tells, to whom, in which language."""

    to: str
    event: str
    language: str
    variables: dict[str, Any]


def queue_mail(
    sender: Sender,
    connection: Connection,
    mail: Mail,
    *,
    account_id: str | None,
    lifetime: timedelta = NOTICE_LIFETIME,
    is_wanted: bool = True,
) -> str:
    """Queue a mail; sealed at rest, for it may carry a link that opens an account.

    Args:
        sender: The parts.
        connection: The transaction of what the mail tells.
        mail: What to send; `event` is a template of `templates/mail`.
        account_id: Whose it is, so that deleting the account drops it.
        lifetime: Past it, the mail is no longer worth sending.
        is_wanted: False does the same work and queues nothing, so that time does not tell who has an account.

    Returns:
        The identifier of the message; it stands in the Message-ID of the mail.
    """
    now = sender.clock()
    message_id = new_id(now)
    outbox.add(
        connection,
        message_id=message_id,
        kind="mail",
        payload=sender.sealer.seal(msgspec.json.encode(mail), bound_to=message_id),
        account_id=account_id,
        now=now,
        expires_at=now + lifetime,
        is_wanted=is_wanted,
    )
    return message_id


def opened_mail(context: Context, message_id: str, payload: str) -> Mail:
    """Unseal a queued mail for its delivery."""
    return msgspec.json.decode(context.sealer.unseal(payload, bound_to=message_id), type=Mail)
