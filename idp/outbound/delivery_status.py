"""Reads what a mail server says of a mail that it could not deliver (RFC 3462, RFC 3464).

Such a report is written by strangers and easily forged: it can only make us keep an account, never delete one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

#: RFC 3464 section 2.3.3: the other actions are "delayed", "delivered", "relayed" and "expanded".
_FAILED: Final = "failed"
_MESSAGE_ID: Final = re.compile(r"<?([0-9a-hjkmnp-tv-z]{26})(?:@[^<>\s]*)?>?")


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail that was not delivered.

    Attributes:
        message_id: The message of the outbox that it was, when the report says so.
        address: To whom; None when the report does not say.
    """

    message_id: str | None
    address: str | None


def own_message_id(value: str) -> str | None:
    """Find the message of the outbox in a Message-ID, which begins with it; None when it is not one of ours."""
    found = _MESSAGE_ID.fullmatch(value.strip())
    return None if found is None else found[1]


def failures(raw: bytes) -> list[Failure]:
    """List the recipients that a delivery status notification gives up.

    Returns:
        Nothing when it is another mail, or one that says the mail is late or arrived.
    """
    parts = list(message_from_bytes(raw).walk())
    message_id = next((found for part in parts for found in _returned_ids(part)), None)
    return [
        Failure(message_id, _address(status))
        for part in parts
        if part.get_content_type() == "message/delivery-status"
        for status in _blocks(part)
        if _text(status, "Action").lower() == _FAILED
    ]


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if not isinstance(block, str)] if isinstance(payload, list) else []


def _returned_ids(part: Message) -> Iterator[str]:
    """Look into the third part of the report: the mail that was returned, or its headers (RFC 3462 section 1)."""
    kind = part.get_content_type()
    returned: list[Message] = []
    if kind == "message/rfc822":
        returned = _blocks(part)
    elif kind == "text/rfc822-headers":
        content = part.get_payload(decode=True)
        returned = (
            [message_from_string(content.decode("ascii", "replace"))] if isinstance(content, bytes) else []
        )
    for message in returned:
        found = own_message_id(_text(message, "Message-ID"))
        if found is not None:
            yield found


def _address(status: Message) -> str | None:
    """Read "rfc822; zoe@example.org": the address as we wrote it, if the server kept it (RFC 3464 section 2.3)."""
    for name in ("Original-Recipient", "Final-Recipient"):
        kind, _, address = _text(status, name).partition(";")
        if kind.strip().lower() in {"rfc822", "utf-8"} and address.strip():
            return address.strip().strip("<>")
    return None


def _text(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()
