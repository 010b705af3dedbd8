from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import run_here
from fixtures.tempo_maps import TICKS, tempo_map_midi
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.inspection.collection import inspect_midi_files, inspect_notes
from gmd_vae.inspection.examples_folder import inspect_examples
from gmd_vae.inspection.path_kinds import kind_of_path
from gmd_vae.midi.convert import convert

MakeMidi = Callable[..., bytes]
SPEC = DrumWindows()


@pytest.fixture(scope="module")
def starter(starter_midi: list[Path]) -> dict[str, Any]:
    """The answer for the MIDI files of the starter set."""
    return inspect_midi_files(_root(starter_midi), SPEC, 1)


def _root(files: list[Path]) -> Path:
    return next(folder for folder in files[0].parents if (folder / "info.csv").is_file())


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def test_the_starter_set_has_the_figures_of_convert_and_preprocess(
    starter: dict[str, Any], starter_notes: Path, starter_examples: Path
) -> None:
    converted, prepared = manifest_of(starter_notes), manifest_of(starter_examples)
    assert starter["kind"] == "folder"
    assert starter["found"] == starter["files"]["readable"] == 88
    for name, split in starter["splits"].items():
        for key in ("files", "notes", "drum_notes", "seconds"):
            assert split[key] == pytest.approx(converted["splits"][name][key])
        for key in ("windows", "distinct", "examples"):
            assert split[key] == prepared["splits"][name][key]
    assert starter["dropped"] == prepared["dropped"]
    assert sum(style["files"] for style in starter["styles"].values()) == 88
    assert sum(entry["files"] for entry in starter["tempos"]["histogram"]) == 88


def test_notes_have_the_figures_of_their_midi_files(starter: dict[str, Any], starter_notes: Path) -> None:
    notes = inspect_notes(starter_notes, SPEC, 1)
    for key in ("splits", "tempos", "time_signatures", "voices", "dropped", "seconds", "split_by", "files"):
        assert notes[key] == starter[key]


def test_the_answer_does_not_depend_on_the_number_of_processes(starter_notes: Path) -> None:
    assert inspect_notes(starter_notes, SPEC, 2) == inspect_notes(starter_notes, SPEC, 1)


def test_records_without_a_manifest_are_read_as_magentas(starter_notes: Path, tmp_path: Path) -> None:
    shutil.copy(starter_notes / "test.tfrecord", tmp_path / "train.tfrecord")
    assert kind_of_path(tmp_path) == "notes"
    alone = inspect_notes(tmp_path, SPEC)
    assert (alone["split_by"], alone["splits"]["train"]["files"]) == ("file", 9)
    single = inspect_notes(tmp_path / "train.tfrecord", SPEC)
    assert sum(split["files"] for split in single["splits"].values()) == 9


def test_the_figures_of_examples(starter: dict[str, Any], starter_examples: Path) -> None:
    result = inspect_examples(starter_examples)
    for name, split in result["splits"].items():
        assert split["windows"] == split["distinct"] == starter["splits"][name]["examples"]
        assert split["files"] == starter["splits"][name]["files"]
    assert set(result["shared"].values()) == {0}
    assert result["bars"]["all"] == 4 * sum(split["windows"] for split in result["splits"].values())
    counts = [bar["count"] for bar in result["bars"]["frequent"]]
    assert len(counts) == 5
    assert counts == sorted(counts, reverse=True)
    assert [voice["voice"] for voice in result["voices"]] == [voice["voice"] for voice in starter["voices"]]


@pytest.mark.parametrize(("config", "steps_per_beat"), [("3_4", 4), ("6_8", 6)])
def test_the_beats_of_examples_are_those_of_their_config(config: str, steps_per_beat: int, tmp_path: Path) -> None:
    """Bars of 3/4 and of 6/8 are cut alike, and shown with other beats."""
    (tmp_path / "mine").mkdir()
    for number in range(5):
        hits = [(beat * TICKS, 36 + 2 * (beat == number)) for beat in range(12)]
        (tmp_path / "mine" / f"{number}.mid").write_bytes(tempo_map_midi(hits, {0: 100}, {0: (3, 4)}))
    run_here(tmp_path, "convert", "mine")
    run_here(
        tmp_path,
        "preprocess",
        "data/notes/mine",
        "--config",
        f"hierdec-drum_4bar-{config}_small",
        "--output-dir",
        "cut",
    )
    grid = inspect_examples(tmp_path / "cut")["grid"]
    assert (grid["steps_per_bar"], grid["steps_per_beat"]) == (12, steps_per_beat)


