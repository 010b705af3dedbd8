"""``preprocess``: the examples of a folder of NoteSequences, their counts, and errors."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError, Interrupted, UsageError
from gmd_vae.common.files import sha256
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.engines import local, pool
from gmd_vae.windows.cutting.drum_windows import DrumExtractor
from gmd_vae.windows.extraction import Extraction, Layout, Tensors
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.notes_input import open_notes, split_of
from gmd_vae.windows.preprocess import preprocess
from gmd_vae.windows.storage import shards
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest
from gmd_vae.windows.storage.records import read_label_example, read_tensor_example
from gmd_vae.windows.storage.shards import example_files, read_examples, windows_digest

EXTRACT = DrumExtractor(DrumWindows())


def run(notes: Path, output: Path, **options):
    return preprocess(notes, output, EXTRACT, config="test-config", **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def notes(tmp_path, write_notes, beat):
    """Writes train with two equal beats, a longer one and one shared with test; validation shares one with test."""
    folder = tmp_path / "notes"
    plain, crash = beat(4, sequence_id="a"), beat(8, accent=5, sequence_id="long")
    write_notes(folder / "train.tfrecord", [plain, beat(4, sequence_id="b"), crash, beat(4, accent=0, sequence_id="c")])
    write_notes(
        folder / "validation.tfrecord", [beat(4, accent=0, sequence_id="v"), beat(4, accent=1, sequence_id="w")]
    )
    write_notes(folder / "test.tfrecord", [beat(4, accent=0, sequence_id="t")])
    files = [manifest.describe_file(path) for path in sorted(folder.iterdir())]
    manifest.write(folder, "convert", {"files": files})
    return folder


def sources(folder: Path, split: str) -> list[list[str]]:
    return sorted(read_label_example(record)[1] for record in read_examples(folder, split))


def test_the_digest_of_windows_is_of_the_windows_alone(notes, tmp_path):
    """Neither the number of files, compression nor other facts of the manifest change it."""
    run(notes, tmp_path / "one", shards=1)
    run(notes, tmp_path / "packed", shards=3, compress=True)
    run(notes, tmp_path / "fewer", max_per_sequence=1)
    digests = [windows_digest(tmp_path / name, "train") for name in ("one", "packed", "fewer")]
    assert digests[0] == digests[1] == sha256(*example_files(tmp_path / "one", "train"))
    assert digests[2] != digests[0]
    assert windows_digest(tmp_path / "one", "test") == sha256(*example_files(tmp_path / "one", "test"))


def test_repeats_are_merged_and_splits_share_no_window(notes, tmp_path):
    summary = run(notes, tmp_path / "out")
    train, validation, test = summary.splits.values()
    # the crash of the long beat is in bar 5: its windows are the plain beat, and a crash in bar 3, 2 and 1
    assert (train.sequences, train.windows, train.distinct, train.repeats) == (4, 7, 5, 2)
    assert train.taken_out == {"test": 1, "validation": 1}
    assert train.examples == 3
    assert (validation.windows, validation.taken_out, validation.examples) == (2, {"test": 1}, 1)
    assert (test.windows, test.examples) == (1, 1)
    for split in summary.splits.values():
        assert split.windows - split.repeats - sum(split.taken_out.values()) == split.examples
    labels = {name: {row.tobytes() for row in load_windows(tmp_path / "out", name).labels} for name in summary.splits}
    assert {name: len(rows) for name, rows in labels.items()} == {"train": 3, "validation": 1, "test": 1}
    assert len(set.union(*labels.values())) == 5
    assert sources(tmp_path / "out", "train") == [["a", "b", "long"], ["long"], ["long"]]


def test_duplicates_are_kept_on_request_but_never_across_splits(notes, tmp_path):
    summary = run(notes, tmp_path / "out", keep_duplicates=True)
    assert summary.splits["train"].examples == 5
    assert summary.splits["train"].repeats == 0
    assert summary.splits["train"].taken_out == {"test": 1, "validation": 1}
    assert sources(tmp_path / "out", "train") == [["a"], ["b"], ["long"], ["long"], ["long"]]
    for split in summary.splits.values():
        assert split.windows - split.repeats - sum(split.taken_out.values()) == split.examples


def test_the_manifest_has_input_and_options(notes, tmp_path):
    summary = run(notes, tmp_path / "out", shards=3)
    content = manifest.read(tmp_path / "out", "preprocess", "")
    assert content["config"] == "test-config"
    assert content["layout"] | {"format": "labels", "steps": 64, "classes": 9, "output_depth": 512} == content["layout"]
    assert content["extractor"]["slice_bars"] == 4
    assert content["input"] == {"name": "notes", "split_by": "file", "manifest": manifest.digest(notes)}
    assert content["options"] == {"shards": 3, "max_per_sequence": None, "keep_duplicates": False}
    names = {entry["name"]: entry for split in content["splits"].values() for entry in split["files"]}
    assert set(names) | {"manifest.json"} == set(contents(tmp_path / "out"))
    assert sorted(names)[1:4] == [f"train-0000{number}-of-00003.tfrecord" for number in range(3)]
    for name, entry in names.items():
        assert entry["sha256"] == sha256(tmp_path / "out" / name)
    assert content["splits"] == json.loads(json.dumps(summary.as_json()["splits"]))
    assert str(tmp_path) not in json.dumps(content)


def test_the_output_depends_only_on_the_content(notes, tmp_path, write_notes, monkeypatch):
    monkeypatch.setattr("gmd_vae.windows.notes_input._RANGE_RECORDS", 1)
    run(notes, tmp_path / "one")
    run(notes, tmp_path / "two", engine=local.LocalEngine(2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    run(notes, tmp_path / "three", shards=2)
    assert (load_windows(tmp_path / "one", "train").labels == load_windows(tmp_path / "three", "train").labels).all()


def test_the_order_is_mixed_and_does_not_depend_on_the_input_order(tmp_path, write_notes, beat):
    beats = [beat(8, accent=bar, sequence_id=str(bar)) for bar in range(8)]
    write_notes(tmp_path / "x" / "train.tfrecord", beats)
    write_notes(tmp_path / "y" / "train.tfrecord", beats[::-1])
    for name in "xy":
        run(tmp_path / name, tmp_path / f"out-{name}")
    first = load_windows(tmp_path / "out-x", "train").labels.astype(np.int64)
    assert (first == load_windows(tmp_path / "out-y", "train").labels).all()
    in_order_of_time = list(
        dict.fromkeys(row.tobytes() for each in beats for row in EXTRACT(each.SerializeToString()).windows)
    )
    assert sorted(in_order_of_time) == sorted(row.tobytes() for row in first)
    assert in_order_of_time != [row.tobytes() for row in first]


def test_one_file_is_split_by_id(tmp_path, write_notes, beat):
    beats = [beat(4, accent=number % 4, sequence_id=f"/id/{number}") for number in range(4)]
    for number, sequence in enumerate(beats):  # each its own: one more hit at its own step
        sequence.notes.add(start_time=number * 0.125, end_time=9, pitch=51, velocity=1, is_drum=True)
    many = [beat(4, sequence_id=f"/id/{number}") for number in range(300)]
    splits = [split_of(sequence.id, b"") for sequence in many]
    assert 215 < splits.count("train") < 265
    assert splits.count("validation") > 10
    assert splits.count("test") > 10
    file = write_notes(tmp_path / "notes.tfrecord", beats)
    summary = run(file, tmp_path / "out")
    expected = [split_of(sequence.id, b"") for sequence in beats]
    assert {name: split.sequences for name, split in summary.splits.items()} == {
        name: expected.count(name) for name in summary.splits
    }
    assert manifest.read(tmp_path / "out", "preprocess", "")["input"] == {
        "name": "notes.tfrecord", "sha256": sha256(file), "split_by": "hash of the id",
    }  # fmt: skip


def test_sequences_without_an_id_are_named_by_file_and_number(tmp_path, write_notes, beat):
    write_notes(tmp_path / "n" / "train.tfrecord", [beat(4, sequence_id=""), beat(4, accent=1, sequence_id="")])
    run(tmp_path / "n", tmp_path / "out")
    assert sources(tmp_path / "out", "train") == [["train.tfrecord#0"], ["train.tfrecord#1"]]
    assert split_of("", b"one") != split_of("", b"three") or split_of("", b"two") != split_of("", b"three")


def test_max_per_sequence_chooses_by_the_id(tmp_path, write_notes, beat):
    def drawn(name):
        write_notes(tmp_path / name / "train.tfrecord", [beat(12, accent=7, sequence_id=name)])
        summary = run(tmp_path / name, tmp_path / f"out-{name}", max_per_sequence=2)
        assert summary.splits["train"].examples == 2
        assert summary.dropped.reasons["capped"] == 3
        return {row.tobytes() for row in load_windows(tmp_path / f"out-{name}", "train").labels}

    draws = [drawn(name) for name in "abcdef"]
    assert drawn("a") == draws[0]
    assert len({frozenset(draw) for draw in draws}) > 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda s: [setattr(note, "is_drum", False) for note in s.notes],
            "without drum notes: 3. Is the drum part on MIDI channel 10?",
        ),
        (
            lambda s: [setattr(note, "pitch", 88) for note in s.notes],
            "drum pitches in no class: 88 ×48. The config's pitch_classes",
        ),
        (
            lambda s: s.time_signatures.add(numerator=3, denominator=4),
            r"another length than the config's: 3 \(3/4 ×3\)",
        ),
        (
            lambda s: s.notes.__delitem__(slice(9, None)),
            "shorter than a window: 3. Choose a config with shorter windows",
        ),
    ],
)
def test_an_input_without_windows_is_an_error_with_the_reasons(tmp_path, write_notes, beat, change, expected):
    sequences = [beat(4) for _ in range(3)]
    for sequence in sequences:
        change(sequence)
    write_notes(tmp_path / "n" / "train.tfrecord", sequences)
    with pytest.raises(
        GmdVaeError, match=f"No windows for 'test-config' in the 3 NoteSequences of .*{expected}"
    ) as error:
        run(tmp_path / "n", tmp_path / "out")
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n"]


def test_an_input_without_training_windows_is_an_error(tmp_path, write_notes, beat):
    write_notes(tmp_path / "n" / "train.tfrecord", [beat(4)])
    write_notes(tmp_path / "n" / "test.tfrecord", [beat(4)])
    with pytest.raises(GmdVaeError, match="found 1 in train, 0 in validation, 1 in test; 1 of train are in"):
        run(tmp_path / "n", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_validation_split_has_no_files(tmp_path, write_notes, beat):
    write_notes(tmp_path / "n" / "train.tfrecord", [beat(4)])
    summary = run(tmp_path / "n", tmp_path / "out")
    assert summary.splits["validation"].files == []
    assert load_windows(tmp_path / "out", "validation").labels.shape == (0, 64)
    assert [path.name for path in example_files(tmp_path / "out", "train")] == ["train-00000-of-00001.tfrecord"]


def test_damaged_records_are_counted(tmp_path, write_notes, beat):
    write_notes(tmp_path / "n" / "train.tfrecord", [b"\xff\xff", beat(4)])
    assert run(tmp_path / "n", tmp_path / "out").dropped.reasons["unreadable"] == 1


def test_unreadable_input_is_an_error_with_the_next_action(tmp_path, write_notes, notes):
    def refused(path, match):
        with pytest.raises(GmdVaeError, match=match):
            run(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    refused(tmp_path / "nowhere", "does not exist. Make it with 'gmd-vae convert'")
    (tmp_path / "song.mid").write_bytes(b"MThd\0\0\0\6")
    refused(tmp_path / "song.mid", r"holds MIDI .* Run: gmd-vae convert .*song\.mid")
    (tmp_path / "midi").mkdir()
    refused(tmp_path / "midi", r"has no manifest.json. Give the folder that this makes: gmd-vae convert .*midi")
    run(notes, tmp_path / "examples")
    shard = next((tmp_path / "examples").glob("train-*"))
    refused(shard, r"holds examples, the windows of 'gmd-vae preprocess'.*Give the whole folder, .*examples")
    (tmp_path / "own.tfrecord.gz").write_bytes(gzip.compress(shard.read_bytes()))
    refused(tmp_path / "own.tfrecord.gz", "Give the whole folder that preprocess wrote")
    manifest.write(tmp_path / "midi", "fetch", {})
    refused(tmp_path / "midi", "made by 'fetch'")
    refused(write_notes(tmp_path / "empty" / "train.tfrecord", []), "holds no NoteSequences")
    data = bytearray((notes / "train.tfrecord").read_bytes())
    data[-1] ^= 1
    (notes / "train.tfrecord").write_bytes(data)
    refused(notes, "train.tfrecord' has changed since 'gmd-vae convert' wrote it")
    (notes / "manifest.json").unlink()
    refused(notes, "train.tfrecord' is damaged at record 3")
    (notes / "train.tfrecord").unlink()
    refused(notes / "validation.tfrecord" / "x", "does not exist")


def test_only_an_earlier_result_is_replaced(notes, tmp_path):
    run(notes, tmp_path / "out", shards=1)
    run(notes, tmp_path / "out", shards=2)
    assert len(contents(tmp_path / "out")) == 5
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "song.txt").write_text("precious")
    with pytest.raises(GmdVaeError, match="did not write"):
        run(notes, tmp_path / "mine")
    with pytest.raises(UsageError, match="lies in the output folder"):
        run(notes, tmp_path)
    with pytest.raises(UsageError, match="lies in the output folder"):
        run(notes, notes)
    with pytest.raises(GmdVaeError, match="not a folder"):
        run(notes, tmp_path / "mine" / "song.txt")
    assert contents(tmp_path / "mine") == {"song.txt": b"precious"}


def test_an_interruption_leaves_the_earlier_result(notes, tmp_path, monkeypatch):
    run(notes, tmp_path / "out")
    before = contents(tmp_path / "out")
    write = shards.write_record
    monkeypatch.setattr(shards, "write_record", lambda stream, data: (write(stream, data), _interrupt()))
    with pytest.raises(Interrupted, match="the same command continues"):
        run(notes, tmp_path / "out", shards=2)
    assert contents(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.parts", "notes", "out"]
    monkeypatch.undo()
    seen = []
    run(notes, tmp_path / "out", shards=2, on_resume=lambda done, total: seen.append((done, total)))
    assert seen == [(7, 7)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "out"]


def _interrupt():
    raise KeyboardInterrupt


def test_a_full_disk_names_the_folder(notes, tmp_path, monkeypatch):
    def full(stream, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards, "write_record", full)
    with pytest.raises(OSError, match="No space left") as error:
        run(notes, tmp_path / "out")
    assert error.value.filename == str(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["byte", "missing", "cut", "count", "other"])
def test_damaged_examples_are_found_when_they_are_loaded(notes, tmp_path, damage):
    folder = tmp_path / "out"
    run(notes, folder, shards=1)
    file = folder / "train-00000-of-00001.tfrecord"
    data = file.read_bytes()
    content = manifest.read(folder, "preprocess", "")
    if damage == "byte":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[:-1])
    elif damage == "count":
        content["splits"]["train"]["files"][0]["records"] = 4
        (folder / "manifest.json").write_text(json.dumps(content))
    else:
        content["layout"]["classes"] = 7  # the crash is class 7: its label does not fit
        (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(GmdVaeError, match=r"damaged|missing or has changed|manifest says|does not fit"):
        load_windows(folder, "train")


class TwoTensors:
    """An extractor of tensors of different lengths, as Magenta's converters return."""

    layout = Layout("tensors", 4, 0, 2, 3)
    settings = {"converter": "a stub"}  # noqa: RUF012

    def __call__(self, record: bytes) -> Extraction:
        def window(steps):
            ones = np.ones((steps, 3), np.bool_)
            return Tensors(ones[:, :2], ones, np.zeros((steps, 0), np.bool_), (steps,))

        return Extraction(record.hex(), [window(4), window(2)])


