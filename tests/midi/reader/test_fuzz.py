"""Our MIDI reader against note_seq's, on random files: as Magenta's stack reads them, and every hit.

`make fuzz` runs the same comparisons for longer.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from fixtures.against_note_seq import ACCEPTED, Difference, compare, compare_every_hit, small_files
from fixtures.midi_strategies import Choices, build, chunk, damage, decisions, header, split_chunks, split_events
from gmd_vae.midi import refusals
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.reader.account import NO_EVENTS, NO_LENGTH
from gmd_vae.midi.reader.encoding import Record
from gmd_vae.midi.reading import STOCK
from hypothesis import HealthCheck, event, given, settings

FUZZED = settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def corpus(starter_midi: list[Path]) -> list[bytes]:
    folder = os.environ.get("GMD_VAE_TEST_DATA")
    return small_files(Path(folder) if folder else None, starter_midi)


def check(data: bytes) -> None:
    """Runs both comparisons and puts the file into the error message."""
    try:
        event(f"as Magenta's stack: {compare(data)}")
        event(f"every hit: {compare_every_hit(data)}")
    except Exception as error:
        raise AssertionError(f"{error}\n{data.hex()}") from error


@FUZZED
@given(decisions(200, 800))
def test_files_of_random_events_are_read_as_note_seq_reads_them_or_their_rewriting(choices: bytes) -> None:
    check(build(choices))


def test_damaged_files_are_read_as_note_seq_reads_them_or_their_rewriting(corpus: list[bytes]) -> None:
    @FUZZED
    @given(decisions(20, 80))
    def every(choices: bytes) -> None:
        check(damage(choices, corpus))

    every()


def test_what_is_built_without_illegal_events_is_accepted() -> None:
    rng = random.Random(3)
    tame = [compare(build(b"\x00" + rng.randbytes(300))) for _ in range(100)]
    assert tame.count(ACCEPTED) > 90  # a few are a track without events


def test_compare_detects_each_wrong_part_of_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the comparison itself."""
    good = midi_to_record(build(b""), "c", "a.mid", STOCK)
    for wrong in (
        good._replace(data=good.data.replace(b"a.mid", b"b.mid")),
        good._replace(data=good.data + good.data),
        good._replace(data=good.data[:-1]),
        good._replace(notes=1),
        good._replace(drum_notes=-1),
        good._replace(seconds=1.0),
        good._replace(account=good.account._replace(note_ons=1)),
        good._replace(account=good.account._replace(dropped={NO_LENGTH: 1})),
    ):
        monkeypatch.setattr("fixtures.against_note_seq.midi_to_record", lambda *_, answer=wrong: answer)
        for function in (compare, compare_every_hit):
            with pytest.raises(Difference):
                function(build(b""))


def test_a_file_that_only_one_refuses_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Record:
        raise refusals.MidiError(refusals.DAMAGED, "a.mid")

    nothing = Record(b"", 0, 0, 0.0, NO_EVENTS)
    monkeypatch.setattr("fixtures.against_note_seq.midi_to_record", lambda *_: nothing)
    with pytest.raises(Difference, match="note_seq refuses"):
        compare(b"no MIDI")
    monkeypatch.setattr("fixtures.against_note_seq.midi_to_record", refuse)
    with pytest.raises(Difference, match="ours refuses"):
        compare(build(b"\x00" * 9 + b"\x01"))


def test_no_byte_is_lost_when_a_file_is_taken_apart(corpus: list[bytes]) -> None:
    for data in corpus:
        chunks = split_chunks(data)
        assert b"".join(chunks) == data
        for part in chunks:
            assert b"".join(split_events(part[8:])) == part[8:]


def test_a_track_is_split_into_its_events() -> None:
    events = [b"\x00\x99\x24\x64", b"\x3c\x24\x00", b"\x81\x00\xff\x03\x02ab", b"\x00\xf0\x02\x01\xf7", b"\x00\xc9\x05"]
    assert split_events(b"".join(events)) == events


def test_no_decisions_make_the_simplest_file() -> None:
    assert build(b"") == header(1, 1, 480) + chunk(b"MTrk", b"\x00\xff\x2f\x00")
    assert Choices(b"").pick([7, 8, 9]) == 7
