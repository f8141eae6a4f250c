"""Writes mails from `templates/mail` and sends them over SMTP; a `Null` twin sends nothing.

Headers are made by `email.message.EmailMessage`, which refuses line breaks: no value can add a header or a
recipient (CWE-93).
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime as format_header_date
from email.utils import parseaddr
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    pass_context,
    select_autoescape,
)

from idp.domain import written_dates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2.runtime import Context as TemplateContext

Security = Literal["none", "starttls", "tls"]
_SUBJECT: Final = "Subject: "
#: RFC 5321 section 4.2.1: answers of this class say that the same command will fail again.
_PERMANENT: Final = 500
_OKAY: Final = 250
#: RFC 3676 section 4.2: lines of 78 characters at most, the space at their end included.
_WIDTH: Final = 76
#: RFC 3676 section 4.3: what is below it says who writes, and goes with no line above.
_SIGNATURE: Final = "-- "


class MailRefused(Exception):
    """This mail will never be delivered: the server said so for good, or it can't be written."""


class MailUnavailable(Exception):
    """The mail server can't take this mail now; later it may."""


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """A mail as it is sent, without its recipient.

    Attributes:
        subject: One line.
        text: The plain form.
        html: The same for those who prefer pages.
    """

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds a mail.

    Attributes:
        message_id: Ours; a mail that is sent again after a lost answer carries the same, so that mailboxes
            can tell.
        to: One address.
        language: Of the content.
        at: The moment that the mail tells, aware.
    """

    message_id: str
    to: str
    language: str
    at: datetime


class Mailer(Protocol):
    """Sends mails."""

    def send(self, envelope: Envelope, mail: WrittenMail) -> None:
        """Give a mail to the server that delivers it.

        Raises:
            MailRefused: It will never be taken.
            MailUnavailable: It may be taken later.
        """

    def close(self) -> None:
        """End the connection, if one is open."""


class NullMailer:
    """Keeps what it is given, for tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[Envelope, WrittenMail]] = []

    def send(self, envelope: Envelope, mail: WrittenMail) -> None:
        """Keep the mail."""
        self.sent.append((envelope, mail))

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class SMTPServer:
    """Where mails are handed over.

    Attributes:
        host: Name of the server; its certificate is checked against it.
        port: TCP port.
        security: "starttls" refuses to go on in clear when the server offers no TLS.
        sender: The From address, with or without a name.
        timeout_seconds: For the connection and for each answer.
        username: Empty for a server that asks for none.
        password: Its password.
        ca_bundle: File of certificate authorities; None for the system's.
    """

    host: str
    port: int
    security: Security
    sender: str
    timeout_seconds: float
    username: str = ""
    password: str = ""
    ca_bundle: str | None = None


