"""The delivery worker's process: sends what is queued, purges what expired, until told to stop.

Mails, logouts and events go by threads of their own: neither a slow mail server nor a service that hangs delays the
others.
"""

from __future__ import annotations

import signal
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from idp.app import build_context, templates_directory
from idp.config import secret_from
from idp.outbound.logs import get_logger
from idp.outbound.mail import MailWriter, SMTPMailer, SMTPServer
from idp.services.account import life_cycle
from idp.services.account.life_cycle import Limits
from idp.services.delivery import ParallelDelivery, Post, deliver_due
from idp.services.logout.back_channel import LogoutCourier
from idp.services.logout.security_events import EventCourier
from idp.services.operations import data_requests
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.engine import DATABASE_AWAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.config import LifeCycle, Settings
    from idp.services.context import Context
    from idp.services.delivery import DirectCourier

_LOG: Final = get_logger("idp.worker")
#: A person waits for the mail with a code; an empty look is one short read.
_IDLE_SECONDS: Final = 0.25
_AWAY_SECONDS: Final = 2.0
_PURGE_SECONDS: Final = 60.0
#: A worker that is started over and over must not begin with the longest of its jobs each time.
_LIFE_CYCLE_BEGINS_SECONDS: Final = 60.0


def run(settings: Settings) -> None:
    """Work until TERM or INT; what is being sent is finished first."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    context = build_context(settings)
    post = post_office(settings)
    threads = [
        Thread(target=_or_stop, args=(lambda: work_logouts(context, stop), stop), name="logouts"),
        Thread(target=_or_stop, args=(lambda: work_events(context, stop), stop), name="events"),
    ]
    if settings.life_cycle.enabled:
        job = settings.life_cycle
        threads.append(Thread(target=lambda: work_life_cycle(context, job, stop), name="life-cycle"))
    _LOG.info("worker_started")
    for thread in threads:
        thread.start()
    try:
        work(context, post, retention(settings), stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        post.mailer.close()
        context.database.dispose()
        _LOG.info("worker_stopped")


def work(context: Context, post: Post, kept: Retention, stop: Event) -> None:
    """Deliver mails and purge in turn until the event is set; a database that is away is waited for."""
    purge_at = time.monotonic() + _PURGE_SECONDS

    def turn() -> int:
        nonlocal purge_at
        tried = deliver_due(context, post)
        if time.monotonic() >= purge_at:
            purge_at = time.monotonic() + _PURGE_SECONDS
            gone = purge(context, kept, pause=stop.wait, go_on=lambda: not stop.is_set())
            if gone:
                _LOG.info("purged", **gone)
            remind_of_requests(context)
        return tried

    _repeat(turn, stop)


def remind_of_requests(context: Context) -> None:
    """Mail the city which requests of the RGPD come due, where there is a mailbox to write to (PRI-4)."""
    to = context.controller.contact
    if "@" in to:
        named = data_requests.remind(context, to)
        if named:
            _LOG.info("reminded_of_requests", requests=len(named))


def work_logouts(context: Context, stop: Event) -> None:
    """Tell services that sessions have ended until the event is set; what is under way is finished first."""
    _work(context, LogoutCourier(), stop)


def work_events(context: Context, stop: Event) -> None:
    """Push security events to services until the event is set; what is under way is finished first."""
    _work(context, EventCourier(), stop)


def work_life_cycle(
    context: Context, job: LifeCycle, stop: Event, *, begins: float = _LIFE_CYCLE_BEGINS_SECONDS
) -> None:
    """Warn of the deletion of unused accounts and delete them, every so many minutes, until the event is set.

    A failure is told and tried again at the next turn: mails must go out whatever happens here.
    """
    limits = Limits(batch=job.batch, go_on=lambda: not stop.is_set())
    wait = begins
    while not stop.wait(wait):
        wait = job.every_minutes * 60.0
        started = time.monotonic()
        try:
            done = life_cycle.run(context, context.life_cycle, limits)
        except Exception:  # noqa: BLE001 - see above
            _LOG.exception("life_cycle_failed")
            continue
        _LOG.info("life_cycle_run", **asdict(done), seconds=round(time.monotonic() - started, 1))


def _work(context: Context, courier: DirectCourier, stop: Event) -> None:
    delivery = ParallelDelivery(context, courier)
    try:
        _repeat(delivery.deliver_due, stop)
    finally:
        delivery.close()


def _repeat(turn: Callable[[], int], stop: Event) -> None:
    while not stop.is_set():
        try:
            tried = turn()
        except DATABASE_AWAY:
            _LOG.exception("database_away")
            stop.wait(_AWAY_SECONDS)
            continue
        if not tried:
            # The server closes an idle connection anyway; a mail after a quiet while opens another.
            stop.wait(_IDLE_SECONDS)


def _or_stop(main: Callable[[], None], stop: Event) -> None:
    """End the whole worker with a thread that failed: it is started anew, as whole as it was."""
    try:
        main()
    except Exception:  # noqa: BLE001 - told here; nobody else would hear it
        _LOG.exception("deliveries_failed")
        stop.set()


def post_office(settings: Settings) -> Post:
    """Make what mails are written and sent with."""
    mail, city = settings.mail, settings.city
    server = SMTPServer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        sender=mail.sender,
        timeout_seconds=mail.timeout_seconds,
        username=mail.username,
        password=secret_from("", mail.password_file),
        ca_bundle=settings.outbound.ca_bundle or None,
    )
    override = (Path(city.templates),) if city.templates else ()
    writer = MailWriter(
        (*override, templates_directory()),
        {"name": city.name, "phone": city.phone, "contact_url": city.contact_uri},
        settings.server.issuer,
    )
    return Post(SMTPMailer(server), writer)


def retention(settings: Settings) -> Retention:
    """Read how long what is of no more use is kept."""
    kept = settings.retention
    return Retention(
        session_idle=timedelta(seconds=settings.sessions.idle_seconds),
        links=timedelta(days=kept.link_days),
        messages=timedelta(days=kept.message_days),
        devices=timedelta(days=kept.device_days),
        audit=timedelta(days=kept.audit_days),
        disclosures=timedelta(days=kept.disclosure_days),
    )
