from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.inspection.one_file import inspect_midi, inspect_parts
from gmd_vae.midi.drum_channels import ON_CHANNEL_10
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import at_one_tempo
from gmd_vae.windows.cutting.drum_windows import extract_drum_windows
from gmd_vae.windows.extraction import Dropped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MakeMidi = Callable[..., bytes]
SPEC = DrumWindows()
CONFIG = get_config(DEFAULT_CONFIG)
THREE_FOUR = b"\x00\xff\x58\x04\x03\x02\x18\x08"


def beat(bars: int, first: int = 0, pitch: int = 36) -> list[tuple[int, int]]:
    """Returns a hit on each quarter note, 480 ticks per quarter."""
    return [(480 * quarter, pitch) for quarter in range(4 * first, 4 * (first + bars))]


def inspect(tmp_path: Path, data: bytes, number: int | None = None) -> dict[str, Any]:
    (tmp_path / "song.mid").write_bytes(data)
    return inspect_midi(tmp_path / "song.mid", SPEC, number)


def test_starter_files_have_the_windows_that_the_extraction_finds(starter_midi: list[Path]) -> None:
    for path in starter_midi[::9]:
        sequence: Any = midi_to_note_sequence(path.read_bytes(), "x", path.name)
        expected = extract_drum_windows(SPEC, sequence.SerializeToString()).windows
        found = positions.windows(SPEC, at_one_tempo(sequence, notes_of(sequence)), Dropped())
        assert np.array_equal(np.array([window.labels for window in found]), np.asarray(expected))
        result = inspect_midi(path, SPEC, len(found))
        assert len(result["windows"]) == len(found)
        assert result["shown"] == {"window": len(found), "labels": found[-1].labels.tolist()}
        assert sum(voice["notes"] for voice in result["voices"]) == result["drum_notes"] == result["notes"]


def test_the_window_that_generate_takes_is_shown(tmp_path: Path, make_midi: MakeMidi) -> None:
    count_in = [(480 * quarter, 42) for quarter in range(0, 16, 2)]
    groove = [(240 * eighth, 36 if eighth % 4 == 0 else 42) for eighth in range(32, 80)]
    result = inspect(tmp_path, make_midi([*count_in, *groove]))
    assert len(result["windows"]) > 1
    assert result["taken"] > 1
    assert result["shown"]["window"] == result["taken"]
    first = inspect_midi(tmp_path / "song.mid", SPEC, 1)
    assert (first["taken"], first["shown"]["window"]) == (result["taken"], 1)
    reader = family_of(CONFIG).input_reader(CONFIG)
    assert reader.default_number(reader.windows(read_midi_file(tmp_path / "song.mid"))) == result["taken"]


def test_figures_of_a_small_file(tmp_path: Path, make_midi: MakeMidi) -> None:
    hits = sorted([*beat(6), (240, 38), (720, 38), (1200, 99)])
    result = inspect(tmp_path, make_midi(hits))
    assert result["seconds"] == pytest.approx(23 * 0.5 + 0.0625, abs=0.001)
    assert result["bars"] == pytest.approx(6, abs=0.25)
    assert (result["notes"], result["drum_notes"]) == (27, 27)
    assert result["instruments"][0] | {"name": "", "instrument": 0} == {
        "instrument": 0, "name": "", "program": 0, "sound": "drums", "drums": True, "notes": 27, "lowest": 36,
        "highest": 99, "bars": [1, 6.75], "polyphonic": False,
    }  # fmt: skip
    assert result["voices"][0] == {"voice": "kick", "notes": 24, "pitches": {"36": 24}}
    assert result["voices"][1]["notes"] == 2
    assert result["dropped"]["drum_pitches_in_no_class"] == {"99": 1}
    assert [window["bar"] for window in result["windows"]] == [1, 2]  # bars 2-5 and 3-6 are alike
    assert [window["seconds"] for window in result["windows"]] == [0, 2]
    assert result["shown"]["labels"][:8] == [1, 0, 2, 0, 1, 0, 2, 0]


