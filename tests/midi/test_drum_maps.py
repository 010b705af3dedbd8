"""Drum channels and drum maps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.drum_music import midi, performance
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.midi.drum_channels import drum_like_channels
from gmd_vae.midi.drum_maps import READY_MAPS, parse_drum_map, read_drum_map
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.midi.reading import EVERY_HIT, DrumChannel, Reading

SONG = performance(4)


@pytest.mark.parametrize("channel", [1, 2, 9, 16])
def test_drums_on_another_channel_are_found_and_read(channel: int) -> None:
    data = midi(SONG, channel=channel)
    assert drum_like_channels(data, EVERY_HIT) == [channel]
    assert not any(note.is_drum for note in read_midi(data, "", "a.mid").sequence.notes)
    for reading in (Reading(drum_channel=channel), Reading(drum_channel=None)):
        notes = read_midi(data, "", "a.mid", reading).sequence.notes
        assert len(notes) == len(SONG)
        assert all(note.is_drum for note in notes)
        assert drum_like_channels(data, reading) == []


def test_drums_whose_hits_never_fall_on_one_tick_are_found() -> None:
    """A drummer's hands and foot differ by some milliseconds."""
    played = [(max(0, tick + 3 * (number % 5) - 6), *hit) for number, (tick, *hit) in enumerate(SONG)]
    apart = [
        hit for number, hit in enumerate(sorted(played)) if hit[0] not in {tick for tick, *_ in sorted(played)[:number]}
    ]
    assert len(apart) > len(SONG) / 2
    assert drum_like_channels(midi(apart, channel=1), EVERY_HIT) == [1]


def test_the_drum_channel_replaces_channel_10() -> None:
    assert not any(note.is_drum for note in read_midi(midi(SONG), "", "a.mid", Reading(drum_channel=3)).sequence.notes)


def own(*channels: tuple[str, int | None]) -> Reading:
    return Reading(own_channels=tuple(DrumChannel(channel, file) for file, channel in channels))


def test_a_file_can_have_a_drum_channel_of_its_own() -> None:
    files = ["a.mid", "sub/b.mid", "sub/c.mid"]
    reading = own(("b.mid", 3), ("my/folder/sub/c.mid", None), ("a.mid", 5), ("a.mid", 5)).for_files(files)
    assert [reading.for_file(name).drum_channel for name in files] == [5, 3, None]
    assert reading.for_file("d.mid") == EVERY_HIT
    assert reading.describe()["drum_channel_of"] == {"a.mid": 5, "sub/b.mid": 3, "sub/c.mid": "all"}
    assert reading.name_parts() == ["own-channels"]
    assert own().for_files(files) == EVERY_HIT
    assert own(("x/a.mid", 2)).for_files(["a.mid", "x/a.mid"]).for_file("a.mid") == EVERY_HIT


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ([("d.mid", 3)], "--drum-channel d.mid=3 names no file that is read. Did you mean '"),
        ([("sub/d.mid", 3)], "Did you mean 'sub/b.mid'"),
        ([("e.mid", 1)], "fits 2 files, such as 'x/e.mid' and 'y/e.mid'. Write more of its path"),
        ([("b.mid", 3), ("sub/b.mid", None)], "'sub/b.mid' has two drum channels: sub/b.mid=3 and sub/b.mid=all"),
    ],
)
def test_a_channel_of_no_file_or_of_several_is_refused(channels: list[tuple[str, int | None]], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        own(*channels).for_files(["sub/b.mid", "x/e.mid", "y/e.mid"])


@pytest.mark.parametrize(
    "hits",
    [
        [(tick * 240, pitch, 100) for tick, pitch in enumerate([36, 38, 40, 41, 43, 45, 47, 48] * 4)],  # a bass line
        [(tick * 480, pitch, 100) for tick in range(16) for pitch in (36, 40, 43, 47)],  # chords
        [(tick * 480, 60 + tick % 12, 100) for tick in range(32)],  # a melody
        [(0, 36, 100), (0, 38, 100), (0, 42, 100)],  # too few
    ],
)
def test_other_music_does_not_look_like_drums(hits: list[tuple[int, int, int]]) -> None:
    assert drum_like_channels(midi(hits, channel=1), EVERY_HIT) == []


def test_a_track_that_is_named_as_drums_needs_no_whole_kit() -> None:
    hats = [(tick * 240, 42, 100) for tick in range(32)]
    assert drum_like_channels(midi(hits=hats, channel=5, name="Drums"), EVERY_HIT) == [5]
    assert drum_like_channels(midi(hits=hats, channel=5, name="Lead"), EVERY_HIT) == []


def test_a_map_replaces_pitches_and_counts_those_that_it_lacks() -> None:
    pairs = parse_drum_map(b"pitch,drum\n36, Kick\n38,snare\n42,49\n", "kit.csv")
    assert pairs == ((36, 36), (38, 38), (42, 49))
    music = read_midi(midi(SONG), "", "a.mid", Reading(drum_map=pairs))
    pitches = [note.pitch for note in music.sequence.notes]
    assert 42 not in pitches
    assert music.account.unmapped == {str(pitch): sum(one == pitch for _, one, _ in SONG) for pitch in (46, 49)}


def test_tables_as_spreadsheets_write_them() -> None:
    assert parse_drum_map(b"\xef\xbb\xbf# my kit\r\n\r\n24;36\r\n26;Closed  Hi-Hat\r\n", "a") == ((24, 36), (26, 42))
    assert parse_drum_map(b"24\t36\n", "a") == ((24, 36),)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"", "maps no pitch"),
        (b"36\n", "line 1 has fewer than two columns"),
        (b"36,kick\n36,snare\n", "line 2 has pitch 36 again"),
        (b"36,kick\n200,snare\n", "line 2 has the pitch '200'"),
        (b"36,snaer\n", "line 1 has the drum 'snaer'. Did you mean 'snare'"),
        (b"36,300\n", "line 1 has the drum 300"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
    ],
)
def test_faults_of_a_table_are_named_with_the_line(table: bytes, reason: str) -> None:
    with pytest.raises(GmdVaeError) as caught:
        parse_drum_map(table, "kit.csv")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ready_maps_and_missing_files(tmp_path: Path) -> None:
    for name, pairs in READY_MAPS.items():
        assert read_drum_map(name) == (name, tuple(sorted(pairs.items())))
    with pytest.raises(GmdVaeError, match=r"no drum map .*Ready maps: general-midi, roland-td"):
        read_drum_map(str(tmp_path / "none.csv"))
    (tmp_path / "My Kit.csv").write_text("24,36\n")
    assert read_drum_map(str(tmp_path / "My Kit.csv")) == ("my-kit", ((24, 36),))


@pytest.mark.tensorflow
def test_the_map_of_the_roland_td_is_magentas(magenta: Any) -> None:
    from magenta.models.music_vae import data

    classes = data.ROLAND_DRUM_PITCH_CLASSES
    assert READY_MAPS["roland-td"] == {pitch: pitches[0] for pitches in classes for pitch in pitches}
