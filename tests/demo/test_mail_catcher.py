"""The mail catcher receives by real SMTP and tells people and programs what came."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.request import urlopen

import pytest
from flask.testing import FlaskClient

from idp.demo.mail_catcher import (
    MAX_MESSAGES,
    Mailbox,
    MailCatcherSettings,
    create_app,
    start_smtp,
)
from idp.demo.serve import serve

HOST = "127.0.0.1"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass
class Catcher:
    """A running mail catcher."""

    port: int
    pages: FlaskClient

    def send(self, message: EmailMessage, recipients: list[str] | None = None) -> None:
        """Send by SMTP."""
        with smtplib.SMTP(HOST, self.port, timeout=60) as smtp:
            smtp.send_message(message, to_addrs=recipients)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A mail catcher on a free port."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    settings = MailCatcherSettings(Mailbox(lambda: NOW))
    smtp = start_smtp(settings, HOST, port)
    yield Catcher(port, create_app(settings).test_client())
    smtp.stop()


def mail(text: str, html: str = "", to: str = "zoe@example.org") -> EmailMessage:
    """Write a message."""
    message = EmailMessage()
    message["From"] = "Mon Paris <ne-pas-repondre@example.org>"
    message["To"] = to
    message["Subject"] = "Votre code à six chiffres"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


TEXT = """Bonjour Zoé,

Votre code : 482915

Ou suivez ce lien (http://localhost:8000/confirmer?jeton=123456789&x=1).
Aide : https://example.org/aide.
"""


def test_message_is_listed_with_its_links_and_code(catcher: Catcher) -> None:
    """A program gets the recipients, both forms, the links and the code."""
    catcher.send(mail(TEXT, "<p>Zoé</p>"))

    listed = catcher.pages.get("/messages").json

    assert listed == [
        {
            "id": 1,
            "from": "ne-pas-repondre@example.org",
            "to": "zoe@example.org",
            "subject": "Votre code à six chiffres",
            "date": "2026-11-22T09:00:00+00:00",
            "text": TEXT,
            "html": "<p>Zoé</p>\n",
            "links": [
                "http://localhost:8000/confirmer?jeton=123456789&x=1",
                "https://example.org/aide",
            ],
            "code": "482915",
        },
    ]
    assert catcher.pages.get("/messages/1").json == listed[0]


@pytest.mark.parametrize(
    "text, code",
    [
        ("Aucun code.", None),
        ("12345 et 1234567", None),
        ("http://x.test/123456", None),
        ("Votre code\n\n482 915\n", "482915"),
        ("Code: 000042.", "000042"),
    ],
    ids=["none", "other lengths", "in a link", "in two halves", "zeros"],
)
def test_code_is_a_number_of_six_digits(catcher: Catcher, text: str, code: str | None) -> None:
    """Only a number of exactly six digits, outside of links, is the code."""
    catcher.send(mail(text))

    assert catcher.pages.get("/messages").json[0]["code"] == code


def test_links_of_a_message_in_html_only_are_found(catcher: Catcher) -> None:
    """Without a text form, links come from the HTML, unescaped."""
    message = mail("")
    message.set_content('<a href="http://x.test/?a=1&amp;b=2">x</a>', subtype="html")

    catcher.send(message)

    assert catcher.pages.get("/messages").json[0]["links"] == ["http://x.test/?a=1&b=2"]


def test_messages_are_kept_apart_by_recipient_whatever_the_case(catcher: Catcher) -> None:
    """`?to=` keeps one recipient's messages, the newest last."""
    catcher.send(mail("un", to="a@example.org"))
    catcher.send(mail("deux", to="b@example.org"))
    catcher.send(mail("trois", to="a@example.org"))

    listed = catcher.pages.get("/messages?to=A@Example.org").json

    assert [message["text"].strip() for message in listed] == ["un", "trois"]
    assert catcher.pages.get("/messages?to=c@example.org").json == []


def test_recipients_are_those_of_the_envelope(catcher: Catcher) -> None:
    """Blind copies are seen: the envelope says who receives."""
    catcher.send(mail("x"), ["zoe@example.org", "copie@example.org"])

    assert catcher.pages.get("/messages?to=copie@example.org").json[0]["to"] == (
        "zoe@example.org, copie@example.org"
    )


def test_international_address_and_wrong_charset_are_received(catcher: Catcher) -> None:
    """Neither a non-ASCII address nor a message with an unknown charset is lost."""
    catcher.send(mail("é", to="élodie@exemple.org"), ["élodie@exemple.org"])
    raw = b"Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\ncaf\xc3\xa9\r\n"
    with smtplib.SMTP(HOST, catcher.port, timeout=60) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], raw)

    first, second = catcher.pages.get("/messages").json
    assert first["to"] == "élodie@exemple.org"
    assert second["text"].strip() == "café"


