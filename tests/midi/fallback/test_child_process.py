"""note_seq's reader in its child process: limits, crashes, Ctrl-C and threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from gmd_vae.midi import midi_io, refusals
from gmd_vae.midi.fallback import child_process
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.reader.encoding import Record
from gmd_vae.midi.reading import STOCK
from gmd_vae.midi.refusals import MidiError

MakeMidi = Callable[..., bytes]
SMPTE = 0xE728  # a time division that our own reader leaves to note_seq


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    """Ends the child process before and after each test."""
    child_process._end()
    yield
    child_process._end()


def odd(make_midi: MakeMidi) -> bytes:
    """Returns a file that note_seq reads and our own reader does not: a delta time of five bytes."""
    data = make_midi(before=b"\x80\x80\x80\x80\x05\x99\x24\x40")
    assert not midi_io.reads_without_note_seq(data)
    return data


def reason_of(data: bytes) -> str:
    with pytest.raises(MidiError) as caught:
        midi_to_record(data, "c", "a.mid", STOCK)
    assert "'a.mid'" in str(caught.value)
    return caught.value.reason


def test_one_process_serves_many_files(make_midi: MakeMidi) -> None:
    first = midi_to_record(odd(make_midi), "c", "a.mid", STOCK)
    child = child_process._child
    assert first.notes == 4
    assert reason_of(make_midi(track=b"\x00\xf4")) == refusals.DAMAGED
    assert midi_to_record(odd(make_midi), "c", "a.mid", STOCK) == first
    assert child_process._child is child


def test_a_file_that_takes_too_long_is_refused_and_the_next_one_is_read(
    make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(child_process, "SECONDS", 0.2)
        patch.setattr(child_process, "_START", "import time; time.sleep(60)")
        begin = time.monotonic()
        assert reason_of(odd(make_midi)) == refusals.TOO_SLOW
        assert time.monotonic() - begin < 10
    assert midi_to_record(odd(make_midi), "c", "a.mid", STOCK).notes == 4


def test_a_file_that_kills_the_process_is_refused_and_the_next_one_is_read(
    make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(child_process, "_START", "import os, sys; sys.stdin.buffer.read(8); os.kill(os.getpid(), 9)")
        assert reason_of(odd(make_midi)) == refusals.TOO_MUCH_MEMORY
    assert midi_to_record(odd(make_midi), "c", "a.mid", STOCK).notes == 4


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc/self/statm")  # noqa: PTH110
def test_memory_is_bounded(make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    greedy = "from gmd_vae.midi.fallback import reference; reference._read = lambda data: bytearray(4 << 30); "
    monkeypatch.setattr(child_process, "_START", child_process._START.replace("from gmd_vae", f"{greedy}from gmd_vae"))
    with pytest.raises(MidiError) as caught:
        midi_to_record(odd(make_midi), "c", "a.mid", STOCK)
    assert caught.value.reason == refusals.TOO_MUCH_MEMORY


def test_ctrl_c_while_waiting_is_no_refusal_and_leaves_no_answer_behind(
    make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(child_process._Child, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            midi_to_record(make_midi(ticks_per_quarter=SMPTE), "c", "a.mid", STOCK)
    assert midi_to_record(odd(make_midi), "c", "a.mid", STOCK).notes == 4


def test_each_thread_gets_the_record_of_its_own_file(make_midi: MakeMidi) -> None:
    files = [make_midi(before=b"\x80\x80\x80\x80" + bytes([number]) + b"\x99\x24\x40") for number in range(8)]
    alone = [midi_to_record(data, "c", "a.mid", STOCK) for data in files]
    records: dict[int, Record] = {}
    threads = [
        threading.Thread(
            target=lambda number=number: records.update({number: midi_to_record(files[number], "c", "a.mid", STOCK)})
        )
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [records[number] for number in range(8)] == alone