def test_bars_and_seconds_count_through_changes_of_tempo_and_time(tmp_path: Path, make_midi: MakeMidi) -> None:
    # two bars of 3/4 at 60 bpm, then 4/4 at 120: the music in 4/4 begins in bar 3, at 6 seconds
    at_60, at_120 = (b"\xff\x51\x03" + (60_000_000 // bpm).to_bytes(3, "big") for bpm in (60, 120))
    four_four = b"\xff\x58\x04\x04\x02\x18\x08"
    change = 6 * 480
    before = b"\x00" + at_60 + THREE_FOUR + bytes([0x80 | change >> 7, change & 127]) + at_120 + b"\x00" + four_four
    result = inspect(tmp_path, make_midi(beat(5), before=before))
    assert [change["bpm"] for change in result["tempos"]["changes"]] == [60, 120]
    assert [change["signature"] for change in result["time_signatures"]["changes"]] == ["3/4", "4/4"]
    assert result["windows"] == [{"seconds": 6.0, "bar": 3.0}]  # the second is like the first


@pytest.mark.parametrize(
    ("hits", "before", "problem", "action"),
    [
        (beat(2), b"", "1 stretch of drums shorter than 4 bars", "hierdec-drum_2bar_small"),
        ([*beat(3), *beat(3, first=5)], b"", "2 stretches of drums shorter than 4 bars (a pause of 1 bar", "_2bar_"),
        (beat(6), THREE_FOUR, "It is in 3/4, and the config takes bars of 4 quarter notes", "4bar-3_4_small"),
        (beat(6, pitch=100), b"", "None of its drum notes has a pitch of the config's", "36 kick"),
    ],
)
def test_a_file_without_windows_gets_a_problem_and_an_action(
    tmp_path: Path, make_midi: MakeMidi, hits: Any, before: bytes, problem: str, action: str
) -> None:
    result = inspect(tmp_path, make_midi(hits, before=before))
    assert (result["windows"], result["shown"]) == ([], None)
    assert problem in result["why"][0]["what"]
    assert action in result["why"][0]["next_action"]


@pytest.mark.parametrize(("hits", "bars"), [(beat(1), 1), (beat(2), 2), (beat(3), None), (beat(4), None)])
def test_a_loop_that_generate_repeats_is_named(
    tmp_path: Path, make_midi: MakeMidi, hits: Any, bars: int | None
) -> None:
    assert inspect(tmp_path, make_midi(hits))["repeated_bars"] == bars
    path = tmp_path / "song.mid"
    assert inspect_parts(path, lambda *_: [], grid=SPEC)["repeated_bars"] == bars  # of a GrooVAE
    assert inspect_parts(path, lambda *_: [])["repeated_bars"] is None  # of other music


def test_a_file_without_drums(tmp_path: Path, make_midi: MakeMidi) -> None:
    piano = b"\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\xff\x2f\x00"
    result = inspect(tmp_path, make_midi(track=piano))
    assert result["why"] == [{"what": "It has no drum notes", "next_action": ON_CHANNEL_10}]
    assert [one["sound"] for one in result["instruments"]] == ["Acoustic Grand Piano"]


def test_a_file_without_notes(tmp_path: Path, make_midi: MakeMidi) -> None:
    result = inspect(tmp_path, make_midi(track=b"\x00\xff\x2f\x00"))
    assert (result["notes"], result["instruments"], result["windows"]) == (0, [], [])
    assert result["why"]


def test_a_missing_window_is_refused(tmp_path: Path, make_midi: MakeMidi) -> None:
    with pytest.raises(UsageError, match="has no window 2: it has 1"):
        inspect(tmp_path, make_midi(beat(4)), 2)
    with pytest.raises(UsageError, match=r"it has 0\. Leave --window out"):
        inspect(tmp_path, make_midi(beat(1)), 1)


def test_malformed_files_give_figures_or_an_error(test_data: Path) -> None:
    answers = [_answer(path) for path in sorted((test_data / "malformed").rglob("*.mid"))[::3]]
    assert sum(isinstance(answer, dict) for answer in answers) > 15
    for answer in answers:
        if isinstance(answer, dict):
            assert answer["windows"] or answer["why"]
        else:
            assert "\n" not in answer


def _answer(path: Path) -> dict[str, Any] | str:
    try:
        return inspect_midi(path, SPEC)
    except GmdVaeError as error:
        return str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    notes=st.lists(st.tuples(st.floats(0, 60), st.integers(0, 127), st.booleans()), max_size=60),
    changes=st.lists(st.tuples(st.floats(0, 60), st.integers(0, 9), st.sampled_from([0, 1, 2, 3, 4, 8])), max_size=5),
    tempos=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 400)), max_size=5),
)
def test_positions_agree_with_the_extraction_on_any_music(notes: Any, changes: Any, tempos: Any) -> None:
    sequence: Any = NoteSequence(total_time=max((start + 0.1 for start, _, _ in notes), default=0))
    for start, pitch, drum in notes:
        sequence.notes.add(start_time=start, end_time=start + 0.1, pitch=pitch, velocity=9, is_drum=drum)
    for time, numerator, denominator in changes:
        sequence.time_signatures.add(time=time, numerator=numerator, denominator=denominator)
    for time, qpm in tempos:
        sequence.tempos.add(time=time, qpm=qpm)
    expected = extract_drum_windows(SPEC, sequence.SerializeToString()).windows
    found = positions.windows(SPEC, at_one_tempo(sequence, notes_of(sequence)), Dropped())
    assert [window.labels.tolist() for window in found] == np.asarray(expected).tolist()
    for window in found:
        assert window.bar >= 1
        assert window.seconds >= 0
