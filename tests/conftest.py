"""What tests of several rooms share: the real data where there is some, and a web server on loopback."""

from __future__ import annotations

import hashlib
import http.server
import os
import re
import signal
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import pytest

from pipeline.sources.download import RemoteFile
from pipeline.training.threads import share_processors

TEST_DATA_VARIABLE = "GMD_VAE_TEST_DATA"

# A shell that starts the tests in the background makes them, and all they start, deaf to Ctrl-C; some
# tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# TensorFlow starts once for all tests of a process, with the threads that it has in a process of its own that trains:
# a run must be able to begin in the one and end in the other, bit for bit.
share_processors()


# What takes longest, longest first: with these at the start, the processes that share the tests come to their end
# together. The other files follow as pytest has found them.
LONG = (
    "test_whole_path.py",
    "test_as_magenta.py",
    "test_cluster_run.py",
    "test_kill.py",
    "test_notebook.py",
    "test_stock_scripts.py",
    "test_randomness_of_models.py",
    "test_loop.py",
    "test_magenta.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the files in ``LONG`` first."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real data; tests that need it are skipped where there is none."""
    folder = os.environ.get(TEST_DATA_VARIABLE)
    if not folder:
        pytest.skip(f"{TEST_DATA_VARIABLE} is not set: it names the folder with the real data")
    return Path(folder)


@pytest.fixture(scope="session")
def groove_archive(test_data: Path) -> Path:
    """The Groove MIDI Dataset's official MIDI-only archive."""
    archive = test_data / "groove-v1.0.0-midionly.zip"
    if not archive.is_file():
        pytest.skip(f"there is no {archive.name} in {TEST_DATA_VARIABLE}")
    return archive


@pytest.fixture(scope="session")
def make_midi() -> Callable[..., bytes]:
    """Builds a MIDI file: ``make_midi(hits=[(tick, pitch), ...])``, or from raw track bytes."""

    def number(value: int) -> bytes:
        digits = [value & 0x7F]
        while value := value >> 7:
            digits.insert(0, 0x80 | (value & 0x7F))
        return bytes(digits)

    def build(
        hits: Sequence[tuple[int, int]] = ((0, 36), (240, 42), (480, 38)),
        *,
        before: bytes = b"",
        track: bytes | None = None,
        ticks_per_quarter: int = 480,
    ) -> bytes:
        """``before``: raw events (with their delta times) ahead of the hits; ``track``: instead of all."""
        if track is None:
            track, now = before, 0
            for tick, pitch in hits:
                assert tick >= now, "hits come in order, 60 ticks apart"
                track += number(tick - now) + bytes([0x99, pitch, 100]) + number(60) + bytes([0x89, pitch, 0])
                now = tick + 60
            track += b"\x00\xff\x2f\x00"
        header = b"MThd" + struct.pack(">LhhH", 6, 0, 1, ticks_per_quarter)
        return header + b"MTrk" + struct.pack(">L", len(track)) + track

    return build


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``made_once(path, make)``: a folder that ``make(folder)`` fills, in one test process for all of them."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder of its own in it

    def made(path: str, make: Callable[[Path], Any]) -> Path:
        folder, name = root / "shared" / path, path.replace("/", "-")
        folder.parent.mkdir(parents=True, exist_ok=True)
        done = root / "shared" / f"{name}.done"
        with filelock.FileLock(root / "shared" / f"{name}.lock"):
            if not done.exists():
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def groove_notes(groove_archive: Path, made_once: Callable[..., Path]) -> Path:
    """The whole Groove MIDI Dataset as ``gmd-vae convert`` writes it. Do not write to it."""
    from pipeline.notes.convert import convert

    return made_once("notes/groove", lambda folder: convert(groove_archive, folder))


class FileServer(http.server.ThreadingHTTPServer):
    """Serves ``body`` on loopback; ``script`` says how the next requests are answered, then all is well."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body = body
        self.script: list[str] = []
        self.ranges: list[str] = []  # the Range header of each request
        self.etag = '"one"'

    @property
    def remote(self) -> RemoteFile:
        url = f"http://127.0.0.1:{self.server_address[1]}/groove.zip"
        return RemoteFile(url, len(self.body), hashlib.sha256(self.body).hexdigest())

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is what some tests are about


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.ranges.append(wanted)
        how = server.script.pop(0) if server.script else "ok"
        if how.isdecimal():
            self.answer(int(how), b"no")
        elif how == "portal":
            self.answer(200, b"<html>Please sign in to the network</html>")
        elif how == "hang up":
            self.close_connection = True
        elif how == "endless":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(len(server.body) // 1000 + 100_000):  # until the client has enough
                self.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        else:
            self.file(how, wanted)

    def file(self, how: str, wanted: str) -> None:
        body, start, status, extra = self.server.body, 0, 200, {"ETag": self.server.etag}
        match = re.fullmatch(r"bytes=(\d+)-", wanted)
        if match and how != "no ranges" and self.headers.get("If-Range", self.server.etag) == self.server.etag:
            start, status = int(match[1]), 206
            said = start + 7 if how == "wrong range" else start
            extra["Content-Range"] = f"bytes {said}-{len(body) - 1}/{len(body)}"
        if how == "other bytes":
            body = bytes(len(body))
        self.answer(status, body[start:], extra, cut=how == "cut")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def small_groove() -> dict[str, bytes]:
    """An archive's files in the layout of the Groove MIDI Dataset."""
    row = "drummer1,drummer1/s,drummer1/s/1,rock,120,beat,4-4,drummer1/s/1.mid,x.wav,2.0,train\r\n"
    header = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"
    return {
        "groove/info.csv": (header + row).encode(),
        "groove/README": b"read me",
        "groove/drummer1/s/1.mid": b"MThd" + os.urandom(200_000),
        "groove/drummer1/s/Icon\r": b"",
    }


@pytest.fixture
def small_groove_zip(small_groove: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in small_groove.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def server(small_groove_zip: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A web server with the small archive; ``server.remote`` describes it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer(small_groove_zip.read_bytes()) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


@pytest.fixture(scope="session")
def starter_notes(made_once: Callable[..., Path]) -> Path:
    """The starter set as ``gmd-vae convert`` writes it. Do not write to it."""
    from pipeline.notes.convert import convert
    from pipeline.sources.starter import write_starter

    raw = made_once("raw/starter", write_starter)
    return made_once("notes/starter", lambda folder: convert(raw, folder))


@pytest.fixture(scope="session")
def starter_examples(starter_notes: Path, made_once: Callable[..., Path]) -> Path:
    """The starter set's windows for the default config. Do not write to it."""
    from pipeline.examples.preprocess import preprocess
    from pipeline.models.extraction import extractor_for
    from pipeline.models.registry import DEFAULT_CONFIG, get_config

    def make(folder: Path) -> None:
        preprocess(starter_notes, folder, extractor_for(get_config(DEFAULT_CONFIG)), config=DEFAULT_CONFIG)

    return made_once(f"examples/starter-windows/{DEFAULT_CONFIG}", make)


# Small enough to build and step quickly; every layer of the default config is still there.
TINY = "enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=4,batch_size=16"


@pytest.fixture(scope="session")
def tiny_run(starter_examples: Path, made_once: Callable[..., Path]) -> Path:
    """A run of the default config at tiny sizes, trained for three steps. Do not write to it."""
    from pipeline.models.hparams import resolve
    from pipeline.models.registry import DEFAULT_CONFIG, get_config
    from pipeline.training.examples import open_examples
    from pipeline.training.loop import train
    from pipeline.training.run import Plan, Run

    def make(folder: Path) -> None:
        config = get_config(DEFAULT_CONFIG)
        examples = open_examples(starter_examples, config)
        folder.mkdir()
        run = Run(folder, config, resolve(config, TINY), 1, examples.folder, examples.digest)
        run.describe(Plan(3))
        train(run, examples, Plan(3))

    return made_once("runs/tiny", make)


@pytest.fixture(scope="session")
def starter_midi(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The starter set's MIDI files, in the order of their names."""
    from pipeline.sources.starter import write_starter

    folder = tmp_path_factory.mktemp("midi") / "starter"
    write_starter(folder)
    return sorted(folder.rglob("*.mid"))