def test_other_converters_give_tensors(tmp_path, write_notes):
    write_notes(tmp_path / "n" / "train.tfrecord", [b"\1", b"\2"])
    summary = preprocess(tmp_path / "n", tmp_path / "out", TwoTensors(), config="stub")
    assert summary.splits["train"].examples == 2
    layout = read_examples_manifest(tmp_path / "out").layout
    assert layout == TwoTensors.layout
    found = [read_tensor_example(record, layout) for record in read_examples(tmp_path / "out", "train")]
    assert sorted(tensors.length for tensors, _ in found) == [(2,), (4,)]
    for tensors, ids in found:
        assert tensors.inputs.shape == (tensors.length[0], 2)
        assert tensors.outputs.all()
        assert ids == ["01", "02"]
    assert "magenta" in manifest.read(tmp_path / "out", "preprocess", "")["versions"]
    with pytest.raises(GmdVaeError, match="tensors of 'stub', not drum labels"):
        load_windows(tmp_path / "out", "train")


def test_shards_grow_with_the_examples():
    assert shards.shard_count("train", 0, 0) == 0
    assert [shards.shard_count("train", count, count) for count in (1, 3, 100)] == [1, 3, 4]
    assert shards.shard_count("test", 100, 64 << 20) == 1
    assert shards.shard_count("test", 100, (64 << 20) + 1) == 2
    assert shards.shard_count("train", 100, 640 << 20) == 10


