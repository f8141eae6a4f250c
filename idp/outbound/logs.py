"""Structured logs: one JSON object a line on standard error, a request id, no personal value (PRI-3, OPS-3).

An event is a fixed word and its fields are chosen where it is logged; nothing is formatted into it, so that
what a person typed can neither forge a line nor ride in a message. Of an exception its class and the places
it went through are kept, never its text: a database error quotes the row it was about.

The standard library's logging and msgspec, not structlog: docs/decisions/0018 has the figures.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import msgspec

if TYPE_CHECKING:
    from types import TracebackType

#: The request that this thread is answering; None outside of one.
request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
#: At DEBUG these write tokens, queries or addresses: never below INFO, whatever is configured.
_TALKATIVE: Final = ("authlib", "urllib3", "werkzeug", "joserfc")
#: These announce every start and stop, which `idp run` says better; SQLAlchemy every statement, with its values.
_CHATTY: Final = ("alembic", "granian", "sqlalchemy")
_MOST_FRAMES: Final = 12
_LONGEST: Final = 500


class Logger:
    """Logs events of one part of the program.

    Args:
        name: The part, such as "idp.web".
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        """Log what only a developer wants to know."""
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what happens in the ordinary course."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what somebody should look at some day."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what somebody should look at now."""
        self._log(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Log the exception that is being handled: its class and the places it went through."""
        self._log(logging.ERROR, event, fields, sys.exc_info()[1])

    def _log(
        self, level: int, event: str, fields: dict[str, object], error: BaseException | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            record = logging.LogRecord(self._logger.name, level, "", 0, event, None, None)
            record.fields = fields
            record.error = error
            self._logger.handle(record)


def get_logger(name: str) -> Logger:
    """Give the logger of one part of the program."""
    return Logger(name)


def configure(level: str = "info", form: str = "json", stream: IO[str] | None = None) -> None:
    """Send every log of this process, those of libraries too, to one stream.

    Args:
        level: The least serious that is written: "debug", "info", "warning" or "error".
        form: "json" for machines, "console" for people.
        stream: Standard error when None.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ConsoleLines() if form == "console" else JSONLines())
    # Nothing here writes the names of threads, processes and tasks: looking them up is half the cost of a line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.INFO))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))


class JSONLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Encode a record; line breaks inside a value come out escaped (S-142)."""
        return msgspec.json.encode(members(record), enc_hook=str).decode()


class ConsoleLines(logging.Formatter):
    """One line for each record, for people who watch a terminal."""

    _COLOURS: ClassVar = {"warning": "\x1b[33m", "error": "\x1b[31m"}

    def format(self, record: logging.LogRecord) -> str:
        """Write the event first, then its fields, control characters escaped."""
        shown = members(record)
        at, level, event = shown.pop("at"), shown.pop("level"), shown.pop("event")
        shown.pop("logger")
        fields = " ".join(f"{name}={_plain(value)}" for name, value in shown.items())
        colour = self._COLOURS.get(level, "") if sys.stderr.isatty() else ""
        return f"{colour}{at[11:19]} {level:7} {event}{chr(27) + '[0m' if colour else ''} {fields}".rstrip()


def members(record: logging.LogRecord) -> dict[str, Any]:
    """Give what is written of a record: when, how serious, who, what, the request, the fields."""
    written: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _event(record),
    }
    current = request_id.get()
    if current is not None:
        written["request_id"] = current
    written.update(getattr(record, "fields", {}))
    error = getattr(record, "error", None) or (record.exc_info[1] if record.exc_info else None)
    if error is not None:
        written.update(described(error))
    return written


def described(error: BaseException) -> dict[str, Any]:
    """Describe an exception without its text: classes from cause to effect, and the frames."""
    classes: list[str] = []
    current: BaseException | None = error
    while current is not None and len(classes) < _MOST_FRAMES:
        classes.append(f"{type(current).__module__}.{type(current).__qualname__}")
        current = current.__cause__ or current.__context__
    return {"error": " < ".join(classes), "trace": _frames(error.__traceback__)}


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    ]


def _event(record: logging.LogRecord) -> str:
    if hasattr(record, "fields"):
        return str(record.msg)
    # A library's own message: kept short, for it was not written with these rules in mind.
    return record.getMessage()[:_LONGEST]


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else repr(text)
