"""MIDI files recognised by their content, and taken out of containers."""

from __future__ import annotations

import gzip
import struct

import pytest
from fixtures.drum_music import midi, performance, riff
from gmd_vae.datasets.midi_formats import (
    HEAD_BYTES,
    ContainerError,
    is_midi,
    is_midi_name,
    midi_stem,
    suffix_of,
    take_out,
)

SONG = midi(performance(1))
LIMIT = 1 << 20


@pytest.mark.parametrize("data", [SONG, riff(SONG), gzip.compress(SONG, mtime=0), gzip.compress(riff(SONG), mtime=0)])
def test_each_form_is_recognised_and_taken_out(data: bytes) -> None:
    assert is_midi(data[:HEAD_BYTES])
    assert take_out(data, LIMIT) == SONG


@pytest.mark.parametrize(
    "data",
    [b"", b"MTh", b"RIFF\0\0\0\0WAVEfmt ", b"\x1f\x8b", b"\x1f\x8b\x08" + bytes(50), gzip.compress(b"tar", mtime=0)],
)
def test_other_content_is_not_midi(data: bytes) -> None:
    assert not is_midi(data)


def test_containers_are_bounded_and_their_damage_is_named() -> None:
    bomb = gzip.compress(b"MThd" + bytes(8 << 20))
    with pytest.raises(ContainerError, match="unpacks to more than") as caught:
        take_out(bomb, LIMIT)
    assert caught.value.is_too_large
    with pytest.raises(ContainerError, match="ends too early"):
        take_out(gzip.compress(SONG)[:-20], LIMIT)
    with pytest.raises(ContainerError, match="gzip"):
        take_out(b"\x1f\x8b\x08" + bytes(50), LIMIT)
    with pytest.raises(ContainerError, match="no MIDI data"):
        take_out(b"RIFF\xff\xff\xff\xffRMIDDISP" + struct.pack("<I", 2**32 - 1), LIMIT)
    cut = riff(SONG)[:-10]
    assert take_out(cut, LIMIT) == SONG[:-10], "its reader says that the file is cut short"


def test_names() -> None:
    assert all(map(is_midi_name, ("a.mid", "A.MIDI", "b.kar", "c.smf", "d.RMI", "e.mid.gz")))
    assert not any(map(is_midi_name, ("a.wav", "mid", "a.gz", "a.mid.txt")))
    assert [midi_stem(name) for name in ("a.mid", "b.MID.GZ", "No. 5", ".mid")] == ["a", "b", "No. 5", ".mid"]
    names = ("a.WAV", "b.tar.gz", "README", "No. 5 in C", ".hidden", "x." + "y" * 40)
    assert [suffix_of(name) for name in names] == [".wav", ".tar.gz", *["no suffix"] * 4]
