"""``convert`` on what people have: one song, files under any name, catalogues of other data sets."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import Answer, run_here
from fixtures.drum_music import again, midi, performance, riff
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.midi_files import list_midi_files
from gmd_vae.midi.convert import convert
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.reading import STOCK, DrumChannel, Reading
from gmd_vae.midi.tfrecord import write_record

HEADER = "drummer,session,id,style,bpm,beat_type,time_signature,duration,split,midi_filename,audio_filename,kit_name\n"


def row(name: str, split: str) -> str:
    return f"drummer1,s1,1,rock,100,beat,4-4,10.0,{split},{name},a.wav,Acoustic Kit\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def odd_files(place: Path) -> Path:
    folder = place / "odd"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("a.mid", "b.kar", "c.smf", "sub/d")):
        (folder / name).write_bytes(midi(performance(number)))
    (folder / "e.rmi").write_bytes(riff(midi(performance(5))))
    (folder / "f.mid").write_bytes(riff(midi(performance(6))))
    (folder / "g.mid.gz").write_bytes(gzip.compress(midi(performance(7))))
    (folder / "h.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    (folder / "i.txt").write_bytes(b"text")
    return folder


def run(*arguments: str, expect: int = 0) -> Answer:
    return run_here(Path.cwd(), *arguments, expect=expect)


NAMES = ["a.mid", "b.kar", "c.smf", "e.rmi", "f.mid", "g.mid.gz", "sub/d"]


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "gztar"])
def test_files_are_taken_by_their_content_from_folders_and_archives(kind: str, odd_files: Path, place: Path) -> None:
    source = odd_files if kind == "folder" else Path(shutil.make_archive(str(place / "packed"), kind, place, "odd"))
    assert [file.name for file in list_midi_files(source).files] == NAMES
    answer: dict[str, Any] = json.loads(run("convert", str(source), "--output-dir", "out", "--json").stdout)
    assert sum(split["records"] for split in answer["splits"].values()) == len(NAMES)
    assert (answer["skipped"], answer["passed_over"]) == ({}, {".txt": 1, ".wav": 1})
    assert "Passed over 2 other files: 1 .txt, 1 .wav" in run("convert", str(source), "--output-dir", "out").stdout


def test_stock_takes_what_magenta_takes(odd_files: Path, place: Path) -> None:
    summary = convert(odd_files, place / "stock", reading=STOCK)
    assert summary.records == 1
    assert summary.skipped == {"not MIDI": ["f.mid"]}
    assert sum(summary.manifest["passed_over"].values()) == 7


def test_one_song_can_be_trained_on(place: Path) -> None:
    (place / "song.mid").write_bytes(midi(performance(1, bars=24)))
    result = run("convert", "song.mid")
    assert "(80/10/10 by content)" in result.stdout
    assert (
        "No record for validation and test: there are too few different files; training then keeps its last"
        in " ".join(result.stdout.split())
    )
    run("preprocess", "data/notes/song")
    everything = run("convert", "song.mid", "--split", "100/0/0")
    assert "as --split 100/0/0 wants" in " ".join(everything.stdout.split())
    for wrong in ("90/5/4", "0/50/50", "100", "a/b/c", "-10/60/50"):
        run("convert", "song.mid", "--split", wrong, expect=2)
    run("convert", "song.mid", "--split", "100/0/0", "--split-by", "info", expect=2)


@pytest.mark.parametrize("name", ["e-gmd-v1.0.0.csv", "my list.csv"])
@pytest.mark.parametrize("kind", ["folder", "zip", "gztar"])
def test_a_catalogue_is_used_under_any_name(name: str, kind: str, place: Path) -> None:
    folder = place / "set"
    (folder / "drummer1").mkdir(parents=True)
    for number in range(3):
        (folder / "drummer1" / f"{number}.midi").write_bytes(midi(performance(number)))
    rows = [row(f"drummer1/{number}.midi", split) for number, split in enumerate(("test", "train", "validation"))]
    (folder / name).write_text(HEADER + "".join(rows) + row("drummer1/gone.midi", "train"))
    source = folder if kind == "folder" else Path(shutil.make_archive(str(place / "packed"), kind, place, "set"))
    content = convert(source, place / "out").manifest
    assert (content["split_by"], list(content["input"]["catalogues"])) == ("info", [name])
    assert [split["records"] for split in content["splits"].values()] == [1, 1, 1]
    assert content["missing"]["names"] == ["drummer1/gone.midi"]


def test_a_catalogue_that_is_not_used_is_named_with_the_reason(place: Path) -> None:
    (place / "set/below").mkdir(parents=True)
    for number, name in enumerate(("a.mid", "below/b.mid")):
        (place / "set" / name).write_bytes(midi(performance(number)))
    (place / "set/below/info.csv").write_text(HEADER + row("b.mid", "test"))
    (place / "set/features.csv").write_text("midi_filename,loudness\na.mid,3\n")
    (place / "set/other.csv").write_text("name,split\na.mid,test\n")
    content = convert(place / "set", place / "out").manifest
    assert content["split_by"] == "hash"
    assert content["catalogues_not_used"] == {
        "below/info.csv": "it lies in a folder below; give that folder to use it",
        "features.csv": "it has no column split",
    }
    assert convert(place / "set/below", place / "below").manifest["split_by"] == "info"


def test_two_catalogues_are_used_together_unless_they_contradict_each_other(place: Path) -> None:
    (place / "set").mkdir()
    for number, name in enumerate(("a.mid", "b.mid")):
        (place / "set" / name).write_bytes(midi(performance(number)))
    (place / "set/info.csv").write_text(HEADER + row("a.mid", "train"))
    (place / "set/more.csv").write_text(HEADER + row("b.mid", "test"))
    (place / "set/strange.csv").write_text(HEADER + row("gone.mid", "test"))
    content = convert(place / "set", place / "out").manifest
    assert list(content["input"]["catalogues"]) == ["info.csv", "more.csv"]
    assert content["catalogues_not_used"] == {"strange.csv": "none of its 1 files is here"}
    (place / "set/more.csv").write_text(HEADER + row("a.mid", "test"))
    with pytest.raises(GmdVaeError, match=r"'a\.mid' is in train in 'info\.csv' and in test in 'more\.csv'"):
        convert(place / "set", place / "out")
    (place / "set/more.csv").write_text(HEADER + row("../../etc/passwd", "test"))
    content = convert(place / "set", place / "out").manifest
    assert "leads out of the folder" in content["catalogues_not_used"]["more.csv"]


def test_near_duplicates_are_counted_and_stay_in_one_split(place: Path) -> None:
    (place / "set").mkdir()
    for seed in range(12):
        for copy in range(3):
            (place / "set" / f"{seed}-{copy}.mid").write_bytes(midi(again(performance(seed), copy), bpm=90 + 10 * copy))
    result = run("convert", "set", "--output-dir", "out")
    assert "Near-duplicates: 36 files in 12 groups, each group in one split" in " ".join(result.stdout.split())


def test_drums_on_another_channel_lead_to_the_option_that_reads_them(place: Path) -> None:
    (place / "song.mid").write_bytes(midi(performance(1, bars=24), channel=1))
    option = "--drum-channel 1"
    assert option in run("convert", "song.mid").stdout.replace("\n", " ")
    assert option in run("inspect", "song.mid").stdout.replace("\n", " ")
    assert option in run("render", "song.mid", expect=1).stderr.replace("\n", " ")
    refused = run("preprocess", "data/notes/song", expect=1)
    assert refused.stderr.endswith(f"look like drums. Run: gmd-vae convert song.mid {option}\n")
    (place / "song.mid").rename(place / "moved.mid")
    refused = run("preprocess", "data/notes/song", expect=1)
    assert f"Run 'gmd-vae convert INPUT {option}', where INPUT is the path of 'song.mid'." in refused.stderr
    (place / "moved.mid").rename(place / "song.mid")
    run("convert", "song.mid", *option.split())
    run("preprocess", "data/notes/song-channel-1")
    run("inspect", "song.mid", *option.split(), "--json")
    run("render", "song.mid", *option.split())
    run("convert", "song.mid", "--drum-channel", "17", expect=2)
    run("convert", "song.mid", "--stock", *option.split(), expect=2)


def test_one_file_of_a_folder_can_have_another_drum_channel(place: Path) -> None:
    (place / "set").mkdir()
    (place / "set" / "a.mid").write_bytes(midi(performance(1, bars=24)))
    (place / "set" / "b 2.mid").write_bytes(midi(performance(2, bars=24), channel=3))
    advice = "--drum-channel 'b 2.mid=3' reads those of this file so"
    for command in ("convert", "inspect"):
        assert advice in " ".join(run(command, "set").stdout.split())
    option = ["--drum-channel", "b 2.mid=3"]
    reading = Reading(own_channels=(DrumChannel(3, "b 2.mid"),))
    result = convert(place / "set", place / "out", reading=reading)
    notes = len(performance(1, bars=24)) + len(performance(2, bars=24))
    assert sum(split.drum_notes for split in result.splits.values()) == notes
    assert result.manifest["reading"]["drum_channel_of"] == {"b 2.mid": 3}
    assert "Wrote 2 records to data/notes/set-own-channels" in run("convert", "set", *option).stdout
    assert "without drums" not in run("inspect", "set", *option).stdout
    run("render", "set/a.mid", "set/b 2.mid", *option)
    files = ["--input-midi", "set/a.mid", "--input-midi", "set/b 2.mid"]
    run("generate", "--model", "groove-4bar", "--mode", "interpolate", *files, *option, "--output-dir", "way")
    repeat = json.loads((place / "way" / "manifest.json").read_text())["repeat"]
    assert "--drum-channel 'b 2.mid=3'" in repeat


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["3", "all"], "given twice for all files: 3 and all. Leave one of them out"),
        (["song.mid=3", "song.mid=4"], "'song.mid' has two drum channels: song.mid=3 and song.mid=4"),
        (["sing.mid=3"], "names no file that is read. Did you mean 'song.mid'?"),
        (["=3"], "'=3' is not a MIDI channel from 1 to 16, or all; for one file: song.mid=3"),
    ],
)
@pytest.mark.parametrize("command", ["convert", "inspect", "render", "generate --around"])
def test_drum_channels_that_contradict_each_other_are_one_line(
    place: Path, command: str, options: list[str], said: str
) -> None:
    (place / "song.mid").write_bytes(midi(performance(1, bars=24)))
    words = [word for option in options for word in ("--drum-channel", option)]
    answer = run(*command.split(), "song.mid", *words, expect=2)
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_same_drum_channel_twice_is_no_contradiction(place: Path) -> None:
    (place / "song.mid").write_bytes(midi(performance(1, bars=24), channel=1))
    once, twice = (run("inspect", "song.mid", "--json", *(["--drum-channel", "1"] * times)).stdout for times in (1, 2))
    assert json.loads(once)["instruments"][0]["drums"]
    assert twice == once


def test_a_single_file_of_notesequences_never_leaves_training_empty(place: Path) -> None:
    for number in range(12):  # by the hash of its id alone, one in five would be in validation or test
        record = midi_to_record(midi(performance(1, bars=24)), "set", f"{number}.mid").data
        with (place / f"{number}.tfrecord").open("wb") as stream:
            write_record(stream, record)
        run("preprocess", f"{number}.tfrecord", "--output-dir", f"examples-{number}")
        assert run("inspect", f"{number}.tfrecord").stdout


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_own_files_in_a_folder_with_an_info_csv_are_left_out_loudly_and_the_cure_works(kind: str, place: Path) -> None:
    folder = place / "set"
    folder.mkdir()
    (folder / "fetched.mid").write_bytes(midi(performance(0)))
    (folder / "info.csv").write_text(HEADER + row("fetched.mid", "train"))

    def source() -> str:
        return "set" if kind == "folder" else shutil.make_archive(str(place / "packed"), kind, place, "set")

    assert run("convert", source()).stderr == ""
    for name in ("mine 1.mid", "mine 2.mid"):
        (folder / name).write_bytes(midi(performance(len(name) + int(name[5]))))
    path = source()
    why = "info.csv does not list them (mine 1.mid, ...). Add rows for them to info.csv"
    left_out = f"Warning: 2 MIDI files in '{path}' are left out: {why}"
    every = f"{left_out}, or delete info.csv to use all files.\n"
    for command in ("convert", "inspect"):
        assert run(command, path).stderr == every
        assert run(command, path, "--json").stderr == every
    assert run("convert", path, "--style", "rock").stderr == f"{left_out}.\n"

    with (folder / "info.csv").open("a") as stream:
        stream.write(row("mine 1.mid", "test"))
    answer = run("convert", source())
    assert "1 MIDI file in" in answer.stderr
    assert "does not list it (mine 2.mid). Add a row for it" in answer.stderr
    assert "Wrote 2 records" in answer.stdout
    (folder / "info.csv").unlink()
    answer = run("convert", source())
    assert (answer.stderr, "Wrote 3 records" in answer.stdout) == ("", True)
    shown = json.loads(run("inspect", source(), "--json").stdout)
    assert (shown["files"]["readable"], shown["not_in_info_csv"]["count"]) == (3, 0)
