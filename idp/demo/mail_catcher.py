"""Catches mail: a real SMTP server, a page and a JSON list of messages; nothing is delivered.

| path                     | answers                                                       |
|--------------------------|---------------------------------------------------------------|
| `GET /messages`          | every message, the newest last; `?to=` keeps one recipient's  |
| `GET /messages/<id>`     | one message                                                   |
| `DELETE /messages`       | forgets them all                                              |
| `GET /`, `/lire/<id>`    | the same for people                                           |

A message is `{"id", "from", "to", "subject", "date", "text", "html", "links", "code"}`: `to` has the
recipients of the envelope, separated by ", ", `links` the addresses found in the text, `code` the
first number of six digits, or null.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from http import HTTPStatus
from threading import Lock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask, Response, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from idp.demo.pages import new_app
from idp.demo.provider_documents import utc_now

#: The oldest messages go first.
MAX_MESSAGES = 1000

_LINK = re.compile(r"https?://[^\s<>\"']+")
_HREF = re.compile(r"href=\"(https?://[^\"]+)\"", re.IGNORECASE)
_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_SPACED_CODE = re.compile(r"^\s*([0-9]{3})\s([0-9]{3})\s*$", re.MULTILINE)

# What a message may do in its frame: show itself, and open its links in another tab.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Message:
    """A message as it was received."""

    id: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    received_at: datetime
    text: str
    html: str

    @property
    def links(self) -> list[str]:
        """Find the addresses in the text, or in the HTML when there is no text."""
        if self.text:
            return [link.rstrip(".,;:!?)]»") for link in _LINK.findall(self.text)]
        return [unescape(link) for link in _HREF.findall(self.html)]

    @property
    def code(self) -> str | None:
        """Find a code of six digits, outside of the links."""
        text = _LINK.sub("", self.text)
        found = _CODE.search(text)
        if found is not None:
            return found[0]
        spaced = _SPACED_CODE.search(text)
        return None if spaced is None else spaced[1] + spaced[2]

    def as_json(self) -> dict[str, object]:
        """Write the message for programs."""
        return {
            "id": self.id,
            "from": self.sender,
            "to": ", ".join(self.recipients),
            "subject": self.subject,
            "date": self.received_at.isoformat(),
            "text": self.text,
            "html": self.html,
            "links": self.links,
            "code": self.code,
        }


class Mailbox:
    """The messages caught, in memory."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = Lock()
        self._messages: deque[Message] = deque(maxlen=MAX_MESSAGES)
        self._last_id = 0

    def add(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep a message."""
        parsed = message_from_bytes(content, policy=policy.default)
        with self._lock:
            self._last_id += 1
            self._messages.append(
                Message(
                    self._last_id,
                    sender,
                    tuple(recipients),
                    str(parsed.get("Subject", "")),
                    self._clock(),
                    _body(parsed, "plain"),
                    _body(parsed, "html"),
                ),
            )

    def messages(self, recipient: str | None = None) -> list[Message]:
        """List the messages, the newest last; of one recipient, whatever the case."""
        with self._lock:
            kept = list(self._messages)
        if recipient is None:
            return kept
        wanted = recipient.casefold()
        return [m for m in kept if wanted in (address.casefold() for address in m.recipients)]

    def message(self, message_id: int) -> Message | None:
        """Find a message."""
        return next((found for found in self.messages() if found.id == message_id), None)

    def clear(self) -> None:
        """Forget every message; their numbers are not used again."""
        with self._lock:
            self._messages.clear()


def _body(message: EmailMessage, kind: str) -> str:
    """Return one form of a message, readable even when its encoding is wrong."""
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        # Lines end as in Python, not as on the wire.
        text = str(part.get_content()).replace("\r\n", "\n")
        return _joined(text) if part.get_param("format") == "flowed" else text
    except (LookupError, UnicodeError):
        raw = part.get_payload(decode=True)
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _joined(text: str) -> str:
    """Put lines together again that were broken for the way only (RFC 3676 section 4)."""
    unstuffed = re.sub(r"^ ", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<!^--) \n", " ", unstuffed, flags=re.MULTILINE)


@dataclass(frozen=True)
class MailCatcherSettings:
    """Settings of the mail catcher: the mailbox that its SMTP server and its pages share."""

    mailbox: Mailbox = field(default_factory=Mailbox)


class _Handler:
    """Puts what the SMTP server receives into the mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802 - The name is aiosmtpd's.
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
    ) -> str:
        """Take a message."""
        content = envelope.original_content or b""
        self._mailbox.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        return "250 Message caught"


def start_smtp(settings: MailCatcherSettings, host: str, port: int) -> Controller:
    """Start the SMTP server in a thread of its own; `stop()` ends it.

    Raises:
        OSError: When the port is taken.
    """
    controller = Controller(_Handler(settings.mailbox), hostname=host, port=port)
    controller.start()
    return controller


def create_app(settings: MailCatcherSettings) -> Flask:
    """Build the pages and the JSON list."""
    app = new_app(__name__)
    pages = _Pages(settings.mailbox)
    for path, view, methods in (
        ("/", pages.index, ["GET"]),
        ("/lire/<int:message_id>", pages.read, ["GET"]),
        ("/lire/<int:message_id>/html", pages.html, ["GET"]),
        ("/vider", pages.empty, ["POST"]),
    ):
        app.add_url_rule(path, view.__name__, view, methods=methods)
    app.add_url_rule("/messages", "messages", pages.messages, methods=["GET"])
    app.add_url_rule("/messages", "clear", pages.clear, methods=["DELETE"])
    app.add_url_rule("/messages/<int:message_id>", "message", pages.message, methods=["GET"])
    return app


class _Pages:
    """What the mail catcher answers over HTTP."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def _message(self, message_id: int) -> Message:
        message = self._mailbox.message(message_id)
        if message is None:
            abort(HTTPStatus.NOT_FOUND)
        return message

    def messages(self) -> ResponseReturnValue:
        """GET /messages."""
        return jsonify([m.as_json() for m in self._mailbox.messages(request.args.get("to"))])

    def message(self, message_id: int) -> ResponseReturnValue:
        """GET /messages/<id>."""
        return jsonify(self._message(message_id).as_json())

    def clear(self) -> ResponseReturnValue:
        """DELETE /messages."""
        self._mailbox.clear()
        return Response(status=HTTPStatus.NO_CONTENT)

    def index(self) -> ResponseReturnValue:
        """List the messages, the newest first."""
        wanted = request.args.get("to") or None
        found = self._mailbox.messages(wanted)
        return render_template("mail/index.html", messages=found[::-1], wanted=wanted or "")

    def read(self, message_id: int) -> ResponseReturnValue:
        """Show a message in both its forms."""
        return render_template("mail/message.html", message=self._message(message_id))

    def html(self, message_id: int) -> ResponseReturnValue:
        """Show the HTML form alone, in the frame of its page: it can run and load nothing."""
        body = '<base target="_blank">' + self._message(message_id).html
        answer = Response(body, mimetype="text/html")
        answer.headers["Content-Security-Policy"] = _FRAME_POLICY
        return answer

    def empty(self) -> ResponseReturnValue:
        """Forget every message, from the page's button."""
        self._mailbox.clear()
        return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
