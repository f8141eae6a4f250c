"""`make bench`: starts the server, drives it, and prints what each operation costs.

The measure is processor time of the server and its database, which a busy machine disturbs little; latencies are
those of a machine that runs server, database and clients at once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType

from idp.config import Settings
from tests.bench import places
from tests.bench.measure import Options, prepare
from tests.bench.report import Result, as_json, machine, table
from tests.bench.visits import OPERATIONS


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    # A supervisor's TERM ends the servers too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, _stop)
    folder = Path(mkdtemp(prefix="idp-bench-"))
    # Others may pass through, not look: PostgreSQL runs as another user when root measures.
    folder.chmod(0o711)
    try:
        described, results = _measured(chosen.databases, _options(chosen), folder)
    finally:
        shutil.rmtree(folder)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(as_json(described, results), indent=1) + "\n")


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    server = Settings().server
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql", type=_words, help="which to measure")
    parser.add_argument("--engines", default=server.engine, type=_words, help="such as gunicorn,granian")
    parser.add_argument("--operations", default="", help="only those whose name contains this")
    parser.add_argument("--accounts", default="10000", type=_numbers, help="such as 10000,100000,1000000")
    parser.add_argument("--seconds", default=2.5, type=float, help="of load for each operation")
    parser.add_argument("--clients", default=8, type=int, help="at once")
    parser.add_argument("--workers", default=2, type=int, help="processes of the server")
    parser.add_argument("--threads", default=server.threads, type=int, help="of each worker")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    return parser.parse_args()


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        engines=chosen.engines,
        operations=tuple(name for name in OPERATIONS if chosen.operations in name),
        accounts=chosen.accounts,
        seconds=chosen.seconds,
        clients=chosen.clients,
        workers=chosen.workers,
        threads=chosen.threads,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(word) for word in _words(text)))


def _measured(
    databases: tuple[str, ...], options: Options, folder: Path
) -> tuple[dict[str, str], list[Result]]:
    results = []
    with places.postgresql(folder) as (postgresql, version):
        described = machine(version)
        _say("\n".join(f"{name}: {value}" for name, value in described.items()))
        _say(f"load of the machine before: {os.getloadavg()[0]:.2f}\n")
        known = {"sqlite": places.sqlite(folder, sqlite3.sqlite_version), "postgresql": postgresql}
        for database in databases:
            own = folder / f"{database}-files"
            own.mkdir(mode=0o700)
            bench, prepared = prepare(options, known[database], own)
            for result in bench.results(prepared, _say):
                _say(table(result))
                results.append(result)
    return described, results


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
