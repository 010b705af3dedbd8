"""A user's MIDI file as input of a drum model, and the errors for files without a window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.generation.inputs.converter_reader import ConverterReader
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.midi_input import read_midi_file

READER = DrumReader(get_config("hierdec-drum_4bar_small"))
BAR = 4 * 480


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_first_window_is_the_default(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    hits = [(quarter * 480, 36 if quarter < 16 else 38) for quarter in range(6 * 4)]
    window = READER.window(read_midi_file(write(tmp_path / "six.mid", make_midi(hits))))
    assert window.count == 3
    assert window.length == 64
    assert window.inputs.shape == (64, 10)
    assert window.inputs[::4, 0].all()  # a kick on every quarter of the first four bars
    assert not window.inputs[:, 1].any()
    assert window.inputs[1:4, 9].all()  # and "no hit" between


@pytest.mark.parametrize(
    ("hits", "before", "said"),
    [
        ([(0, 36), (BAR + 120, 38)], b"", "2 stretches of drums shorter than 4 bars"),
        ([(0, 36), (BAR, 38), (2 * BAR, 38)], b"", "it has 3, which cannot be repeated to 4 without a cut"),
        ([], b"", "it has no drum notes. Put the drums on MIDI channel 10"),
        ([(0, 20), (4 * BAR - 480, 20)], b"", "pitch 20"),
        ([(i * 480, 36) for i in range(20)], b"\x00\xff\x58\x04\x03\x02\x18\x08", "3/4"),
    ],
)
def test_a_file_without_a_window_is_refused_with_the_reason(
    tmp_path: Path, make_midi: Callable[..., bytes], hits: list[tuple[int, int]], before: bytes, said: str
) -> None:
    path = write(tmp_path / "odd.mid", make_midi(hits, before=before))
    with pytest.raises(GmdVaeError, match=said) as caught:
        READER.window(read_midi_file(path))
    message = str(caught.value)
    assert "odd.mid" in message
    assert "4 bars of 4/4 drums" in message
    assert " 0 " not in message  # nothing is listed that was not seen


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(GmdVaeError, match=r"missing\.mid' does not exist"):
        READER.window(read_midi_file(tmp_path / "missing.mid"))
    with pytest.raises(GmdVaeError, match=r"text\.mid' cannot be read as MIDI"):
        READER.window(read_midi_file(write(tmp_path / "text.mid", b"hello")))
    with pytest.raises(GmdVaeError, match="larger than"):
        READER.window(read_midi_file(write(tmp_path / "big.mid", b"MThd" + bytes(5 << 20))))


def test_a_song_is_read_in_windows_that_overlap_at_the_end(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    quarters = [*range(0, 6 * 4), *range(8 * 4, 12 * 4)]  # six bars, a pause of two, four bars
    song = READER.song(
        read_midi_file(write(tmp_path / "song.mid", make_midi([(quarter * 480, 36) for quarter in quarters])))
    )
    assert (song.bars, song.tempo) == (12, 120.0)
    assert [(window.bar, window.skipped_bars) for window in song.windows] == [(0, 0), (4, 2), (8, 0)]
    assert READER.last_window(read_midi_file(tmp_path / "song.mid")).number is None


def test_families_without_an_order_in_time_read_no_songs(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    reader = ConverterReader(get_config("cat-mel_2bar_small"))
    assert not reader.reads_songs
    with pytest.raises(ValueError, match="reads no songs"):
        reader.song(read_midi_file(write(tmp_path / "a.mid", make_midi([(0, 36)]))))


@pytest.mark.tensorflow
def test_drums_for_a_model_of_melodies_are_refused_with_the_way_to_another_model(
    tmp_path: Path, make_midi: Callable[..., bytes]
) -> None:
    path = write(tmp_path / "beat.mid", make_midi([(quarter * 480, 36) for quarter in range(16)]))
    with pytest.raises(GmdVaeError, match=r"beat\.mid' holds nothing that 'cat-mel_2bar_laptop' can use") as caught:
        ConverterReader(get_config("cat-mel_2bar_laptop")).window(read_midi_file(path))
    assert "--run-dir or --model" in str(caught.value)
