"""Calls that may block for as long as another machine is away. Ctrl-C works, and people hear who is missing.

While TensorFlow waits inside a call, Python cannot run a signal's handler in that thread. So the
call runs in a thread of its own, and the main thread looks at it every quarter of a second.
No TensorFlow here.
"""

from __future__ import annotations

import concurrent.futures
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from gmd_vae.common.errors import Interrupted
from gmd_vae.training.cluster.roles import Cluster

_T = TypeVar("_T")

_SECONDS_BETWEEN_LOOKS = 0.25
_SECONDS_BEFORE_PROBING = 10.0  # a step takes seconds at times, the first one more: no reason to speak
_SECONDS_BETWEEN_REMINDERS = 60.0
_SECONDS_TO_STOP = 2.0  # after Ctrl-C, for a call that is busy rather than blocked


class Patience:
    """Waits for the other processes of a job as long as it takes, but not after Ctrl-C.

    Args:
        cluster: whom to look for where nothing happens.
        stop: set by Ctrl-C or SIGTERM.
        say: takes lines for people.
    """

    def __init__(self, cluster: Cluster, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._cluster, self._stop, self._say = cluster, stop, say
        self._last = 0.0

    def wait_for(self, call: Callable[[], _T], *, may_stop: bool = True) -> _T:
        """Calls, and gives what the call gives or raises.

        Args:
            call: may block.
            may_stop: whether Ctrl-C ends the waiting; otherwise only a second one does, by its handler.

        Raises:
            Interrupted: Ctrl-C came, and the call does not end. Its thread stays blocked.
        """
        begun = time.monotonic()
        future = in_thread(call)
        absent = _Absent(self._cluster, self._say)
        stop_by: float | None = None
        while not concurrent.futures.wait([future], _SECONDS_BETWEEN_LOOKS).done:
            now = time.monotonic()
            if may_stop and self.is_stopping:
                # if the last call took as long, this one is busy rather than blocked: a step of a large model
                stop_by = stop_by or now + max(_SECONDS_TO_STOP, 3 * self._last)
                if now > stop_by:
                    raise Interrupted(
                        "Interrupted while waiting for other machines",
                        "The last checkpoint is kept; the same command goes on from there.",
                    )
            elif now - begun > max(_SECONDS_BEFORE_PROBING, 3 * self._last):
                absent.look()
        if not absent.over():
            self._last = time.monotonic() - begun
        return future.result()

    @property
    def is_stopping(self) -> bool:
        """Whether Ctrl-C or SIGTERM came."""
        return self._stop.is_set()

    def wait_until_there(self, address: str) -> None:
        """Returns when somebody listens at ``host:port``.

        Raises:
            Interrupted: Ctrl-C came before.
        """

        def there() -> None:
            while not answers(address):
                time.sleep(_SECONDS_BETWEEN_LOOKS)

        self.wait_for(there)

    def within(self, seconds: float, call: Callable[[], Any]) -> None:
        """Calls, but goes on after so many seconds; what goes wrong does not matter any more."""
        concurrent.futures.wait([in_thread(call)], seconds)


def in_thread(call: Callable[[], _T]) -> concurrent.futures.Future[_T]:
    """Starts a call in a daemon thread: should it never end, the process still can."""
    future: concurrent.futures.Future[_T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def answers(address: str) -> bool:
    """Whether somebody listens at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1):
            return True
    except OSError:
        return False


class _Absent:
    """Tells people who does not answer: when that changes, and again every minute."""

    def __init__(self, cluster: Cluster, say: Callable[[str], None]) -> None:
        self._cluster, self._say = cluster, say
        self._missing: dict[str, str] = {}
        self._said_at = 0.0

    def look(self) -> None:
        """Asks everybody; takes up to a second for each who is away."""
        missing = {role: address for role, address in self._cluster.others().items() if not answers(address)}
        now = time.monotonic()
        if missing and (missing != self._missing or now - self._said_at > _SECONDS_BETWEEN_REMINDERS):
            names = ", ".join(f"{role} ({address})" for role, address in missing.items())
            self._say(f"waiting for {names}: no answer")
            self._said_at = now
        self._missing = missing

    def over(self) -> bool:
        """The waiting is over; says so if it was said to begin."""
        if self._said_at:
            self._say("goes on")
        return bool(self._said_at)
