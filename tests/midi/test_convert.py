from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted, UsageError
from gmd_vae.common.files import sha256
from gmd_vae.common.output_folder import output_lock
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.datasets.selection import Selection
from gmd_vae.engines.engine import EngineError
from gmd_vae.engines.local import LocalEngine
from gmd_vae.midi.convert import convert
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.reading import STOCK
from gmd_vae.midi.tfrecord import read_records

MakeMidi = Callable[..., bytes]


def records(folder: Path) -> dict[str, list[bytes]]:
    return {split: list(read_records(folder / f"{split}.tfrecord")) for split in SPLITS}


def by_name(serialised: list[bytes]) -> dict[str, bytes]:
    named = {NoteSequence.FromString(data).filename: data for data in serialised}
    assert len(named) == len(serialised)
    return named


def unpack(archive: Path, folder: Path, step: int) -> Path:
    """MIDI files of GMD at regular intervals, in their folders."""
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(name for name in opened.namelist() if name.endswith(".mid"))[::step]:
            opened.extract(name, folder)
        opened.extract("groove/info.csv", folder)
    return folder / "groove"


@pytest.fixture
def music(tmp_path: Path, make_midi: MakeMidi) -> Path:
    """Fifty different small files, two copies of one, and three unreadable files."""
    folder = tmp_path / "music"
    (folder / "sub folder").mkdir(parents=True)
    for number in range(50):
        pitches = random.Random(number).choices([36, 38, 42, 46, 49, 51], k=12)
        hits = [(step * 120, pitch) for step, pitch in enumerate(pitches)]
        (folder / "sub folder" / f"{number}.mid").write_bytes(make_midi(hits))
    (folder / "copy ü.MIDI").write_bytes((folder / "sub folder" / "7.mid").read_bytes())
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_bytes(b"hello")
    (folder / "cut.mid").write_bytes(make_midi()[:-8])
    (folder / "notes.txt").write_bytes(b"not counted")
    return folder


@pytest.mark.parametrize("stock", [False, True])
def test_groove_as_a_whole(stock: bool, request: pytest.FixtureRequest) -> None:
    groove_notes: Path = request.getfixturevalue("groove_stock_notes" if stock else "groove_notes")
    content = json.loads((groove_notes / "manifest.json").read_text())
    splits = content["splits"]
    assert {name: split["records"] for name, split in splits.items()} == {"train": 897, "validation": 124, "test": 129}
    assert {name: split["files"] for name, split in splits.items()} == {"train": 897, "validation": 124, "test": 129}
    assert {name: split["notes"] for name, split in splits.items()} == {
        "train": 357_618 if stock else 358_290,
        "validation": 44_044 if stock else 44_128,
        "test": 43_832 if stock else 43_894,
    }
    assert content["reading"] == {"stock": stock}
    note_ons = content["note_ons"]
    assert note_ons["count"] == 446_312
    dropped = note_ons["dropped"]["ends on the tick it begins"] if stock else note_ons["completed"]
    assert (dropped["count"], dropped["files"]["count"]) == (818, 221)
    assert sum(split["notes"] for split in splits.values()) == 446_312 - (818 if stock else 0)
    assert content["ignored_events"] == content["assumed"] == {}
    assert content["split_by"] == "info"
    assert content["skipped"] == {}
    assert content["not_in_info_csv"]["count"] == content["missing"]["count"] == 0
    for file in content["files"]:
        path = groove_notes / file["name"]
        assert (path.stat().st_size, sha256(path)) == (file["bytes"], file["sha256"])
    for split, serialised in records(groove_notes).items():
        names = [NoteSequence.FromString(data).filename for data in serialised]
        assert names == sorted(names)
        assert len(names) == splits[split]["records"]


def test_a_selection_of_groove(groove_archive: Path, groove_notes: Path, tmp_path: Path) -> None:
    selection = Selection(styles=("rock",), beat_types=("beat",))
    summary = convert(groove_archive, tmp_path / "rock", selection)
    assert {name: split.records for name, split in summary.splits.items()} == {
        "train": 173,
        "validation": 17,
        "test": 21,
    }
    assert summary.manifest["selection"] == {"styles": ["rock"], "beat_types": ["beat"]}
    assert summary.manifest["not_selected"] == 1150 - 211
    for split, serialised in records(tmp_path / "rock").items():
        assert set(serialised) <= set(records(groove_notes)[split])


