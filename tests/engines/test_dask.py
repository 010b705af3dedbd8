"""Work on the workers of a Dask scheduler, on loopback; one of them is killed in the middle."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.dask_work import away, die, square
from fixtures.tool_module import load_tool
from gmd_vae.common import extras
from gmd_vae.engines.dask import DaskEngine
from gmd_vae.engines.engine import EngineError
from gmd_vae.midi.convert import convert

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

load_tool("cluster_demo")  # the next one imports it
DEMO = load_tool("data_cluster_demo")

MakeMidi = Callable[..., bytes]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A scheduler and two workers, which find ``dask_work``."""
    with DEMO.DaskCluster(tmp_path_factory.mktemp("cluster"), Path(__file__).parent.parent) as running:
        running.start_scheduler()
        running.start_worker()
        running.start_worker()
        yield running


def no_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def test_results_and_errors_come_back(cluster: Any) -> None:
    engine = DaskEngine(cluster.address)
    assert sorted(engine.each(square, range(13))) == [number * number for number in range(13)]
    with pytest.raises(PermissionError, match="not this one"):
        list(engine.each(square, range(20)))
    with pytest.raises(EngineError, match=r"'0' is not there\. Share the disk"):
        list(engine.each(away, [0]))


def test_a_worker_that_is_killed_changes_nothing(cluster: Any, tmp_path: Path, make_midi: MakeMidi) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for number in range(700):
        (music / f"{number}.mid").write_bytes(make_midi([(tick * 100, 36) for tick in range(60 + number % 40)]))
    (music / "broken.mid").write_bytes(b"MThd")
    convert(music, tmp_path / "local")
    command = DEMO.gmd_vae(
        *("convert", str(music), "--output-dir", str(tmp_path / "dask")),
        *("--engine", "dask", "--scheduler", cluster.address),
    )
    killed_at, batches = DEMO.kill_in_the_middle(cluster, command, tmp_path / "dask", seconds=120)
    assert command.returncode == 0
    assert killed_at < batches
    assert DEMO.same_files(tmp_path / "local", tmp_path / "dask")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dask", "local", "music"]
    cluster.start_worker()


def test_no_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.engines.dask._CONNECT_SECONDS", 0.5)
    for address in (no_address(), "nonsense://here", "no.such.host.invalid:8786"):
        with pytest.raises(EngineError, match=r"There is no Dask scheduler at '.*dask scheduler") as caught:
            next(DaskEngine(address).each(square, [1]))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silence", "a web server"])
def test_something_else_at_the_address_is_one_line(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """The port of the dashboard, or a firewall that takes connections and passes nothing on."""
    monkeypatch.setattr("gmd_vae.engines.dask._CONNECT_SECONDS", 0.5)

    def serve() -> None:
        with contextlib.suppress(OSError):
            connections = []
            while True:
                connections.append(listening.accept()[0])
                connections[-1].sendall(answer)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(EngineError, match=r"There is no Dask scheduler at '.*dask scheduler") as caught:
            next(DaskEngine(address).each(square, [1]))
        assert time.monotonic() - begun < 10
        assert "\n" not in str(caught.value)
        listening.shutdown(socket.SHUT_RDWR)


def test_no_worker_and_then_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.engines.dask._WORKER_SECONDS", 1)
    messages: list[str] = []
    with DEMO.DaskCluster(tmp_path, Path(__file__).parent.parent) as cluster:
        scheduler = cluster.start_scheduler()
        engine = DaskEngine(cluster.address, messages.append)
        with pytest.raises(EngineError, match=r"has no workers\. Start some: dask worker tcp:"):
            next(engine.each(square, [1]))
        assert messages == [f"The scheduler at {cluster.address} has no workers yet: waiting 1 seconds for one."]
        monkeypatch.setattr("gmd_vae.engines.dask._WORKER_SECONDS", 60)
        cluster.start_worker()
        results = engine.each(time.sleep, [0.01] * 10 + [0.5] * 100)  # type: ignore[arg-type, list-item]
        next(results)
        scheduler.kill()
        with pytest.raises(EngineError, match=r"has gone away\. Start it again\. The same command continues"):
            list(results)


def test_a_worker_with_another_version_is_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.common.manifest.importlib.metadata.version", lambda package: "0.1")
    with pytest.raises(EngineError, match=r"has gmd-vae [\d.]+, this machine has 0\.1\. Install the same"):
        next(DaskEngine(cluster.address).each(square, [1]))


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(extras, "is_made_by_make", lambda: False)
    with pytest.raises(EngineError, match=r'pip install "gmd-vae\[cluster\]"'):
        next(DaskEngine("tcp://127.0.0.1:8786").each(square, [1]))


def test_work_that_kills_its_workers_ends_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")  # the default is three
    with DEMO.DaskCluster(tmp_path, Path(__file__).parent.parent) as cluster:
        cluster.start_scheduler()
        cluster.start_worker()
        with pytest.raises(EngineError, match="Several workers died of the same work"):
            list(DaskEngine(cluster.address).each(die, [1]))
