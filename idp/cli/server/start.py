"""Checks that the provider can serve, then serves it."""

from __future__ import annotations

import importlib
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from idp.app import create_app
from idp.cli.configuration import reminders
from idp.cli.exits import Refusal
from idp.cli.key_files import utc_now
from idp.cli.server import delivery
from idp.cli.server.preparation import prepare
from idp.cli.server.supervisor import Plan, StopFlag, Supervisor
from idp.config import ConfigurationError, Settings
from idp.outbound import logs, metrics
from idp.services.disclosures import DisclosureWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

_BACKLOG: Final = 2048
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder below it is made by mkdtemp
_LOG: Final = logs.get_logger("idp.server")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider to serve.

    Attributes:
        settings: Reads the configuration, at the start and at each reload.
        create_missing: Upgrade the database and make missing keys first.
    """

    settings: Callable[[], Settings]
    create_missing: bool = False


def serve(provider: Provider) -> int:
    """Serve until told to stop.

    Raises:
        ConfigurationError: The configuration, or an address in it, can't be used.
        KeyringError: The keys are missing or can't be read.
        Refusal: The database is not at the newest migration, or the port is taken.

    Returns:
        The exit code.
    """
    settings = provider.settings()
    logs.configure(settings.logs.level, settings.logs.format)
    prepare(settings, create_missing=provider.create_missing)
    return supervise(provider.settings, listening(settings.server.bind))


def supervise(read: Callable[[], Settings], listener: socket.socket) -> int:
    """Run server program and delivery worker until told to stop; everything has been prepared.

    Args:
        read: Reads the configuration, now and at each reload.
        listener: The socket to serve on.

    Returns:
        The exit code.
    """
    settings = read()
    logs.configure(settings.logs.level, settings.logs.format)
    current = LastGood(read, settings)
    stopping = StopFlag()
    folder = Path(mkdtemp(prefix="idp-metrics-", dir=_MEMORY if _MEMORY.is_dir() else None))
    metrics.share_between_processes(folder)
    endings: list[Callable[[], None]] = []

    def application() -> WSGIApplication:
        app = create_app(current(), is_stopping=stopping.is_set)
        context = app.extensions["idp"].context
        # Reading an RSA key takes a hundred milliseconds: before the first request, not in it.
        context.keys.keyring()
        writer = DisclosureWriter(context.disclosures, context.database)
        writer.start()
        # gunicorn says when a worker ends; granian's processes end by themselves, and wait for the thread.
        endings.append(writer.close)
        return app.wsgi_app

    def ended() -> None:
        for close in endings:
            close()

    plan = Plan(
        serve=lambda: serve_by_engine(current, application, ended, listener),
        help=(lambda: delivery.run(current())) if settings.server.worker else None,
        check=read,
        drain_seconds=settings.server.drain_seconds,
        graceful_seconds=settings.server.graceful_seconds,
    )
    _LOG.info("server_starting", engine=settings.server.engine, bind=settings.server.bind)
    for reminder in reminders(settings, utc_now().date()):
        _LOG.warning("configuration_out_of_date", reminder=reminder)
    try:
        return Supervisor(plan, stopping, listener.close).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _LOG.info("server_stopped")


class LastGood:
    """Reads the configuration, and keeps the last one that could be read.

    A worker is started anew whenever one dies, whatever the file then looks like: a mistake in it, in the
    middle of an edit, must stop nothing that runs.

    Args:
        read: Reads the file.
        settings: As read at the start; every process forked later knows them.
    """

    def __init__(self, read: Callable[[], Settings], settings: Settings) -> None:
        self._read = read
        self._settings = settings

    def __call__(self) -> Settings:
        """Give the configuration of the file, else the last good one."""
        try:
            self._settings = self._read()
        except ConfigurationError as error:
            _LOG.error("configuration_refused", error=type(error).__name__)
        return self._settings


def listening(bind: str) -> socket.socket:
    """Take the address before any process is started, so that a taken one is said at once.

    Raises:
        ConfigurationError: It is no address of this machine.
        Refusal: Something listens there already.
    """
    host, port = parsed(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Refusal(f"server.bind: {bind}: {error.strerror}") from error
    return listener


def parsed(bind: str) -> tuple[str, int]:
    """Read host and port.

    Raises:
        ConfigurationError: It has no such form.
    """
    host, _, port = bind.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the largest port
        raise ConfigurationError(f'server.bind: {bind} is not like "127.0.0.1:8000" or "[::1]:8000"')
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)  # noqa: S104 - ":8000" says so


def serve_by_engine(
    settings: Callable[[], Settings],
    application: Callable[[], WSGIApplication],
    ended: Callable[[], None],
    listener: socket.socket,
) -> None:
    """Serve by the server program of the configuration; the other one is not even imported.

    Args:
        settings: Reads the configuration.
        application: Builds the WSGI application in a worker.
        ended: Called in a worker that ends.
        listener: The socket to serve on.
    """
    chosen = settings()
    if chosen.server.engine == "granian":
        # It binds by itself, in Rust.
        listener.close()
        engine = importlib.import_module("idp.cli.server.granian_engine")
        engine.serve(chosen, application, parsed(chosen.server.bind))
    else:
        engine = importlib.import_module("idp.cli.server.gunicorn_engine")
        engine.Gunicorn(settings, application, ended, listener).serve()
