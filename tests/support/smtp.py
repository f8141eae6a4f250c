"""A real SMTP server on a free loopback port, which keeps what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.server import HOST, free_port


class Mailbox:
    """Keeps the messages that were delivered, and answers as a mail server may."""

    def __init__(self, port: int) -> None:
        self.host = HOST
        self.port = port
        self.messages: list[EmailMessage] = []
        # Set to an answer such as "451 try again" to have every message refused with it.
        self.refusal: str | None = None
        self._arrived = threading.Condition()

    # The name and the signature are aiosmtpd's.
    async def handle_DATA(  # noqa: N802 - the same
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take one message, or refuse it.

        Args:
            _server: Unused.
            _session: Unused.
            envelope: Sender, recipients and content.

        Returns:
            The answer of the server.
        """
        if self.refusal is not None:
            return self.refusal
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        """List the messages to one address, the oldest first.

        Args:
            address: As it stands in the `To` field.

        Returns:
            The messages delivered until now.
        """
        return [message for message in self.messages if address in str(message["To"])]

    def wait_for(self, address: str, count: int = 1, within_seconds: float = 60) -> EmailMessage:
        """Wait until an address has its messages; delivery runs in threads of its own.

        Args:
            address: As it stands in the `To` field.
            count: How many messages it must have.
            within_seconds: How long to wait at most.

        Returns:
            The latest message to this address.

        Raises:
            TimeoutError: When they have not come.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.to(address)) >= count, within_seconds):
                message = f"{address} has {len(self.to(address))} messages, not {count}"
                raise TimeoutError(message)
        return self.to(address)[-1]


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """Read one form of a message.

    Args:
        message: As delivered.
        kind: `plain` or `html`.

    Returns:
        The decoded text.

    Raises:
        LookupError: When the message has no such form.
    """
    part = message.get_body((kind,))
    if part is None:
        raise LookupError(kind)
    return str(part.get_content())


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Run a mail server while the block runs.

    Yields:
        Its mailbox, with the host and the port to send to.
    """
    mailbox = Mailbox(free_port())
    controller = Controller(mailbox, hostname=mailbox.host, port=mailbox.port, ready_timeout=60)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