def test_delete_forgets_everything_and_numbers_go_on(catcher: Catcher) -> None:
    """DELETE /messages empties the mailbox; ids are not used again."""
    catcher.send(mail("un"))

    assert catcher.pages.delete("/messages").status_code == 204
    assert catcher.pages.get("/messages").json == []
    assert catcher.pages.get("/messages/1").status_code == 404

    catcher.send(mail("deux"))
    assert catcher.pages.get("/messages").json[0]["id"] == 2


def test_page_shows_messages_and_can_empty_the_list(catcher: Catcher) -> None:
    """People see the newest message first, its code and its links."""
    assert "Aucun message" in catcher.pages.get("/").text
    catcher.send(mail(TEXT, "<script>alert(1)</script><p>Bonjour</p>"))

    assert "482915" in catcher.pages.get("/").text
    page = catcher.pages.get("/lire/1").text
    assert "jeton=123456789&amp;x=1" in page
    assert "<script>" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page

    assert catcher.pages.post("/vider").status_code == 303
    assert "Aucun message" in catcher.pages.get("/").text


def test_html_of_a_message_can_run_and_load_nothing(catcher: Catcher) -> None:
    """The HTML form is served with a policy that sandboxes it, wherever it is opened."""
    catcher.send(mail("x", "<script>alert(1)</script><img src='http://x.test/pixel'>"))

    policy = catcher.pages.get("/lire/1/html").headers["Content-Security-Policy"]

    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy


@pytest.mark.parametrize("path", ["/messages/9", "/lire/9", "/lire/9/html"])
def test_unknown_message_is_not_found(catcher: Catcher, path: str) -> None:
    """A message that does not exist has no page."""
    assert catcher.pages.get(path).status_code == 404


def test_mailbox_forgets_the_oldest() -> None:
    """The mailbox is bounded."""
    mailbox = Mailbox(lambda: NOW)
    for _ in range(MAX_MESSAGES + 1):
        mailbox.add("a@example.org", ["b@example.org"], b"Subject: x\r\n\r\n")

    kept = mailbox.messages()
    assert len(kept) == MAX_MESSAGES
    assert kept[0].id == 2


def test_served_application_answers_and_gives_its_port_back() -> None:
    """`serve` listens until shutdown, then the port is free at once."""
    server = serve(create_app(MailCatcherSettings()), HOST, 0)
    with urlopen(f"http://{HOST}:{server.port}/messages", timeout=60) as answer:
        assert answer.read() == b"[]\n"

    server.shutdown()

    again = serve(create_app(MailCatcherSettings()), HOST, server.port)
    assert again.port == server.port
    again.shutdown()


def test_serving_on_a_taken_port_raises() -> None:
    """A port that is taken is an error, not a silent fallback."""
    server = serve(create_app(MailCatcherSettings()), HOST, 0)

    with pytest.raises(OSError, match="in use"):
        serve(create_app(MailCatcherSettings()), HOST, server.port)

    server.shutdown()
