"""The folder that the starter set is written to: laid out like GMD, complete, and reproducible."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import mido
import pytest
from fixtures.starter_grids import (
    GROOVES,
    PHRASE,
    onsets,
    performer,
    quantised,
    windows,
    written,
)
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.datasets.starter import player, starter_set

# The first line of the Groove MIDI Dataset's info.csv.
GMD_HEADER = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("starter") / "out"
    starter_set.write_starter(path)
    return path


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "info.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def test_info_csv_has_gmds_columns_and_agrees_with_the_files(folder: Path, rows: list[dict[str, str]]) -> None:
    assert (folder / "info.csv").read_text(encoding="utf-8").split("\n")[0] == GMD_HEADER
    midi_files = {str(path.relative_to(folder).as_posix()) for path in folder.rglob("*.mid")}
    assert {row["midi_filename"] for row in rows} == midi_files
    assert len(rows) == len(midi_files) == len(GROOVES)
    for number, (row, groove) in enumerate(zip(rows, GROOVES, strict=True), start=1):
        assert row["drummer"] == "drummer1"
        assert row["session"] == "drummer1/session1"
        assert row["id"] == f"drummer1/session1/{number}"
        assert (row["style"], row["beat_type"], row["split"]) == (groove.style, groove.beat_type, groove.split)
        assert row["time_signature"] == "4-4"
        assert row["audio_filename"] == ""
        style = groove.style.replace("/", "-")
        assert row["midi_filename"] == f"drummer1/session1/{number}_{style}_{groove.bpm}_{groove.beat_type}_4-4.mid"
        midi = mido.MidiFile(folder / row["midi_filename"])
        tempo = next(message.tempo for message in midi.tracks[0] if message.type == "set_tempo")
        assert round(mido.tempo2bpm(tempo)) == int(row["bpm"]) == groove.bpm
        assert float(row["duration"]) == pytest.approx(midi.length, abs=1e-5)


def test_files_are_drum_tracks_of_whole_bars(folder: Path, rows: list[dict[str, str]]) -> None:
    for row in rows:
        midi = mido.MidiFile(folder / row["midi_filename"])
        assert (midi.type, midi.ticks_per_beat, len(midi.tracks)) == (0, 480, 1)
        track = midi.tracks[0]
        assert [message.type for message in track[:3]] == ["track_name", "set_tempo", "time_signature"]
        assert (track[2].numerator, track[2].denominator) == (4, 4)
        assert track[-1].type == "end_of_track"
        assert sum(message.time for message in track) == 12 * 4 * 480
        assert {message.channel for message in track if not message.is_meta} == {9}


def test_notes_end_before_the_same_drum_sounds_again(folder: Path, rows: list[dict[str, str]]) -> None:
    for path in (folder / row["midi_filename"] for row in rows):
        sounding: set[int] = set()
        for message in mido.MidiFile(path).tracks[0]:
            if message.type == "note_on":
                assert message.velocity > 0
                assert message.note not in sounding, path.name
                sounding.add(message.note)
            elif message.type == "note_off":
                sounding.remove(message.note)
        assert not sounding, path.name


def test_quantised_files_are_the_written_grooves(folder: Path, rows: list[dict[str, str]]) -> None:
    for row, groove in zip(rows, GROOVES, strict=True):
        grid = quantised(mido.MidiFile(folder / row["midi_filename"]))
        assert grid[:PHRASE] == written(groove.hits, PHRASE), groove.name
        assert grid == written(player.arrange(groove, performer(groove, 0)), len(grid)), groove.name


def test_files_of_different_splits_share_no_window(folder: Path, rows: list[dict[str, str]]) -> None:
    found: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for row in rows:
        found[row["split"]] |= windows(quantised(mido.MidiFile(folder / row["midi_filename"])))
    assert not found["train"] & (found["validation"] | found["test"])
    assert not found["validation"] & found["test"]
    assert len(found["train"]) >= 500


def test_splits_are_near_80_10_10_and_hold_several_styles(rows: list[dict[str, str]]) -> None:
    share = {split: sum(row["split"] == split for row in rows) / len(rows) for split in SPLITS}
    assert share["train"] == pytest.approx(0.8, abs=0.04)
    assert share["validation"] == pytest.approx(0.1, abs=0.03)
    assert share["test"] == pytest.approx(0.1, abs=0.03)
    for split in SPLITS:
        assert len({row["style"].split("/")[0] for row in rows if row["split"] == split}) >= 7
        assert {row["beat_type"] for row in rows if row["split"] == split} == {"beat", "fill"}


def test_no_two_files_have_the_same_bytes(folder: Path) -> None:
    contents = Counter(path.read_bytes() for path in folder.rglob("*.mid"))
    assert max(contents.values()) == 1


def test_same_seed_same_bytes_other_seed_other_playing(folder: Path, tmp_path: Path) -> None:
    starter_set.write_starter(tmp_path / "again")
    assert tree(tmp_path / "again") == tree(folder)
    starter_set.write_starter(tmp_path / "other", seed=1)
    other = tree(tmp_path / "other")
    assert other.keys() == tree(folder).keys()
    assert other["info.csv"] == (folder / "info.csv").read_bytes()
    for name in other:
        if name.endswith(".mid"):
            assert other[name] != (folder / name).read_bytes()
            first, second = (quantised(mido.MidiFile(path / name)) for path in (folder, tmp_path / "other"))
            assert first[:PHRASE] == second[:PHRASE]


def test_manifest_and_summary_describe_the_folder(folder: Path, tmp_path: Path) -> None:
    summary = starter_set.write_starter(tmp_path / "out", seed=7)
    content = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (content["stage"], content["dataset"], content["seed"]) == ("fetch", "starter", 7)
    assert set(content["versions"]) == {"gmd-vae", "mido"}
    assert content["midi_files"] == summary.midi_files == sum(summary.styles.values()) == sum(summary.splits.values())
    assert content["styles"] == summary.styles
    assert content["splits"] == summary.splits
    assert content["bars"] == summary.bars == 12 * len(GROOVES)
    info = (tmp_path / "out" / "info.csv").read_bytes()
    assert content["info"]["sha256"] == hashlib.sha256(info).hexdigest()
    listed = [row["midi_filename"] for row in csv.DictReader(info.decode().splitlines())]
    music = b"".join((tmp_path / "out" / name).read_bytes() for name in listed)
    assert content["midi_sha256"] == hashlib.sha256(music).hexdigest()
    assert content["midi_sha256"] != json.loads((folder / "manifest.json").read_text())["midi_sha256"]
    assert summary.seconds == pytest.approx(content["seconds"])
    assert summary.output_dir == tmp_path / "out"


def test_pretty_midi_reads_a_drum_part(folder: Path, rows: list[dict[str, str]]) -> None:
    import pretty_midi

    for row in rows[::20]:
        midi = pretty_midi.PrettyMIDI(str(folder / row["midi_filename"]))
        (part,) = midi.instruments
        assert part.is_drum
        assert midi.get_tempo_changes()[1][0] == pytest.approx(float(row["bpm"]), abs=0.01)
        assert midi.get_end_time() <= float(row["duration"])
        assert len(part.notes) == len(onsets(mido.MidiFile(folder / row["midi_filename"])))


def test_writing_again_replaces_an_earlier_starter_set(tmp_path: Path) -> None:
    path = tmp_path / "starter"
    path.mkdir()  # an empty folder is fair game
    starter_set.write_starter(path, seed=2)
    starter_set.write_starter(path, seed=3)
    assert json.loads((path / "manifest.json").read_text())["seed"] == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["starter"]


@pytest.mark.parametrize("content", [None, "no json", '{"format": 1, "stage": "fetch", "dataset": "groove"}'])
def test_folders_that_hold_something_else_are_refused_and_kept(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "music.mid").write_bytes(b"mine")
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    before = tree(tmp_path)
    with pytest.raises(GmdVaeError, match=r"did not write|holds the data set 'groove'"):
        starter_set.write_starter(tmp_path)
    assert tree(tmp_path) == before


def test_an_existing_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "starter"
    path.write_text("mine")
    with pytest.raises(GmdVaeError, match="is not a folder"):
        starter_set.write_starter(path)
    assert path.read_text() == "mine"


def test_a_failure_keeps_the_earlier_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "starter"
    starter_set.write_starter(path)
    before = tree(path)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(starter_set.manifest, "write", full_disk)
    with pytest.raises(OSError, match="No space"):
        starter_set.write_starter(path, seed=1)
    assert tree(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["starter"]
