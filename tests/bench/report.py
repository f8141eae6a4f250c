"""What was measured, as tables for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import sqlite3
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("authlib", "cryptography", "flask", "granian", "gunicorn", "psycopg", "sqlalchemy")
#: Milliseconds of processor time that an operation may cost; of the login, beside the hash.
GOALS = {
    "code: /authorize + /token": 3.0,
    "refresh, confidential": 1.5,
    "refresh, public": 1.5,
    "client credentials": 0.7,
    "userinfo": 0.6,
    "introspection": 0.6,
    "discovery": 0.15,
    "JWKS": 0.15,
    "password login": 5.0,
}
LOGIN = "password login"


@dataclass(frozen=True, slots=True)
class Measure:
    """One operation under load.

    Args:
        operation: Its name.
        count: How often it was done.
        per_second: How often a second.
        p50: Median latency, in milliseconds.
        p95: That of the slowest twentieth.
        p99: That of the slowest hundredth.
        cpu: Milliseconds of processor time of server and database for one.
        reconnections: How often the server had closed a connection.
    """

    operation: str
    count: int
    per_second: float
    p50: float
    p95: float
    p99: float
    cpu: float
    reconnections: int

    @classmethod
    def of(cls, operation: str, measured: dict[str, Any], cpu_seconds: float) -> Measure:
        """Sum up what the clients and /proc say.

        Args:
            operation: Its name.
            measured: By the clients.
            cpu_seconds: Of server and database, meanwhile.
        """
        latencies: list[float] = sorted(1000 * seconds for seconds in measured["latencies"])
        count = len(latencies)

        def part(share: float) -> float:
            return latencies[min(count - 1, int(share * count))]

        return cls(
            operation,
            count,
            count / measured["seconds"],
            part(0.5),
            part(0.95),
            part(0.99),
            1000 * cpu_seconds / count,
            measured["reconnections"],
        )


@dataclass(frozen=True, slots=True)
class Floor:
    """What nothing can be cheaper than, in milliseconds of processor time."""

    answer: float
    signature: float
    commit: float

    @property
    def total(self) -> float:
        """One of each."""
        return self.answer + self.signature + self.commit


@dataclass
class Result:
    """One database under one server program.

    Args:
        database: With its version.
        engine: The server program.
        floor: Of the same run.
        hash_cpu: Milliseconds of processor time of one password check.
        start_seconds: From the command to the first answer.
        worker_bytes: Memory of each idle worker.
        all_bytes: Memory of all idle processes.
    """

    database: str
    engine: str
    floor: Floor
    hash_cpu: float
    start_seconds: float = 0.0
    worker_bytes: list[int] = field(default_factory=list)
    all_bytes: int = 0
    measures: list[Measure] = field(default_factory=list)
    statements: dict[str, Any] = field(default_factory=dict)
    #: By the number of accounts, the measures among so many.
    crowds: dict[int, list[Measure]] = field(default_factory=dict)


def machine(postgresql: str) -> dict[str, str]:
    """Describe the machine.

    Args:
        postgresql: Version of the server.
    """
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": postgresql,
        **{name: version(name) for name in _PACKAGES},
    }


def as_json(described: dict[str, str], results: list[Result]) -> dict[str, Any]:
    """Put everything into one document.

    Args:
        described: The machine.
        results: One for each database and engine.
    """
    return {"machine": described, "results": [asdict(result) for result in results]}


def table(result: Result) -> str:
    """Write the table of one database under one server program.

    Args:
        result: What was measured.
    """
    floor = result.floor
    workers = " + ".join(f"{size / 2**20:.0f}" for size in result.worker_bytes)
    lines = [
        f"## {result.database}, {result.engine}",
        "",
        (
            f"Floor: {floor.total:.2f} ms = empty answer {floor.answer:.2f} + ES256 {floor.signature:.2f}"
            f" + commit {floor.commit:.2f}. One password check: {result.hash_cpu:.1f} ms."
        ),
        (
            f"Start to first answer: {result.start_seconds:.2f} s. Idle memory: workers {workers} MB,"
            f" everything {result.all_bytes / 2**20:.0f} MB."
        ),
        "",
        "| operation | /s | p50 ms | p95 ms | p99 ms | CPU ms | goal | statements | transactions | × floor |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_row(result, measure) for measure in result.measures),
    ]
    return "\n".join(lines) + "\n" + _crowds(result)


def _row(result: Result, measure: Measure) -> str:
    goal = GOALS[measure.operation]
    shown = f"{goal:g}"
    if measure.operation == LOGIN:
        goal += result.hash_cpu
        shown = f"{goal:.1f}"
    counted = result.statements[measure.operation]
    mark = "" if measure.cpu <= goal else " (missed)"
    return (
        f"| {measure.operation} | {measure.per_second:.0f} | {measure.p50:.1f} | {measure.p95:.1f} |"
        f" {measure.p99:.1f} | {measure.cpu:.2f} | {shown}{mark} | {counted.statements} |"
        f" {counted.transactions} | {measure.cpu / result.floor.total:.1f} |"
    )


def _crowds(result: Result) -> str:
    if not result.crowds:
        return ""
    names = [measure.operation for measure in next(iter(result.crowds.values()))]
    lines = [
        "",
        "CPU ms per operation among so many accounts:",
        "",
        "| accounts | " + " | ".join(names) + " |",
        "|--:|" + "--:|" * len(names),
        *(
            f"| {accounts:,} | " + " | ".join(f"{measure.cpu:.2f}" for measure in measures) + " |"
            for accounts, measures in result.crowds.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
