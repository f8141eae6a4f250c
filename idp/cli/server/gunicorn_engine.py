"""gunicorn inside this program: no configuration file, no control socket, our logs (docs/decisions/0014)."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from idp.cli.server import patient_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket
    from wsgiref.types import WSGIApplication

    from idp.config import Settings

#: Where heartbeats are written: on a disk they could block a worker for as long as the disk does.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - gunicorn makes unnamed files there
_CONSTANT: Final = re.compile(r"[^%{=:'(\[]*")
_MOST_WORKERS: Final = 4


class Gunicorn(BaseApplication):
    """The server program.

    Args:
        settings: Reads the configuration anew at each reload.
        application: Builds the WSGI application in a worker.
        ended: Called in a worker that ends, however it was told to.
        listener: A socket that listens already.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        application: Callable[[], WSGIApplication],
        ended: Callable[[], None],
        listener: socket,
    ) -> None:
        self._settings = settings
        self._ended = ended
        self._application = application
        self._bind = f"fd://{listener.detach()}"
        super().__init__()

    def load_config(self) -> None:
        """Say how to serve."""
        for name, value in options(self._settings()).items():
            self.cfg.set(name, value)
        self.cfg.set("bind", self._bind)
        self.cfg.set("worker_exit", lambda _arbiter, _worker: self._ended())

    def load(self) -> WSGIApplication:
        """Build the application, in a worker."""
        return self._application()

    def serve(self) -> None:
        """Serve until told to stop."""
        Arbiter(self).run()


def options(settings: Settings) -> dict[str, Any]:
    """Give gunicorn's settings; the others stay as they are by default, the strict ones above all."""
    server = settings.server
    return {
        "workers": worker_count(settings),
        "threads": server.threads,
        "worker_class": patient_worker.name(),
        "timeout": server.request_timeout_seconds,
        "graceful_timeout": server.graceful_seconds,
        # Longer than a proxy keeps an idle connection: it must be the one that closes.
        "keepalive": 75,
        "max_requests": server.max_requests,
        "max_requests_jitter": server.max_requests // 10,
        "worker_tmp_dir": str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None,
        # Since gunicorn 25: a socket in the home directory, through which the server can be commanded.
        "control_socket_disable": True,
        # Nobody's: `idp.web.proxies` reads forwarded headers, for both engines alike.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "header_map": "drop",
        "http_parser": "python",
        "limit_request_line": 8190,
        "limit_request_fields": 100,
        "limit_request_field_size": 8190,
        "logger_class": QuietLogger,
        "proc_name": "idp",
    }


def worker_count(settings: Settings) -> int:
    """Give the number of worker processes: as configured, else one for each core, 4 at most."""
    return settings.server.workers or min(os.cpu_count() or 1, _MOST_WORKERS)


class QuietLogger(Logger):
    """gunicorn's messages without what a client sent: their constant beginning only (PRI-3)."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn's configuration
        """Leave everything to the handlers of this process."""
        del cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def critical(self, msg: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of logging
        """Log without values."""
        self._tell(logging.CRITICAL, msg, args, kwargs)

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of logging
        """Log without values."""
        self._tell(logging.ERROR, msg, args, kwargs)

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of logging
        """Log without values."""
        self._tell(logging.WARNING, msg, args, kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of logging
        """Log without values; of the exception, its class and its frames."""
        self._tell(logging.ERROR, msg, args, kwargs | {"exc_info": True})

    def _tell(self, level: int, msg: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        del args
        constant = _CONSTANT.match(str(msg))
        said = constant[0].strip() if constant else "message"
        self.error_log.log(level, said, exc_info=options.get("exc_info"))

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:  # noqa: ANN401 - gunicorn's
        """Log nothing: `idp.web.request_log` does, by route and not by path."""
