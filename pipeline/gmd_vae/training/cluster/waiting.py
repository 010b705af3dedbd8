"""Blocking calls that Ctrl-C can interrupt, and that report which machines do not answer. No TensorFlow here.

While TensorFlow blocks inside a call, Python cannot run a signal handler in that thread. So the call runs in a thread
of its own, and the main thread polls it every quarter of a second.
"""

from __future__ import annotations

import concurrent.futures
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from gmd_vae.common.errors import Interrupted
from gmd_vae.common.threads import in_thread
from gmd_vae.training.cluster.roles import Cluster

_T = TypeVar("_T")

_SECONDS_BETWEEN_POLLS = 0.25
_SECONDS_BEFORE_PROBING = 10.0  # a step may take seconds, the first one longer: no reason for a message
_SECONDS_BETWEEN_REMINDERS = 60.0
_SECONDS_TO_STOP = 2.0  # after Ctrl-C, for a call that is busy rather than blocked


class Waiter:
    """Runs calls that may block while another process of the job is away.

    Args:
        cluster: Addresses to probe when a call blocks.
        stop: Event set by Ctrl-C or SIGTERM.
        report: Prints a line for people.
    """

    def __init__(self, cluster: Cluster, stop: threading.Event, report: Callable[[str], None]) -> None:
        self._cluster, self._stop, self._report = cluster, stop, report
        self._last_seconds = 0.0

    def wait_for(self, call: Callable[[], _T], *, may_stop: bool = True) -> _T:
        """Runs a call in a thread; returns its result or raises its exception.

        Args:
            call: Function that may block.
            may_stop: True if Ctrl-C ends the wait. Otherwise only a second Ctrl-C does, by its signal handler.

        Raises:
            Interrupted: Ctrl-C came and the call does not end. Its thread stays blocked.
        """
        begun = time.monotonic()
        future = in_thread(call)
        absences = _AbsenceReporter(self._cluster, self._report)
        stop_by: float | None = None
        while not concurrent.futures.wait([future], _SECONDS_BETWEEN_POLLS).done:
            now = time.monotonic()
            if may_stop and self.is_stopping:
                # after a slow call the next one is likely busy, not blocked: one step of a large model
                stop_by = stop_by or now + max(_SECONDS_TO_STOP, 3 * self._last_seconds)
                if now > stop_by:
                    raise Interrupted(
                        "Interrupted while waiting for other machines",
                        "The last checkpoint is kept; the same command resumes from there.",
                    )
            elif now - begun > max(_SECONDS_BEFORE_PROBING, 3 * self._last_seconds):
                absences.probe()
        if not absences.finish():
            self._last_seconds = time.monotonic() - begun
        return future.result()

    @property
    def is_stopping(self) -> bool:
        """True after Ctrl-C or SIGTERM."""
        return self._stop.is_set()

    def wait_for_listener(self, address: str) -> None:
        """Waits until a process listens at an address.

        Args:
            address: Address as ``host:port``.

        Raises:
            Interrupted: Ctrl-C came before.
        """

        def poll() -> None:
            while not answers(address):
                time.sleep(_SECONDS_BETWEEN_POLLS)

        self.wait_for(poll)

    def wait_at_most(self, seconds: float, call: Callable[[], Any]) -> None:
        """Runs a call in a thread and returns when it ends or the time is over; ignores its exceptions."""
        concurrent.futures.wait([in_thread(call)], seconds)


def answers(address: str) -> bool:
    """Returns True if a process listens at ``host:port``; takes up to a second."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1):
            return True
    except OSError:
        return False


class _AbsenceReporter:
    """Reports which processes do not answer: when that changes, and again every minute."""

    def __init__(self, cluster: Cluster, report: Callable[[str], None]) -> None:
        self._cluster, self._report = cluster, report
        self._missing: dict[str, str] = {}
        self._reported_at = 0.0

    def probe(self) -> None:
        """Probes all other processes; takes up to a second for each absent one."""
        missing = {role: address for role, address in self._cluster.others().items() if not answers(address)}
        now = time.monotonic()
        if missing and (missing != self._missing or now - self._reported_at > _SECONDS_BETWEEN_REMINDERS):
            names = ", ".join(f"{role} ({address})" for role, address in missing.items())
            self._report(f"waiting for {names}: no answer")
            self._reported_at = now
        self._missing = missing

    def finish(self) -> bool:
        """Ends the wait. Returns True, and reports it, if an absence was reported."""
        if self._reported_at:
            self._report("continuing")
        return bool(self._reported_at)
