"""The parent of the server program and of the delivery worker: starts, restarts, reloads and stops them.

Signals wait to be taken one at a time (`sigtimedwait`), so that no handler ever interrupts anything:
TERM stops after a drain, INT at once, HUP reloads.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.outbound.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG: Final = get_logger("idp.server")
Mask = set["int | signal.Signals"]
_SIGNALS: Final = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1}
)
_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
_RESTART_SECONDS: Final = 1.0
#: Beyond the time that requests in flight have: for the processes themselves to end.
_MARGIN_SECONDS: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1


class StopFlag:
    """One byte that every process of the server sees: it has been asked to stop (S-375)."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Say so."""
        self._shared[0] = 1

    def is_set(self) -> bool:
        """Tell whether it was said."""
        return self._shared[0] == 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a supervisor runs.

    Attributes:
        serve: The server program; returns when it was told to stop.
        help: The delivery worker; None when it runs elsewhere.
        check: Raises when a reload would fail: then the old configuration stays.
        drain_seconds: Between "not ready" and the closing of the sockets, at TERM.
        graceful_seconds: What requests in flight have.
    """

    serve: Callable[[], None]
    help: Callable[[], None] | None
    check: Callable[[], object]
    drain_seconds: float
    graceful_seconds: float


class Supervisor:
    """Runs a plan until told to stop.

    Args:
        plan: What to run.
        stopping: Set as soon as a stop is asked.
        after_fork: Gives up here what the server program now holds, such as its socket.
    """

    def __init__(self, plan: Plan, stopping: StopFlag, after_fork: Callable[[], None]) -> None:
        self._plan = plan
        self._after_fork = after_fork
        self._stopping = stopping
        self._server = 0
        self._helper = 0
        self._helper_due: float | None = None
        self._close_at: float | None = None
        self._kill_at: float | None = None

    def run(self) -> int:
        """Start everything, and wait for its end.

        Returns:
            0 after a stop that was asked for, 1 when the server program ended by itself.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self._server = started(self._plan.serve, before)
            # A socket that is still open here would let clients in after the server has closed it.
            self._after_fork()
            self._start_helper(before)
            while self._server or self._helper:
                self._wait(before)
            return 0 if self._stopping.is_set() else 1
        finally:
            self._signal_both(signal.SIGKILL)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _wait(self, mask: Mask) -> None:
        received = signal.sigtimedwait(_SIGNALS, self._patience())
        if received is not None:
            self._take(signal.Signals(received.si_signo))
        now = time.monotonic()
        if self._helper_due is not None and now >= self._helper_due and not self._stopping.is_set():
            self._start_helper(mask)
        if self._close_at is not None and now >= self._close_at:
            self._close_at = None
            self._signal_both(signal.SIGTERM)
        if self._kill_at is not None and now >= self._kill_at:
            _LOG.error("stop_took_too_long")
            self._signal_both(signal.SIGKILL)

    def _patience(self) -> float:
        moments = (self._helper_due, self._close_at, self._kill_at)
        waits = [moment - time.monotonic() for moment in moments if moment is not None]
        return max(0.0, min([*waits, 1.0]))

    def _take(self, received: signal.Signals) -> None:
        if received == signal.SIGCHLD:
            self._reap()
        elif received in _STOPS:
            self._stop(received)
        elif received == signal.SIGHUP:
            self._reload()

    def _stop(self, received: signal.Signals) -> None:
        again = self._stopping.is_set()
        self._stopping.set()
        # Somebody who presses Ctrl-C is no load balancer; whoever asks twice is in a hurry.
        drain = 0.0 if again or received != signal.SIGTERM else self._plan.drain_seconds
        now = time.monotonic()
        self._close_at = now + drain
        self._kill_at = now + drain + self._plan.graceful_seconds + _MARGIN_SECONDS
        _LOG.info("stopping", drain_seconds=drain)

    def _reload(self) -> None:
        try:
            self._plan.check()
        except Exception:  # noqa: BLE001 - whatever is wrong with the new configuration, the old one serves on
            _LOG.exception("reload_refused")
            return
        _LOG.info("reloading")
        with suppress(ProcessLookupError):
            os.kill(self._server, signal.SIGHUP)
        if self._helper:
            # It finishes what it sends, ends, and is started with the new configuration.
            os.kill(self._helper, signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        if pid == self._server:
            self._server = 0
            if not self._stopping.is_set():
                _LOG.error("server_ended", code=code)
            self._helper_due = None
            if self._helper:
                os.kill(self._helper, signal.SIGTERM)
        elif pid == self._helper:
            self._helper = 0
            if self._server and not self._stopping.is_set():
                _LOG.warning("worker_ended", code=code)
                self._helper_due = time.monotonic() + _RESTART_SECONDS

    def _start_helper(self, mask: Mask) -> None:
        self._helper_due = None
        if self._plan.help is not None:
            self._helper = started(self._plan.help, mask)

    def _signal_both(self, which: signal.Signals) -> None:
        for pid in (self._server, self._helper):
            if pid:
                with suppress(ProcessLookupError):
                    # Killing the group: workers must not outlive a server program that hangs.
                    os.killpg(pid, which) if which == signal.SIGKILL else os.kill(pid, which)


def started(main: Callable[[], None], mask: Mask) -> int:
    """Run a function in a child process that ends with this one.

    Args:
        main: What the child does; its return ends the child.
        mask: Signals that the child blocks.

    Returns:
        The child's process id; it leads a group of its own, so that Ctrl-C reaches the supervisor alone.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        end_with_parent(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        main()
        code = 0
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last place where anything can be told
        _LOG.exception("process_failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def end_with_parent(parent: int) -> None:
    """Have the kernel send TERM when the parent dies, even by KILL: no process is left behind."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        # It died before the kernel was told.
        os._exit(1)