@pytest.mark.tensorflow
def test_records_are_those_of_magenta(groove_archive: Path, test_data: Path, music: Path, tmp_path: Path) -> None:
    folders = [unpack(groove_archive, tmp_path, step=20), music, test_data / "malformed" / "jazz-soft"]
    script = """
import sys
from magenta.scripts.convert_dir_to_note_sequences import convert_directory
for folder, output in zip(sys.argv[1::2], sys.argv[2::2]):
    convert_directory(folder, output, recursive=True)
"""
    arguments = [
        str(part) for number, folder in enumerate(folders) for part in (folder, tmp_path / f"{number}.tfrecord")
    ]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment, capture_output=True)
    for number, folder in enumerate(folders):
        expected = by_name(list(read_records(tmp_path / f"{number}.tfrecord")))
        convert(folder, tmp_path / f"ours {number}", split_by="hash", reading=STOCK)
        found = by_name([data for split in records(tmp_path / f"ours {number}").values() for data in split])
        assert found == expected
        assert len(found) > 40


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 16 files: 54 files make four."""
    monkeypatch.setattr("gmd_vae.midi.convert.FILES_PER_BATCH", 16)


@pytest.mark.usefixtures("small_batches")
def test_the_number_of_processes_changes_nothing(music: Path, tmp_path: Path) -> None:
    for jobs in (1, 2, 3):
        convert(music, tmp_path / f"{jobs}", engine=LocalEngine(jobs))
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert names == ["manifest.json", "test.tfrecord", "train.tfrecord", "validation.tfrecord"]
    for name in names:
        contents = {(tmp_path / str(jobs) / name).read_bytes() for jobs in (1, 2, 3)}
        assert len(contents) == 1, name


def test_a_folder_and_its_archive_give_the_same(music: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, "music"))
    convert(music, tmp_path / "a")
    convert(archive, tmp_path / "b")
    for name in ("manifest.json", "train.tfrecord", "validation.tfrecord", "test.tfrecord"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_every_file_is_counted_once(music: Path, tmp_path: Path) -> None:
    summary = convert(music, tmp_path / "notes")
    assert summary.skipped == {"cut short": ["cut.mid"], "empty file": ["empty.mid"], "not MIDI": ["text.mid"]}
    assert summary.records == 51
    assert sum(split.files for split in summary.splits.values()) == 54
    assert summary.manifest["skipped"]["cut short"] == {"count": 1, "names": ["cut.mid"]}
    total = sum(split.seconds for split in summary.splits.values())
    expected = sum(
        NoteSequence.FromString(data).total_time for split in records(tmp_path / "notes").values() for data in split
    )
    assert total == pytest.approx(expected)


def test_copies_of_a_file_land_in_one_split(music: Path, tmp_path: Path) -> None:
    convert(music, tmp_path / "notes")
    splits = {
        NoteSequence.FromString(data).filename: split
        for split, serialised in records(tmp_path / "notes").items()
        for data in serialised
    }
    assert splits["copy ü.MIDI"] == splits["sub folder/7.mid"]
    assert set(splits.values()) == set(SPLITS)


def test_the_manifest_describes_the_input(music: Path, tmp_path: Path) -> None:
    content = convert(music, tmp_path / "notes").manifest
    lines = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n"
        for name, path in sorted((p.relative_to(music).as_posix(), p) for p in music.rglob("*.[mM]*"))
    )
    assert content["input"] == {
        "collection": "music",
        "files": 54,
        "sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "catalogues": {},
    }
    assert set(content["versions"]) == {"gmd-vae", "note-seq", "pretty-midi", "mido", "protobuf"}
    assert str(tmp_path) not in (tmp_path / "notes" / "manifest.json").read_text()


def test_malformed_files_are_counted_and_named(test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "malformed"
    summary = convert(folder, tmp_path / "notes")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.mid"))
    converted = [
        NoteSequence.FromString(data).filename for split in records(tmp_path / "notes").values() for data in split
    ]
    assert sorted([*converted, *(name for reason in summary.skipped.values() for name in reason)]) == names


def test_game_music_converts(test_data: Path, tmp_path: Path) -> None:
    for path in sorted((test_data / "freedoom" / "musics").glob("*.mid"))[::10]:
        shutil.copy(path, tmp_path)
    assert convert(tmp_path, tmp_path.with_name("notes")).skipped == {}


def test_a_file_that_goes_away_is_counted(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmd_vae.datasets.midi_files import MidiFile

    read = MidiFile.read

    def unreadable(file: MidiFile) -> bytes:
        if file.name == "empty.mid":
            raise GmdVaeError("'empty.mid' cannot be read")
        return read(file)

    monkeypatch.setattr(MidiFile, "read", unreadable)
    summary = convert(music, tmp_path / "notes", engine=LocalEngine(1))
    assert summary.skipped["cannot be opened"] == ["empty.mid"]
    assert sum(split.files for split in summary.splits.values()) == 53


@pytest.mark.usefixtures("small_batches")
def test_progress_ends_at_the_number_of_files(music: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    convert(
        music, tmp_path / "notes", engine=LocalEngine(1), on_progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(16, 54), (32, 54), (48, 54), (54, 54)]


class Stops:
    """An engine in this process that is stopped after a number of items."""

    def __init__(self, after: int, error: BaseException) -> None:
        self.after, self.error = after, error

    def each(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Generator[Any, None, None]:
        for number, item in enumerate(items):
            if number == self.after:
                raise self.error
            yield function(item)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), EngineError("a worker died"), OSError(errno.ENOSPC, "full")])
def test_a_stopped_run_resumes(music: Path, tmp_path: Path, error: BaseException) -> None:
    convert(music, tmp_path / "straight")
    with pytest.raises(Interrupted if isinstance(error, KeyboardInterrupt) else type(error)):
        convert(music, tmp_path / "notes", engine=Stops(2, error))
    assert not (tmp_path / "notes").exists()
    calls: list[tuple[int, int]] = []
    resumed: list[tuple[int, int]] = []
    convert(
        music,
        tmp_path / "notes",
        engine=Stops(2, AssertionError("more than the two batches that were missing")),
        on_progress=lambda done, total: calls.append((done, total)),
        on_resume=lambda done, total: resumed.append((done, total)),
    )
    assert resumed == [(32, 54)]
    assert calls[-1] == (54, 54)
    for path in (tmp_path / "straight").iterdir():
        assert (tmp_path / "notes" / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["music", "notes", "straight"]


@pytest.mark.usefixtures("small_batches")
def test_another_input_starts_from_the_beginning(music: Path, tmp_path: Path, make_midi: MakeMidi) -> None:
    with pytest.raises(Interrupted):
        convert(music, tmp_path / "notes", engine=Stops(2, KeyboardInterrupt()))
    (music / "sub folder" / "0.mid").write_bytes(make_midi([(0, 36), (1000, 38), (2000, 38)]))
    convert(music, tmp_path / "notes", on_resume=lambda *_: pytest.fail("it goes on with batches of other files"))
    convert(music, tmp_path / "straight")
    for path in (tmp_path / "straight").iterdir():
        assert (tmp_path / "notes" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("small_batches")
def test_a_file_that_changed_before_the_run_resumes_is_converted_again(
    music: Path, tmp_path: Path, make_midi: MakeMidi
) -> None:
    """The new file has the size and the modification time of the old one."""
    changed = music / "sub folder" / "0.mid"
    changed.write_bytes(make_midi([(0, 36), (1000, 38)]))
    with pytest.raises(Interrupted):
        convert(music, tmp_path / "notes", engine=Stops(3, KeyboardInterrupt()))
    before = changed.stat()
    changed.write_bytes(make_midi([(0, 38), (1000, 36)]))
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (changed.stat().st_size, changed.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    convert(music, tmp_path / "notes")
    convert(music, tmp_path / "straight")
    for path in (tmp_path / "straight").iterdir():
        assert (tmp_path / "notes" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("damage", ["cut between two records", "empty", "another byte"])
def test_a_batch_that_a_power_cut_has_damaged_is_made_again(music: Path, tmp_path: Path, damage: str) -> None:
    with pytest.raises(Interrupted):
        convert(music, tmp_path / "notes", engine=Stops(2, KeyboardInterrupt()))
    (batch,) = (tmp_path / ".notes.parts").glob("*/00001.part")
    content = batch.read_bytes()
    last = len(list(read_records(batch))[-1]) + 16
    batch.write_bytes({"empty": b"", "another byte": content[:100] + b"?" + content[101:]}.get(damage, content[:-last]))
    convert(music, tmp_path / "notes", engine=Stops(3, AssertionError("more than the damaged batch and two new ones")))
    assert len([data for split in records(tmp_path / "notes").values() for data in split]) == 51


def test_a_second_run_into_the_same_folder_is_refused(music: Path, tmp_path: Path) -> None:
    with (
        output_lock(tmp_path / "notes"),
        pytest.raises(GmdVaeError, match=r"Another run is writing .*process \d+"),
    ):
        convert(music, tmp_path / "notes")
    convert(music, tmp_path / "notes")


def test_a_good_folder_is_replaced_and_others_are_left_alone(music: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "notes", tmp_path / "photos"
    convert(music, ours)
    convert(music, ours)
    assert len(list(read_records(ours / "train.tfrecord"))) > 30
    theirs.mkdir()
    (theirs / "cat.jpg").write_bytes(b"cat")
    with pytest.raises(GmdVaeError, match=r"holds 'cat\.jpg', which 'gmd-vae convert' did not write"):
        convert(music, theirs)
    assert (theirs / "cat.jpg").read_bytes() == b"cat"
    with pytest.raises(GmdVaeError, match="not a folder"):
        convert(music, theirs / "cat.jpg")


def test_the_output_cannot_swallow_the_input(music: Path, tmp_path: Path) -> None:
    for output in (music, tmp_path):
        with pytest.raises(UsageError, match="lies in the output folder"):
            convert(music, output)
    assert (music / "cut.mid").exists()


def test_a_link_to_a_folder_is_written_through(music: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "notes").symlink_to(tmp_path / "disk")
    for _ in range(2):
        convert(music, tmp_path / "notes")
    assert (tmp_path / "notes").is_symlink()
    assert (tmp_path / "disk" / "train.tfrecord").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "music", "notes"]


def test_nothing_to_convert(tmp_path: Path, make_midi: MakeMidi) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.mid").write_bytes(b"hello")
    (folder / "b.mid").write_bytes(make_midi()[:30])
    with pytest.raises(GmdVaeError, match=r"No file of .* could be converted \(1 cut short; 1 not MIDI\)"):
        convert(folder, tmp_path / "notes")
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_the_default_name_contains_the_selection(
    groove_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_midi: MakeMidi
) -> None:
    folder = unpack(groove_archive, tmp_path, step=10)
    monkeypatch.chdir(tmp_path)
    selection = Selection(
        styles=("Rock", "funk"), beat_types=("beat",), time_signatures=("4/4",), bpm_range=(90, 140.5)
    )
    assert convert(folder, selection=selection).output_dir == Path("data/notes/groove-funk-rock-beat-4-4-90-140.5bpm")
    (tmp_path / "my beat.mid").write_bytes(make_midi())
    assert convert(Path("my beat.mid")).output_dir == Path("data/notes/my beat")


def test_compressed_files_hold_the_same_records(music: Path, tmp_path: Path) -> None:
    convert(music, tmp_path / "plain")
    for name in ("packed", "again"):
        convert(music, tmp_path / name, compress=True)
    for split in SPLITS:
        packed = tmp_path / "packed" / f"{split}.tfrecord.gz"
        assert list(read_records(packed)) == list(read_records(tmp_path / "plain" / f"{split}.tfrecord"))
        assert packed.read_bytes() == (tmp_path / "again" / packed.name).read_bytes()
    train = tmp_path / "packed" / "train.tfrecord.gz"
    assert train.stat().st_size < (tmp_path / "plain" / "train.tfrecord").stat().st_size
    listed = json.loads((tmp_path / "packed" / "manifest.json").read_text())["files"]
    assert (listed[0]["name"], listed[0]["bytes"]) == (train.name, train.stat().st_size)
