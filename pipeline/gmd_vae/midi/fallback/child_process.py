"""Runs note_seq's own MIDI reader in a child process, with limits on memory and time.

For files that are damaged, or odd in a way that our reader does not support. Such files can make Magenta's readers
take all memory or run without end. Here that costs one process, and ends in a ``Refusal`` or an error. The process
starts with the first such file, serves the next ones too, and ends with its parent.
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

from gmd_vae.midi.reader.account import Account
from gmd_vae.midi.reader.encoding import Record

SECONDS = 120  # limit for one file; 4 MiB take half a minute
MEMORY = 768 << 20  # bytes by which the child process may grow

# Protocol. Request: LENGTH, file. Response: RECORD or REFUSAL, LENGTH, content.
LENGTH = struct.Struct("<Q")
COUNTS = struct.Struct("<QQdQ")  # notes, drum notes, seconds, and the length of the account as JSON, which follows
RECORD, REFUSAL = b"B", b"R"

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from gmd_vae.midi.fallback.reference import serve; serve()"
)  # fmt: skip


class Refusal(NamedTuple):
    """A file that note_seq does not convert: reason and detail of a ``MidiError``."""

    reason: str
    detail: str


def convert(data: bytes) -> Record | Refusal:
    """Converts a MIDI file with note_seq in the child process.

    Args:
        data: Bytes of the file.

    Returns:
        The record without id, filename and collection name, or the refusal.

    Raises:
        TimeoutError: The conversion takes longer than ``SECONDS``.
        MemoryError: The process died of the file.
    """
    with _lock:
        child = _running_child()
        try:
            return child.convert(data)
        except BaseException:  # also Ctrl-C: the next request must not get the response to this one
            child.end()
            raise


class _Child:
    """The child process and its pipes. It belongs to one parent: a fork of the parent starts its own."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        # its own session: Ctrl-C in a terminal is for the parent
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # the address space of each thread counts as memory
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def convert(self, data: bytes) -> Record | Refusal:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(LENGTH.pack(len(data)) + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise MemoryError from None
        deadline = time.monotonic() + SECONDS
        kind = self._read(1, deadline)
        content = self._read(LENGTH.unpack(self._read(LENGTH.size, deadline))[0], deadline)
        if kind == REFUSAL:
            return Refusal(*json.loads(content))
        notes, drum_notes, seconds, size = COUNTS.unpack_from(content)
        begin = COUNTS.size + size
        account = Account.parse(json.loads(content[COUNTS.size : begin]))
        return Record(content[begin:], notes, drum_notes, seconds, account)

    def _read(self, size: int, deadline: float) -> bytes:
        """Reads ``size`` bytes, or raises TimeoutError at the deadline and MemoryError at the end of the pipe."""
        assert self._process.stdout is not None
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(received) < size:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                block = os.read(self._process.stdout.fileno(), size - len(received))
                if not block:
                    raise MemoryError
                received += block
        return bytes(received)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_lock = threading.Lock()
_child: _Child | None = None


def _running_child() -> _Child:
    global _child
    if _child is None or not _child.is_alive:
        if _child is None:
            atexit.register(_end)
        _child = _Child()
    return _child


def _end() -> None:
    if _child is not None and _child.is_alive:
        _child.end()