def test_damaged_examples_are_refused(starter_examples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(starter_examples, folder)
    content = manifest_of(folder)
    (folder / "manifest.json").write_text(json.dumps(content | {"extractor": {"slice_bars": 4, "odd": 1}}))
    with pytest.raises(GmdVaeError, match="does not describe how its windows were cut"):
        inspect_examples(folder)
    for change, expected in (
        ({"layout": 1}, "field 'layout': expected an object, got a whole number"),
        ({"splits": {"train": {}}}, r"has no field 'splits\[...\].examples'"),
        ({"extractor": content["extractor"] | {"slice_bars": 0}}, "does not describe how its windows were cut"),
    ):
        (folder / "manifest.json").write_text(json.dumps(content | change))
        with pytest.raises(GmdVaeError, match=expected):
            inspect_examples(folder)
    (folder / "manifest.json").write_text(json.dumps(content))
    next(folder.glob("train-*")).unlink()
    with pytest.raises(GmdVaeError, match="missing or has changed"):
        inspect_examples(folder)


def test_duplicates_and_unreadable_files(tmp_path: Path, make_midi: MakeMidi) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    beat = [(480 * quarter, 36) for quarter in range(16)]
    (folder / "a.mid").write_bytes(make_midi(beat))
    (folder / "b.mid").write_bytes(make_midi(beat))
    (folder / "c.mid").write_bytes(make_midi(beat, before=b"\x00\xff\x03\x01x"))  # the same music under a name
    (folder / "d.mid").write_bytes(make_midi([*beat, (480 * 16, 38)]))
    (folder / "broken.mid").write_bytes(b"hello")
    (folder / "empty.mid").touch()
    (folder / ".hidden.mid").touch()
    (folder / "notes.txt").touch()
    result = inspect_midi_files(folder, SPEC, 1)
    assert result["duplicates"]["same_bytes"] == {"groups": 1, "superfluous": 1, "names": [["a.mid", "b.mid"]]}
    assert result["duplicates"]["same_music"] == {"groups": 1, "superfluous": 1, "names": [["a.mid", "c.mid"]]}
    assert result["skipped"] == {
        "empty file": {"count": 1, "names": ["empty.mid"]},
        "it is hidden": {"count": 1, "names": [".hidden.mid"]},
        "not MIDI": {"count": 1, "names": ["broken.mid"]},
    }
    assert (result["found"], result["files"]["readable"], sum(result["passed_over"].values())) == (7, 4, 1)
    with zipfile.ZipFile(tmp_path / "music.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    zipped = inspect_midi_files(tmp_path / "music.zip", SPEC, 1)
    assert zipped["kind"] == "archive"
    assert {**zipped, "kind": "", "path": ""} == {**result, "kind": "", "path": ""}
    # what convert leaves out of the notes is in their manifest
    convert(folder, tmp_path / "notes")
    assert inspect_notes(tmp_path / "notes", SPEC)["skipped"] == result["skipped"]


def test_malformed_files_are_those_that_convert_leaves_out(test_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "malformed"
    folder.mkdir()
    for path in (test_data / "malformed").rglob("*.mid"):
        if path.stat().st_size < 20_000:  # the larger ones are whole, and slow
            shutil.copy(path, folder)
    summary = convert(folder, tmp_path / "notes")
    result = inspect_midi_files(folder, SPEC, 1)
    assert result["skipped"] == summary.manifest["skipped"]
    assert result["files"]["readable"] == summary.records


def test_the_groove_midi_dataset(groove_notes: Path) -> None:
    """Compares with info.csv and the README; reads the notes, which is faster."""
    result = inspect_notes(groove_notes, SPEC)
    assert (result["found"], result["files"]["readable"]) == (1150, 1150)
    figures = {
        name: tuple(split[key] for key in ("files", "windows", "distinct", "examples"))
        for name, split in result["splits"].items()
    }
    assert figures == {
        "train": (897, 13_233, 13_208, 13_207),
        "validation": (124, 1832, 1832, 1832),
        "test": (129, 1768, 1760, 1760),
    }
    assert result["time_signatures"] == {"4/4": 1138, "3/4": 5, "6/8": 5, "5/4": 1, "5/8": 1}
    assert result["dropped"]["drum_pitches_in_no_class"] == {}
    twins = [["drummer2/session2/7_rock_130_beat_4-4.mid", "drummer2/session2/8_rock_130_beat_4-4.mid"]]
    assert result["duplicates"]["same_music"]["names"] == twins


def test_kinds_of_paths(
    starter_midi: list[Path], starter_notes: Path, starter_examples: Path, tmp_path: Path, make_midi: MakeMidi
) -> None:
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "odd.json").mkdir()
    (tmp_path / "odd.json" / "manifest.json").write_text("[" * 100_000)
    shutil.copy(starter_notes / "test.tfrecord", tmp_path / "notes.records")
    found = {
        "midi": [starter_midi[0]],
        "files": [_root(starter_midi), tmp_path / "text.txt", tmp_path / "odd.json"],
        "notes": [starter_notes, starter_notes / "test.tfrecord", tmp_path / "notes.records"],
        "examples": [starter_examples],
    }
    for kind, paths in found.items():
        assert [kind_of_path(path) for path in paths] == [kind] * len(paths)


def test_an_edited_manifest_of_notes_is_refused(starter_notes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    shutil.copytree(starter_notes, folder)
    content = manifest_of(folder)
    for skipped in (None, [], {"bad": 3}, {"bad": {"count": 1, "names": [None]}}):
        (folder / "manifest.json").write_text(json.dumps(content | {"skipped": skipped}))
        with pytest.raises(GmdVaeError, match=r"manifest.json' does not fit its format: field 'skipped"):
            inspect_notes(folder, SPEC, 1)


def test_a_folder_of_our_folders_names_them(starter_examples: Path) -> None:
    with pytest.raises(GmdVaeError, match=r"holds folders of ours: .*Name one: gmd-vae inspect"):
        kind_of_path(starter_examples.parent)


def test_a_catalogue_with_only_splits(tmp_path: Path, make_midi: MakeMidi) -> None:
    (tmp_path / "a.mid").write_bytes(make_midi())
    (tmp_path / "info.csv").write_text("midi_filename,split\na.mid,test\n")
    found = inspect_midi_files(tmp_path, SPEC, 1)
    assert found["splits"]["test"]["files"] == 1
    assert list(found["styles"]) == list(found["beat_types"]) == ["not given"]
