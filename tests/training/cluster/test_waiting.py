"""Blocking calls: results, reports of absent processes, and Ctrl-C."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from gmd_vae.common.errors import Interrupted
from gmd_vae.training.cluster import waiting
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.waiting import Waiter, answers

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SECONDS_BETWEEN_POLLS", 0.01)
    monkeypatch.setattr(waiting, "_SECONDS_BEFORE_PROBING", 0.05)
    monkeypatch.setattr(waiting, "_SECONDS_TO_STOP", 0.1)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.fixture
def absent_port() -> Iterator[int]:
    with socket.socket() as bound:  # bound, but not listening
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def make(ps: int, chief: int) -> tuple[Waiter, threading.Event, list[str]]:
    addresses = {"ps": (f"127.0.0.1:{ps}",), "chief": (f"127.0.0.1:{chief}",), "worker": ("127.0.0.1:1",)}
    said: list[str] = []
    stop = threading.Event()
    return Waiter(Cluster("worker", 0, addresses, 2, 1, 2), stop, said.append), stop, said


def test_it_returns_the_result_or_raises_the_exception_of_the_call(listener: socket.socket) -> None:
    waiter, _, said = make(0, 0)
    assert waiter.wait_for(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        waiter.wait_for(lambda: 1 // 0)
    assert said == []


def test_it_reports_absent_processes_and_when_it_continues(listener: socket.socket, absent_port: int) -> None:
    waiter, _, said = make(listener.getsockname()[1], absent_port)
    waiter.wait_for(lambda: time.sleep(0.4))
    assert said == [f"waiting for chief (127.0.0.1:{absent_port}): no answer", "continuing"]


def test_it_reports_nothing_while_all_processes_answer(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    waiter, _, said = make(port, port)
    waiter.wait_for(lambda: time.sleep(0.3))
    assert said == []


def test_ctrl_c_leaves_a_call_that_does_not_end(absent_port: int) -> None:
    waiter, stop, _ = make(absent_port, absent_port)
    never = threading.Event()
    threading.Timer(0.05, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted, match="waiting for other machines"):
        waiter.wait_for(never.wait)
    assert time.monotonic() - begun < 5
    never.set()


def test_ctrl_c_lets_a_call_that_ends_end(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    waiter, stop, _ = make(port, port)
    waiter.wait_for(lambda: time.sleep(0.2))  # a call may take three times as long as the last one
    stop.set()
    assert waiter.wait_for(lambda: time.sleep(0.3) or "done") == "done"


def test_a_call_that_must_not_stop_is_not_interrupted(absent_port: int) -> None:
    waiter, stop, _ = make(absent_port, absent_port)
    stop.set()
    assert waiter.wait_for(lambda: time.sleep(0.4) or "saved", may_stop=False) == "saved"


def test_an_address_answers_only_if_a_process_listens(listener: socket.socket, absent_port: int) -> None:
    assert answers(f"127.0.0.1:{listener.getsockname()[1]}")
    assert not answers(f"127.0.0.1:{absent_port}")
    assert not answers("no-such-host.invalid:1")
