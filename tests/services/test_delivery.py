"""Messages are delivered at least once, whatever the mail server or the worker does (S-365)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from idp.cli.server.delivery import work
from idp.outbound.mail import (
    Envelope,
    MailRefused,
    MailUnavailable,
    MailWriter,
    NullMailer,
    SMTPMailer,
    SMTPServer,
    WrittenMail,
    composed,
)
from idp.services.delivery import Post, delay_after, deliver_due
from idp.services.messages import Mail, queue_mail
from idp.services.operations import dead_letters
from idp.services.operations.housekeeping import Retention
from idp.storage.repositories import outbox
from tests.support.clock import A_MONDAY_MORNING
from tests.support.provider import a_provider
from tests.support.server import HOST, free_port
from tests.support.smtp import Mailbox, text_of

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

TO = "zoe@example.org"
KEPT = Retention(session_idle=timedelta(hours=20))


@pytest.fixture
def context(database: Database, clock: SettableClock) -> Context:
    """The parts of the use cases, over a test's database."""
    return a_provider(database, clock).context


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """Templates of one mail."""
    folder = tmp_path / "mail"
    folder.mkdir()
    text = "Subject: Bonjour {{ name }}\n\nLe {{ at|day }}, {{ at|moment }}.\n{{ city.phone }}"
    (folder / "hello.fr.txt").write_text(text)
    (folder / "hello.fr.html").write_text("<p>{{ name }}</p>")
    return tmp_path


def a_post(templates: Path, port: int) -> Post:
    """Mail over a real server of this machine."""
    server = SMTPServer(HOST, port, "none", "Mon Paris <no-reply@example.org>", 60)
    return Post(SMTPMailer(server), MailWriter((templates,), {"phone": "3975"}, "https://compte.example.org"))


def queued(context: Context, lifetime: timedelta = timedelta(hours=1), **changes: Any) -> None:
    """Queue a mail."""
    mail = Mail(TO, "hello", "fr", {"name": "Zoé <i>", "at": context.clock()})
    with context.database.write() as connection:
        queue_mail(
            context, connection, Mail(**({"to": mail.to, "event": mail.event, "language": mail.language,
                                          "variables": mail.variables} | changes)),
            account_id=None, lifetime=lifetime,
        )  # fmt: skip


def waiting(context: Context) -> dict[str, int]:
    """Count what waits and what was given up."""
    with context.database.read() as connection:
        return outbox.counts(connection)


@contextmanager
def closing(post: Post) -> Iterator[Post]:
    """End the connection after the test."""
    yield post
    post.mailer.close()


def test_mail_is_delivered_in_both_forms_and_forgotten(
    context: Context, templates: Path, mailbox: Mailbox
) -> None:
    """A queued mail arrives as text and HTML, in its language, marked as automatic; its content is dropped."""
    queued(context)

    with closing(a_post(templates, mailbox.port)) as post:
        assert deliver_due(context, post) == 1
        assert deliver_due(context, post) == 0

    message = mailbox.wait_for(TO)
    assert message["Subject"] == "Bonjour Zoé <i>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.org>")
    assert text_of(message).split("\r\n") == ["Le 2 mars 2026, 2 mars 2026 à 10\u00a0h\u00a000.", "3975", ""]
    assert "Zoé &lt;i&gt;" in text_of(message, "html")
    assert waiting(context) == {"waiting": 0, "dead": 0}


def test_mail_during_an_outage_waits_and_arrives_after_it(
    context: Context, clock: SettableClock, templates: Path, mailbox: Mailbox
) -> None:
    """No server: the mail waits, is not tried before its time, and arrives when the server is back."""
    queued(context)

    with closing(a_post(templates, free_port())) as away:
        assert deliver_due(context, away) == 1
        assert deliver_due(context, away) == 0
    clock.advance(seconds=30)
    with closing(a_post(templates, mailbox.port)) as post:
        assert deliver_due(context, post) == 1

    assert mailbox.wait_for(TO)["Subject"]
    assert waiting(context) == {"waiting": 0, "dead": 0}


@pytest.mark.parametrize(
    "refusal, left",
    [
        pytest.param("451 try again", {"waiting": 1, "dead": 0}, id="greylisting: waits"),
        pytest.param("550 no such mailbox", {"waiting": 0, "dead": 1}, id="refused for good: given up"),
    ],
)
def test_refused_mail_waits_or_dies_by_the_class_of_the_answer(
    context: Context, templates: Path, mailbox: Mailbox, refusal: str, left: dict[str, int]
) -> None:
    """RFC 5321 section 4.2.1: a 4yz answer is for now, a 5yz one for good."""
    queued(context)
    mailbox.refusal = refusal

    with closing(a_post(templates, mailbox.port)) as post:
        deliver_due(context, post)

    assert waiting(context) == left


def test_refusal_of_one_mail_does_not_stop_the_next(
    context: Context, templates: Path, mailbox: Mailbox
) -> None:
    """Of two mails, one to an address that can't be written, the other arrives in the same round."""
    queued(context, to="not an address\r\nBcc: victim@example.org")
    queued(context)

    with closing(a_post(templates, mailbox.port)) as post:
        assert deliver_due(context, post) == 2

    assert [message["To"] for message in mailbox.messages] == [TO]
    assert waiting(context) == {"waiting": 0, "dead": 1}


