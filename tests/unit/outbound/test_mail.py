"""What surrounds a mail: its headers, and its plain text on the wire (S-418)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.demo.mail_catcher import Mailbox
from idp.outbound.mail import Envelope, WrittenMail, composed, flowed
from tests.support.mails import EVENTS, LANGUAGES, writer

if TYPE_CHECKING:
    from email.message import EmailMessage

ENVELOPE = Envelope("0197-abc", "zoe@example.org", "fr", datetime(2026, 11, 12, 13, 5, tzinfo=UTC))
MOST_OF_A_LINE = 78
LINES = st.text(st.sampled_from("aé>  -From\u00a0https://x"), max_size=300)


def sent(mail: WrittenMail) -> bytes:
    """Give a mail as it goes to the server."""
    return composed("Mon Paris <ne-pas-repondre@example.org>", ENVELOPE, mail).as_bytes(policy=policy.SMTP)


def received(mail: WrittenMail) -> EmailMessage:
    """Give a mail as a program reads it."""
    return message_from_bytes(sent(mail), policy=policy.default)


def test_mail_has_the_headers_of_a_machine_that_wants_no_answer_and_no_other() -> None:
    """Nothing follows who reads it, and no list is left by what is no list (RFC 3834 section 5, RFC 8058)."""
    message = received(WrittenMail("Été", "Bonjour,\n", "<p>Bonjour,</p>"))

    assert dict(message.items()) == {
        "From": "Mon Paris <ne-pas-repondre@example.org>",
        "To": "zoe@example.org",
        "Subject": "Été",
        "Date": "Thu, 12 Nov 2026 13:05:00 +0000",
        "Message-ID": "<0197-abc@example.org>",
        "Content-Language": "fr",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert all(part.get_content_charset() == "utf-8" for part in message.iter_parts())


@pytest.mark.spec("RFC 3676", "4.2", "SHOULD")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_text_of_a_mail_has_short_lines_and_comes_together_again(event: str, language: str) -> None:
    """Whoever sees lines sees whole words in them; addresses are whole, and nothing is lost."""
    mail = writer().write(event, language, EVENTS[event])
    lines = flowed(mail.text).splitlines()
    caught = Mailbox(lambda: ENVELOPE.at)

    caught.add("ne-pas-repondre@example.org", ["zoe@example.org"], sent(mail))

    assert [line for line in lines if len(line) > MOST_OF_A_LINE and "https://" not in line] == []
    assert re.findall(r"https://\S+", "\n".join(lines)) == re.findall(r"https://\S+", mail.text)
    assert caught.messages()[0].text == mail.text


@pytest.mark.spec("RFC 3676", "4.4", "MUST")
@given(LINES)
def test_lines_that_could_be_taken_for_something_else_are_stuffed(line: str) -> None:
    """None begins like a quotation or like the next message of a mailbox file."""
    for one in flowed(line).splitlines():
        assert not one.startswith((">", "From "))


@pytest.mark.spec("RFC 3676", "4.3", "SHOULD")
def test_mark_above_the_signature_is_no_line_that_goes_on() -> None:
    """It keeps its space, and what stands below it stays below."""
    assert flowed("Ville\n-- \nVous recevez\n") == "Ville\n-- \nVous recevez\n"
