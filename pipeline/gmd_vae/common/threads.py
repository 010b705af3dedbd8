"""Calls in threads of their own, for calls that may block for ever."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def in_thread(call: Callable[[], _T]) -> concurrent.futures.Future[_T]:
    """Starts a call in a daemon thread, which does not keep the process from ending."""
    future: concurrent.futures.Future[_T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