class SMTPMailer:
    """Sends over one connection, opened when first needed and again after it was lost.

    Args:
        server: Where to.
    """

    def __init__(self, server: SMTPServer) -> None:
        self._server = server
        self._connection: smtplib.SMTP | None = None

    def send(self, envelope: Envelope, mail: WrittenMail) -> None:
        """Give a mail to the server.

        Raises:
            MailRefused: The server refused this mail for good (5yz).
            MailUnavailable: No connection, or a refusal for now (4yz).
        """
        message = composed(self._server.sender, envelope, mail)
        connection = self._connected()
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            self._reset()
            raise _failure(code) from error
        except smtplib.SMTPResponseException as error:
            self._reset()
            raise _failure(error.smtp_code) from error
        except (smtplib.SMTPNotSupportedError, UnicodeEncodeError) as error:
            self._reset()
            raise MailRefused("the server takes no such address") from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise MailUnavailable(type(error).__name__) from error

    def close(self) -> None:
        """End the connection, if one is open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None and not _is_alive(self._connection):
            self._connection.close()
            self._connection = None
        if self._connection is None:
            try:
                self._connection = self._open()
            except (OSError, smtplib.SMTPException) as error:
                # No STARTTLS, a wrong password, a false certificate: ours to mend, never the mail's fault (S-365).
                raise MailUnavailable(type(error).__name__) from error
        return self._connection

    def _open(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout_seconds, context=self._tls()
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        try:
            if server.security == "starttls":
                # Raises when the server does not offer it: a stripped STARTTLS must not open the mails.
                connection.starttls(context=self._tls())
            if server.username:
                connection.login(server.username, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._server.ca_bundle)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _reset(self) -> None:
        if self._connection is not None and not _is_alive(self._connection):
            self.close()


class MailWriter:
    """Writes mails from their templates.

    Args:
        folders: Of templates; the first that has one wins.
        city: What mails say of the city: `name`, `phone`, `contact_url`.
        base_url: Our own address, without a trailing slash.
    """

    def __init__(self, folders: tuple[Path, ...], city: Mapping[str, str], base_url: str) -> None:
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
        )
        self._environment.filters.update(day=_day, moment=_moment)
        self._city = dict(city)
        self._base_url = base_url

    def write(self, event: str, language: str, variables: Mapping[str, Any]) -> WrittenMail:
        """Write the mail of an event.

        Raises:
            MailRefused: There is no such template, or it wants a variable that it was not given.
        """
        values = {**variables, "language": language, "city": self._city, "base_url": self._base_url}
        try:
            text = self._environment.get_template(f"mail/{event}.{language}.txt").render(values)
            html = self._environment.get_template(f"mail/{event}.{language}.html").render(values)
        except TemplateError as error:
            raise MailRefused(f"template {event}.{language}: {type(error).__name__}") from error
        head, _, body = text.partition("\n\n")
        if not head.startswith(_SUBJECT):
            raise MailRefused(f"template {event}.{language} does not begin with its subject")
        return WrittenMail(head.removeprefix(_SUBJECT).strip(), body.strip() + "\n", html)


def composed(sender: str, envelope: Envelope, mail: WrittenMail) -> EmailMessage:
    """Put a message together.

    Raises:
        MailRefused: The address or the subject can't stand in a header.
    """
    name, address = parseaddr(sender)
    message = EmailMessage()
    try:
        message["From"] = Address(display_name=name, addr_spec=address)
        message["To"] = Address(addr_spec=envelope.to)
        message["Subject"] = mail.subject
    except (ValueError, IndexError, MessageError) as error:
        raise MailRefused(f"header: {type(error).__name__}") from error
    message["Date"] = format_header_date(envelope.at)
    message["Message-ID"] = f"<{envelope.message_id}@{address.rpartition('@')[2]}>"
    # RFC 3834 section 5: no vacation notice comes back. X-Auto-Response-Suppress says the same to Exchange.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(flowed(mail.text), params={"format": "flowed"})
    message.add_alternative(mail.html, subtype="html")
    # After the parts: before, the first of them would take it along, and the other have none.
    message["Content-Language"] = envelope.language
    return message


def flowed(text: str) -> str:
    """Break long lines so that any program shows them whole, and those that know how join them again.

    A space at the end of a line says that it goes on (RFC 3676 section 4.2): a phone fills its own width, and a
    terminal has lines of less than 78 characters. An address is never broken.
    """
    return "".join(f"{line}\n" for paragraph in text.splitlines() for line in _soft_lines(paragraph))


def _soft_lines(paragraph: str) -> list[str]:
    if paragraph == _SIGNATURE:
        return [paragraph]
    lines = wrap(paragraph.rstrip(), _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    # RFC 3676 section 4.4: a line that begins so could be taken for a quotation, or for something else.
    stuffed = [f" {line}" if line.startswith((" ", ">", "From ")) else line for line in lines]
    return [*(f"{line} " for line in stuffed[:-1]), stuffed[-1]]


def _failure(code: int) -> MailRefused | MailUnavailable:
    # The server's own words can quote the address: the code is enough.
    return MailRefused(f"SMTP {code}") if code >= _PERMANENT else MailUnavailable(f"SMTP {code}")


def _is_alive(connection: smtplib.SMTP) -> bool:
    try:
        return connection.rset()[0] == _OKAY
    except (OSError, smtplib.SMTPException):
        return False


@pass_context
def _day(context: TemplateContext, value: date | datetime | str) -> str:
    return written_dates.day(_parsed(value), context["language"])


@pass_context
def _moment(context: TemplateContext, value: datetime | str) -> str:
    moment = _parsed(value)
    if not isinstance(moment, datetime):
        raise TypeError("a moment has a time")
    return written_dates.moment(moment, context["language"])


def _parsed(value: date | datetime | str) -> date | datetime:
    # A queued mail is JSON, where a moment is a text.
    if not isinstance(value, str):
        return value
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
