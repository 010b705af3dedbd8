"""Requests to stop: Ctrl-C (SIGINT), SIGTERM, and SIGHUP, which the end of a terminal or of an SSH session sends.

One request often arrives as several signals: a terminal that closes and ``timeout`` both signal the process and its
group. Signals within a second of the first are therefore the same request.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # built in; `signal` takes longer, for each --help
import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SAME_REQUEST = 1.0  # seconds


class _StopRequested(KeyboardInterrupt):
    """Of a type of its own: after an exact ``KeyboardInterrupt`` in an import, Python exits as killed by SIGINT."""


_received: int | None = None  # the signal of the last request
_defers = _is_due = False  # ``deferred``


def exit_status() -> int:
    """Returns the exit status after a stop: 130 after Ctrl-C, 143 after SIGTERM and SIGHUP."""
    return 130 if _received in (None, signal.SIGINT) else 143


def is_requested() -> bool:
    """Returns True after a request to stop."""
    return _received is not None


def forget() -> None:
    """Forgets requests of earlier commands in this process."""
    global _received
    _received = None


def leave_at_once() -> None:
    """Lets signals end this process at once from now on, after its work."""
    _install(lambda: os._exit(exit_status()))


def end_process(status: int) -> None:
    """Ends this process after a request to stop, without Python's own last steps.

    Those can crash while a library's thread still runs: "PyThreadState_Get: the function must be called with the GIL
    held". What is registered to run at the end, such as the removal of temporary folders, does run.

    Args:
        status: Exit status.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def interrupt() -> None:
    """Lets signals raise ``KeyboardInterrupt`` from now on, so that a command cleans up as after Ctrl-C."""
    sys.unraisablehook = _quiet_unraisable
    sys.excepthook = _quiet_exception
    atexit.register(_ignore)
    _install(_raise)


@contextlib.contextmanager
def on_request(function: Callable[[], None]) -> Iterator[None]:
    """Calls a function, in the main thread, at each request to stop; restores the earlier handlers at the end.

    Signal handlers exist in the main thread only: in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _install(function)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Blocks the signals in this thread, and in processes that start in the block: the parent stops those.

    Terminals and ``timeout`` signal a whole process group. Children inherit the blocked signals, so that a signal
    cannot interrupt even their start. A signal that another thread receives, such as one of NumPy's, would still
    interrupt this one, between the start of a child and the data that the child waits for. So it is deferred, too.
    """
    with deferred():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _install(function: Callable[[], None]) -> dict[int, Any]:
    """Installs a handler that calls a function once for each request; returns the earlier handlers."""
    last = -_SAME_REQUEST

    def handle(number: int, frame: Any) -> None:
        global _received
        nonlocal last
        if (now := time.monotonic()) - last < _SAME_REQUEST:
            return
        last = now
        _received = number
        function()

    # nohup ignores SIGHUP, and so do its children
    numbers = [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handle) for number in numbers}


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Delays an interruption to the end of the block: matplotlib's C code can crash if Python raises an error in it.

    Raises:
        KeyboardInterrupt: At the end, if there was a request to stop.
    """
    global _defers, _is_due
    before, _defers = _defers, True
    try:
        yield
    finally:
        _defers = before
        if _is_due and not before:
            _is_due = False
            raise _StopRequested


def _raise() -> None:
    global _is_due
    if _defers:
        _is_due = True
    else:
        raise _StopRequested


def _ignore() -> None:
    """Ignores the signals in the last milliseconds, in which Python would restore their default: to kill."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _quiet_unraisable(unraisable: Any) -> None:
    """Shows no traceback for a ``KeyboardInterrupt`` that Python could not raise, in a finaliser for example."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def _quiet_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Shows no traceback of a request to stop that C code prints: NumPy's ``import_array`` does, for any error."""
    if not isinstance(error, _StopRequested):
        sys.__excepthook__(kind, error, traceback)