def test_small_inputs_start_no_processes(notes, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "run_in_pool", lambda *_, **__: pytest.fail("started processes"))
    run(notes, tmp_path / "out")


def test_progress_reaches_the_total(notes, tmp_path):
    seen = []
    run(notes, tmp_path / "out", on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 7), (6, 7), (7, 7)]  # a file is at least one batch
    assert sum(piece.count for piece in open_notes(notes).ranges()) == 7


def test_the_groove_dataset(groove_notes, tmp_path):
    summary = run(groove_notes, tmp_path / "out")
    assert {name: split.examples for name, split in summary.splits.items()} == {
        "train": 13_207, "validation": 1_832, "test": 1_760,
    }  # fmt: skip
    assert summary.splits["train"].taken_out == {"test": 0, "validation": 1}
    assert len(summary.splits["train"].files) == 4
    labels = load_windows(tmp_path / "out", "train").labels
    assert labels.shape == (13_207, 64)
    assert len(np.unique(labels, axis=0)) == 13_207
    assert (labels != 0).mean() > 0.3
    assert manifest.read(tmp_path / "out", "preprocess", "")["stage"] == "preprocess"


def test_compressed_notes_and_shards_have_the_same_content(notes, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for path in sorted(notes.glob("*.tfrecord")):
        (packed / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    run(notes, tmp_path / "plain")
    summary = run(packed, tmp_path / "out", compress=True)
    assert [file["name"] for file in summary.splits["test"].files] == ["test-00000-of-00001.tfrecord.gz"]
    for split in summary.splits:
        assert list(read_examples(tmp_path / "out", split)) == list(read_examples(tmp_path / "plain", split))
    shard = tmp_path / "out" / "test-00000-of-00001.tfrecord.gz"
    damaged = bytearray(shard.read_bytes())
    damaged[len(damaged) // 2] ^= 0x10
    shard.write_bytes(damaged)
    with pytest.raises(GmdVaeError, match=r"test-00000-of-00001\.tfrecord\.gz' is damaged at record 0"):
        list(read_examples(tmp_path / "out", "test"))
