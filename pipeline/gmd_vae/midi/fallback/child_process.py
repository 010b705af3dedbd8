"""note_seq's own MIDI reader in a process of its own, with limits on memory and time.

For files that are damaged, or odd in a way that our reader does not know. Such files can make Magenta's
readers take all memory, or no end of time; here that costs one process, and an answer that says so. The
process starts with the first such file, and stays for the next ones. It ends with this process.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from gmd_vae.midi.reader.sequence import Body

SECONDS = 120  # for a file; one of 4 MiB takes half a minute
MEMORY = 768 << 20  # bytes that a file may make the process grow by

# What goes over the pipes: a length and the file; a kind, a length and the answer.
LENGTH = struct.Struct("<Q")
COUNTS = struct.Struct("<QQd")  # notes, drum notes, seconds: before the record
BODY, REFUSAL = b"B", b"R"

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from gmd_vae.midi.fallback.reference import serve; serve()"
)  # fmt: skip


class Refusal(NamedTuple):
    """Why there is no NoteSequence: the arguments of a ``MidiError``."""

    reason: str
    detail: str


def ask(data: bytes) -> Body | Refusal:
    """What note_seq makes of a MIDI file.

    Raises:
        TimeoutError: it takes longer than ``SECONDS``.
        MemoryError: the process died of the file.
    """
    with _lock:
        child = _running()
        try:
            return child.ask(data)
        except BaseException:  # also Ctrl-C: the next question must not get this one's answer
            child.end()
            raise


class _Child:
    def __init__(self) -> None:
        self.owner = os.getpid()
        # its own session: Ctrl-C in a terminal is for the process that asks
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread would take of the memory
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, data: bytes) -> Body | Refusal:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(LENGTH.pack(len(data)) + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise MemoryError from None
        until = time.monotonic() + SECONDS
        kind = self._read(1, until)
        content = self._read(LENGTH.unpack(self._read(LENGTH.size, until))[0], until)
        if kind == REFUSAL:
            return Refusal(*json.loads(content))
        return Body(content[COUNTS.size :], *COUNTS.unpack_from(content))

    def _read(self, size: int, until: float) -> bytes:
        assert self._process.stdout is not None
        found = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(found) < size:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError
                block = os.read(self._process.stdout.fileno(), size - len(found))
                if not block:
                    raise MemoryError
                found += block
        return bytes(found)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_lock = threading.Lock()
_child: _Child | None = None


def _running() -> _Child:
    global _child
    if _child is None or not _child.is_alive:
        if _child is None:
            atexit.register(_end)
        _child = _Child()
    return _child


def _end() -> None:
    if _child is not None and _child.is_alive:
        _child.end()
