"""granian inside this program: half the cost of an empty answer, a laxer parser (docs/decisions/0014)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from idp.cli.server.gunicorn_engine import worker_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from idp.config import Settings

#: Heads larger than this are refused before Python sees them.
_BUFFER: Final = 65_536
_HEADER_TIMEOUT_MS: Final = 20_000
#: A worker that crashes twice within this many seconds ends the server: systemd starts it again.
_RESPAWN_SECONDS: Final = 6.0


def serve(settings: Settings, application: Callable[[], WSGIApplication], address: tuple[str, int]) -> None:
    """Serve until told to stop.

    Args:
        settings: How.
        application: Builds the WSGI application in a worker.
        address: Host and port.
    """
    host, port = address
    server = Server(
        "idp",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=worker_count(settings),
        blocking_threads=settings.server.threads,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT_MS, max_buffer_size=_BUFFER),
        log_enabled=True,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {}, "granian.access": {}}},
        # A worker that is killed must not take the server with it.
        respawn_failed_workers=True,
        respawn_interval=_RESPAWN_SECONDS,
        workers_kill_timeout=settings.server.graceful_seconds,
    )
    server.serve(target_loader=application, wrap_loader=False)
