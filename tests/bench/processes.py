"""What processes cost, read from /proc: processor time and memory of a process and all its descendants."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Places in /proc/<pid>/stat after the name, which may hold spaces (proc(5)).
_PARENT, _FIRST_TIME, _PAST_TIMES = 1, 11, 15


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    Args:
        pid: Its number.
        parent: Its parent's.
        seconds: Processor time of it, and of those of its children that have ended.
    """

    pid: int
    parent: int
    seconds: float


def tree(root: int) -> list[Process]:
    """List a process and its descendants.

    Args:
        root: Number of the first one.
    """
    everyone = [process for process in map(_read, _pids()) if process is not None]
    found = {root}
    # A child may have a smaller number than its parent: look until nobody is added.
    while more := {one.pid for one in everyone if one.parent in found} - found:
        found |= more
    return [one for one in everyone if one.pid in found]


def cpu_seconds(*roots: int) -> float:
    """Give the processor time, user and system, that process trees have taken.

    Args:
        roots: Numbers of the first processes.
    """
    return sum(process.seconds for root in roots for process in tree(root))


def leaves(root: int, *, depth: int) -> list[int]:
    """List the descendants that have no children, and stand so far below the first process.

    Args:
        root: Number of the first process.
        depth: One for its children.
    """
    parents = {process.pid: process.parent for process in tree(root)}
    return [
        pid
        for pid in parents
        if pid not in parents.values() and pid != root and _depth(pid, root, parents) >= depth
    ]


def proportional_bytes(pid: int) -> int:
    """Give the memory of a process, what it shares with others divided among them (PSS).

    Args:
        pid: Its number.
    """
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    message = f"no PSS of process {pid}"
    raise LookupError(message)


def _depth(pid: int, root: int, parents: dict[int, int]) -> int:
    depth = 0
    while pid != root:
        pid, depth = parents[pid], depth + 1
    return depth


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _read(pid: int) -> Process | None:
    # It may have ended since the list was made.
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks = sum(map(int, fields[_FIRST_TIME:_PAST_TIMES]))
        return Process(pid, int(fields[_PARENT]), ticks / _TICKS_A_SECOND)
    return None
