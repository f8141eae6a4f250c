"""Prometheus metrics, of one process or of several that share a folder (OPS-3, PRI-3).

Labels are methods, route templates and statuses: nothing of a person, and few values.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: More processes at once than any machine runs workers.
_MOST_SLOTS: Final = 4096


class Metrics(Protocol):
    """Counts what happens."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""

    def exposition(self, gauges: Mapping[str, float]) -> bytes:
        """Write everything in Prometheus' text format, with some values of this moment."""


class NullMetrics:
    """Counts nothing: metrics are off."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Do nothing."""

    def exposition(self, gauges: Mapping[str, float]) -> bytes:
        """Write nothing."""
        del gauges
        return b""


class PrometheusMetrics:
    """Counts for Prometheus; when a folder is shared, for all processes of this server together."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._seconds = Histogram(
            "idp_request_duration_seconds",
            "Time to answer a request, by route.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._requests = Counter(
            "idp_requests",
            "Answered requests, by route and status.",
            ("method", "route", "status"),
            registry=registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request.

        Args:
            method: Of HTTP; anything unusual becomes "OTHER", so that labels stay few.
            route: The template of the path, never the path.
            status: Of the answer.
            seconds: How long it took.
        """
        known = method if method in {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"} else "OTHER"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(known, route).observe(seconds)

    def exposition(self, gauges: Mapping[str, float]) -> bytes:
        """Write everything in Prometheus' text format.

        Args:
            gauges: Values of this moment, by metric name.
        """
        registry = CollectorRegistry()
        folder = os.environ.get(_FOLDER)
        counted = MultiProcessCollector(registry, folder) if folder else None  # type: ignore[no-untyped-call] # the library's
        registry.register(_Gauges(gauges))
        own = generate_latest(self._registry) if counted is None else b""
        return own + generate_latest(registry)


class _Gauges:
    """Values read a moment ago."""

    def __init__(self, gauges: Mapping[str, float]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give one family for each value."""
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(name, name.replace("_", " "), value=value)


def share_between_processes(folder: Path) -> None:
    """Keep the counts in files, so that whichever worker answers /metrics tells those of all.

    Called before any metric is made. A file belongs to a slot, not to a process: a worker that replaces
    another goes on with its counts, and the number of files does not grow.

    Args:
        folder: Empty, and gone when the server stops.
    """
    os.environ[_FOLDER] = str(folder)
    slots = _Slots(folder)
    values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call] # the library's
        process_identifier=slots.own
    )


class _Slots:
    """Numbers for processes: the lowest that no living process holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = 0
        self._slot = 0
        self._lock = -1

    def own(self) -> int:
        """Give this process's number; the kernel frees it when the process dies, however it dies."""
        if self._pid != os.getpid():
            self._slot = self._take()
            self._pid = os.getpid()
        return self._slot

    def _take(self) -> int:
        for slot in range(_MOST_SLOTS):
            lock = os.open(self._folder / f"{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Not flock, which a fork shares: a record lock belongs to this process alone.
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
            else:
                self._lock = lock
                return slot
        raise OSError("no slot for the metrics of this process")
