"""Groups of near-duplicates, and splits that keep them together."""

from __future__ import annotations

import hashlib
import random
from collections import Counter

from fixtures.drum_music import again, midi, performance
from gmd_vae.midi.content_splits import Content, split_by_content
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.near_duplicates import FINGERPRINT_BYTES, fingerprint, groups_of
from gmd_vae.midi.splits import DEFAULT_SHARES, Shares


def print_of(data: bytes) -> bytes:
    return fingerprint(midi_to_record(data, "set", "a.mid").data)


def test_renderings_of_one_performance_are_one_group_and_others_are_not() -> None:
    songs = [performance(seed) for seed in range(30)]
    kit = {36: 35, 38: 40, 42: 44, 49: 57}
    files = [midi(song) for song in songs]
    files += [midi(again(song, 1000 + seed), bpm=132) for seed, song in enumerate(songs)]
    files += [midi(again(song, 2000 + seed, kit=kit)) for seed, song in enumerate(songs)]
    later = [
        [(tick + 1000, pitch, velocity) for tick, pitch, velocity in again(song, seed)]
        for seed, song in enumerate(songs)
    ]
    files += [midi(song) for song in later]  # silence before it
    groups = groups_of([print_of(data) for data in files])
    assert [groups[index] for index in range(30)] == list(range(30)), "different performances are different groups"
    assert groups == list(range(30)) * 4


def test_groups_do_not_depend_on_the_order_of_the_files() -> None:
    files = [midi(again(performance(seed), copy)) for seed in range(20) for copy in range(4)]
    contents = [Content(hashlib.sha256(data).hexdigest(), print_of(data)) for data in files]
    expected = dict(zip(contents, split_by_content(contents, DEFAULT_SHARES).splits, strict=True))
    shuffled = random.Random(0).sample(contents, len(contents))
    assert dict(zip(shuffled, split_by_content(shuffled, DEFAULT_SHARES).splits, strict=True)) == expected
    for first in range(0, 80, 4):
        assert len({expected[content] for content in contents[first : first + 4]}) == 1


def test_music_without_notes_is_in_no_group() -> None:
    assert print_of(midi([])) == b""
    assert groups_of([b"", b"", b""]) == [0, 1, 2]
    assert groups_of([]) == []
    assert len(print_of(midi([(0, 36, 100)]))) == FINGERPRINT_BYTES


def test_training_is_never_empty() -> None:
    for digest in ("ff" * 32, "85" * 32, "cd" * 32):
        for shares in (DEFAULT_SHARES, Shares(1, 0, 99)):
            assert split_by_content([Content(digest, b"")], shares).splits == ["train"]
    last, earlier = Content("ff" * 32, b""), Content("cd" * 32, b"")
    assert split_by_content([last, earlier], DEFAULT_SHARES).splits == ["test", "train"]
    unreadable = Content("00" * 32, None)
    assert split_by_content([last, unreadable], DEFAULT_SHARES).splits == ["train", "train"]


def test_all_files_in_train() -> None:
    contents = [Content(hashlib.sha256(b"%d" % number).hexdigest(), b"") for number in range(500)]
    assert set(split_by_content(contents, Shares(100, 0, 0)).splits) == {"train"}
    halves = Counter(split_by_content(contents, Shares(50, 50, 0)).splits)
    assert set(halves) == {"train", "validation"}
    assert 200 < halves["train"] < 300


def test_a_group_of_many_files_belongs_to_train() -> None:
    song = performance(3)
    files = [midi(again(song, copy)) for copy in range(20)] + [midi(performance(seed)) for seed in range(10, 30)]
    contents = [Content(hashlib.sha256(data).hexdigest(), print_of(data)) for data in files]
    found = split_by_content(contents, DEFAULT_SHARES)
    assert set(found.splits[:20]) == {"train"}
    assert found.groups == [list(range(20))]


def test_groups_are_shared_out_as_single_files_are() -> None:
    songs = [performance(seed) for seed in range(100)]
    files = [midi(again(song, copy)) for song in songs for copy in range(4)]
    contents = [Content(hashlib.sha256(data).hexdigest(), print_of(data)) for data in files]
    counts = Counter(split_by_content(contents, DEFAULT_SHARES).splits)
    assert set(counts) == {"train", "validation", "test"}
    assert 270 <= counts["train"] <= 370