def test_mail_that_lives_shorter_than_the_outage_is_given_up(
    context: Context, clock: SettableClock, templates: Path
) -> None:
    """A code is not delivered after its life: retries stop at the mail's own end."""
    queued(context, lifetime=timedelta(minutes=10))

    with closing(a_post(templates, free_port())) as away:
        for _ in range(30):
            deliver_due(context, away)
            clock.advance(minutes=1)

    assert waiting(context) == {"waiting": 0, "dead": 1}


def test_dead_letter_is_sent_again_when_the_administrator_asks(
    context: Context, templates: Path, mailbox: Mailbox
) -> None:
    """What was given up keeps its sealed content until it expires, so that a mended server can have it."""
    queued(context)
    mailbox.refusal = "554 relay denied"
    with closing(a_post(templates, mailbox.port)) as post:
        deliver_due(context, post)
        mailbox.refusal = None

        assert dead_letters.listed(context, dead_only=True, limit=10)[0]["last_error"] == "SMTP 554"
        assert dead_letters.retry(context, None) == 1
        deliver_due(context, post)

    assert mailbox.wait_for(TO)["Subject"]


def test_expired_dead_letter_is_not_sent_again(
    context: Context, clock: SettableClock, templates: Path, mailbox: Mailbox
) -> None:
    """A link that is past its time is of no use to anybody."""
    queued(context)
    mailbox.refusal = "554 relay denied"
    with closing(a_post(templates, mailbox.port)) as post:
        deliver_due(context, post)
    clock.advance(hours=2)

    assert dead_letters.retry(context, None) == 0


def test_worker_that_died_in_the_middle_leaves_the_message_to_another(
    context: Context, clock: SettableClock, templates: Path, mailbox: Mailbox
) -> None:
    """A message that was claimed and never settled is due again after its lease, under the same Message-ID."""
    queued(context)
    with context.database.write() as connection:
        claimed = outbox.claim(
            connection, "mail", now=clock(), until=clock() + timedelta(minutes=5), limit=10
        )

    with closing(a_post(templates, mailbox.port)) as post:
        assert deliver_due(context, post) == 0
        clock.advance(minutes=6)
        assert deliver_due(context, post) == 1

    assert claimed[0].message_id in mailbox.wait_for(TO)["Message-ID"]


def test_several_workers_deliver_each_message_once(
    context: Context, templates: Path, mailbox: Mailbox
) -> None:
    """Four workers share two hundred messages; none arrives twice, none is left."""
    for number in range(200):
        queued(context, to=f"zoe{number}@example.org")
    barrier = threading.Barrier(4)

    def deliver() -> None:
        with closing(a_post(templates, mailbox.port)) as post:
            barrier.wait()
            while deliver_due(context, post):
                pass

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    recipients = [str(message["To"]) for message in mailbox.messages]
    assert sorted(recipients) == sorted(f"zoe{number}@example.org" for number in range(200))
    assert waiting(context) == {"waiting": 0, "dead": 0}


def test_message_sealed_with_other_keys_is_given_up(context: Context, templates: Path) -> None:
    """A mail that can't be unsealed is not tried for ever."""
    queued(context)
    other = replace(context, sealer=type(context.sealer)(bytes(32)))

    deliver_due(other, Post(NullMailer(), MailWriter((templates,), {}, "")))

    assert waiting(context) == {"waiting": 0, "dead": 1}


def test_worker_stops_when_told(context: Context, templates: Path) -> None:
    """The loop of the worker ends soon after its event is set."""
    stop = Event()
    post = Post(NullMailer(), MailWriter((templates,), {}, ""))
    thread = threading.Thread(target=work, args=(context, post, KEPT, stop))

    thread.start()
    stop.set()
    thread.join(60)

    assert not thread.is_alive()


def test_delays_grow_and_are_scattered() -> None:
    """The wait doubles from seconds to half an hour, and two messages do not come back together."""
    delays = [delay_after("m", attempts) for attempts in range(1, 20)]

    assert delays[0] < timedelta(seconds=7)
    assert delays[-1] <= timedelta(minutes=36)
    assert delay_after("m", 5) != delay_after("n", 5)


@pytest.mark.parametrize(
    "to, subject",
    [
        pytest.param("a@example.org\r\nBcc: b@example.org", "Bonjour", id="recipient in the address"),
        pytest.param("a@example.org, b@example.org", "Bonjour", id="two addresses"),
        pytest.param("a@example.org", "Bonjour\r\nBcc: b@example.org", id="recipient in the subject"),
        pytest.param("", "Bonjour", id="no address"),
    ],
)
def test_header_can_not_be_added_by_a_value(to: str, subject: str) -> None:
    """No address and no subject can bring a header or a recipient of its own."""
    envelope = Envelope("m1", to, "fr", A_MONDAY_MORNING)

    with pytest.raises(MailRefused):
        composed("no-reply@example.org", envelope, WrittenMail(subject, "text", "<p>html</p>"))


def test_server_without_starttls_is_not_spoken_to_in_clear(mailbox: Mailbox) -> None:
    """Where STARTTLS is asked for and not offered, the mail waits rather than travel in clear."""
    mailer = SMTPMailer(SMTPServer(HOST, mailbox.port, "starttls", "no-reply@example.org", 5))

    with pytest.raises(MailUnavailable):
        mailer.send(Envelope("m1", TO, "fr", A_MONDAY_MORNING), WrittenMail("s", "t", "<p>h</p>"))

    assert mailbox.messages == []
