"""``gmd-vae preprocess``: output, summary, errors, and interruption."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fixtures.command_line import PYTHONPATH
from fixtures.json_page import check_answer
from gmd_vae.cli import COMMANDS, main
from gmd_vae.commands.preprocess import command
from gmd_vae.midi.convert import convert
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.reading import EVERY_HIT, STOCK
from gmd_vae.midi.tfrecord import read_records, write_record

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_notes(folder: Path, train: int = 3, bars: int = 4, pitch: int = 36) -> Path:
    """Writes different beats: each has cowbells (class snare) at other steps, so each is another window."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, numbers in (("train", range(train)), ("validation", [train]), ("test", [train + 1])):
        with (folder / f"{split}.tfrecord").open("wb") as stream:
            for number in numbers:
                sequence = NoteSequence(id=f"/id/{number}", total_time=bars * 2.0)
                for quarter in range(bars * 4):
                    sequence.notes.add(start_time=quarter / 2, end_time=quarter / 2 + 0.1, velocity=90, is_drum=True)
                    sequence.notes[-1].pitch = pitch
                for bit in range(14):
                    if (number + 1) >> bit & 1:
                        sequence.notes.add(start_time=bit / 2 + 0.25, end_time=9, velocity=9, pitch=56, is_drum=True)
                write_record(stream, sequence.SerializeToString())
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["preprocess", *arguments])
    captured = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, captured.out, captured.err


def assert_refused(capsys: pytest.CaptureFixture[str], code: int, message: str, *arguments: str) -> None:
    """Checks for one line on stderr, nothing on stdout, and no new files."""
    before = sorted(Path().rglob("*"))
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, "")
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
    assert message in err
    assert sorted(Path().rglob("*")) == before


def test_help_begins_with_the_summary_line_and_ends_with_examples() -> None:
    assert (command.help or "").splitlines()[0] == COMMANDS["preprocess"]
    text = CliRunner().invoke(command, ["--help"]).output
    assert "Examples:\n  gmd-vae preprocess\n" in text
    for option in (
        "--config",
        "--output-dir",
        "--shards",
        "--max-per-sequence",
        "--keep-duplicates",
        "--jobs",
        "--json",
    ):
        assert option in text


def test_help_and_usage_errors_import_nothing_heavy() -> None:
    heavy = ["numpy", "google.protobuf", "rich.table", "tensorflow", "note_seq"]
    script = (
        "import sys\n"
        "from gmd_vae.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        f"except SystemExit as end:\n    print(end.code, [name for name in {heavy} if name in sys.modules])"
    )
    for arguments, code in ((["--help"], 0), (["--shards", "0"], 2), (["--config", "nonsense", "x"], 2)):
        found = subprocess.run(
            [sys.executable, "-c", script, "preprocess", *arguments],
            capture_output=True, text=True, check=True, cwd=REPOSITORY,
        )  # fmt: skip
        assert found.stdout.splitlines()[-1] == f"{code} []"


def test_defaults_read_the_groove_notes_and_write_to_data_examples(capsys: pytest.CaptureFixture[str]) -> None:
    from gmd_vae.configuration.registry import DEFAULT_CONFIG

    write_notes(Path("data/notes/groove"))
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    folder = Path("data/examples/groove") / DEFAULT_CONFIG
    assert (folder / "manifest.json").is_file()
    assert len(list(folder.glob("train-*-of-00003.tfrecord"))) == 3
    assert f"Wrote 5 examples for {DEFAULT_CONFIG} to {folder}" in out
    assert f"\nNext, for so few windows: gmd-vae train --init-from groove-4bar --examples-path {folder} " in out


def test_the_table_lists_counts_of_each_split_and_of_dropped_music(capsys: pytest.CaptureFixture[str]) -> None:
    notes = write_notes(Path("[odd] name"))
    with (notes / "train.tfrecord").open("ab") as stream:
        short = NoteSequence(id="short", total_time=2.0)
        short.notes.add(end_time=0.1, pitch=36, velocity=1, is_drum=True)
        short.notes.add(end_time=0.1, pitch=88, velocity=1, is_drum=True)
        write_record(stream, short.SerializeToString())
        write_record(stream, NoteSequence(id="silent", total_time=2.0).SerializeToString())
    code, out, err = run(capsys, str(notes), "--config", "hierdec-drum_4bar_v2")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert rows["train"] == ["5", "3", "3", "0", "3", "3"]  # sequences, windows, distinct, shared, examples, files
    assert rows["test"] == ["1", "1", "1", "0", "1", "1"]
    assert "1  stretch of drums shorter than a window" in out
    assert "1  NoteSequence without drum notes" in out
    assert "1  drum note of pitch 88, which is in no drum class" in out
    assert "to data/examples/[odd] name/hierdec-drum_4bar_v2" in out


def test_json_output_equals_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    notes = write_notes(Path("notes"), train=6)
    code, out, _ = run(
        capsys, "notes", "--output-dir", "out", "--shards", "2", "--max-per-sequence", "1", "--json", "--jobs", "1"
    )
    assert code == 0
    summary: dict[str, Any] = json.loads(out)
    assert summary["output_dir"] == "out"
    assert summary["splits"]["train"]["examples"] == 6
    assert [entry["name"] for entry in summary["splits"]["train"]["files"]] == [
        "train-00000-of-00002.tfrecord",
        "train-00001-of-00002.tfrecord",
    ]
    stored = json.loads(Path("out/manifest.json").read_text())
    assert stored["splits"] == summary["splits"]
    assert stored["options"] == {"shards": 2, "max_per_sequence": 1, "keep_duplicates": False}
    assert notes.is_dir()


def test_a_split_without_examples_gives_a_note_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    (write_notes(Path("notes")) / "test.tfrecord").unlink()
    code, _, err = run(capsys, "notes")
    assert code == 0
    assert err == "Note: there are no examples for test.\n"


def test_failures_are_one_line_with_the_next_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert_refused(capsys, 1, "Make it with 'gmd-vae fetch groove' and 'gmd-vae convert'")
    assert_refused(capsys, 1, "'nowhere' does not exist", "nowhere")
    write_notes(Path("notes"))
    assert_refused(capsys, 2, "Did you mean 'hierdec-drum_4bar", "notes", "--config", "hierdec-drum_4bat")
    assert_refused(capsys, 2, "--shards", "notes", "--shards", "0")
    assert_refused(capsys, 2, "--max-per-sequence", "notes", "--max-per-sequence", "-1")
    assert_refused(capsys, 2, "lies in the output folder", "notes", "--output-dir", ".")
    Path("mine").mkdir()
    Path("mine/song.txt").touch()
    assert_refused(capsys, 1, "did not write", "notes", "--output-dir", "mine")
    assert_refused(
        capsys, 1, "shorter than a window: 5", "notes", "--config", "hierdec-drum_16bar", "--output-dir", "out"
    )


@pytest.mark.parametrize(
    ("module", "name"), [("windows.extraction", "Dropped.add"), ("windows.storage.shards", "write_record")]
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_command_continues_after_ctrl_c(
    capsys: pytest.CaptureFixture[str], workspace: Path, module: str, name: str, jobs: int
) -> None:
    """Sends SIGINT to all processes, as a terminal does, while batches are merged or examples are written."""
    write_notes(workspace / "notes", train=300)
    script = f"""if True:
        import os, signal, sys
        from gmd_vae.cli import main
        import gmd_vae.{module} as module
        original, calls = module.{name}, []
        def interrupted(*arguments):
            calls.append(1)
            if len(calls) == 5:
                os.killpg(0, signal.SIGINT)
            return original(*arguments)
        module.{name} = interrupted
        main(["preprocess", "notes", "--output-dir", "out", "--jobs", "{jobs}"])
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": PYTHONPATH},
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    # with two jobs, one may still be starting, and Python prints a traceback
    last = err.strip().splitlines()[-1]
    assert last.startswith("Error: Interrupted.")
    assert jobs > 1 or err.strip().count("\n") == 0
    kept = workspace / ".out.parts"
    assert [path.name for path in workspace.iterdir() if path != kept] == ["notes"]
    assert kept.exists() == ("the same command continues" in last)
    assert kept.exists() or name != "write_record"
    code, _, err = run(capsys, "notes", "--output-dir", "out")
    assert code == 0
    assert ("Continuing: " in err) == ("the same command continues" in last)
    assert sorted(path.name for path in workspace.iterdir()) == ["notes", "out"]


def test_refused_sections_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    write_notes(Path("notes"), train=6)
    code, out, _ = run(capsys, "notes", "--output-dir", "out", "--max-num-notes", "18", "--json")
    assert code == 0
    # 16 beats and a note for each 1 in the number, counted from 1: 7 is the only one of 1 to 8 with three
    summary = json.loads(out)
    assert summary["dropped"]["reasons"]["too_many_notes"] == 1
    assert summary["splits"]["validation"]["examples"] == 0
    assert json.loads(Path("out/manifest.json").read_text())["options"]["filters"] == {"max_num_notes": 18}
    assert_refused(capsys, 2, "--is-drum and --no-is-drum choose the notes", "notes", "--is-drum")
    too_long = "sections longer than --max-total-time: 8"
    assert_refused(capsys, 1, too_long, "notes", "--output-dir", "new", "--max-total-time", "1")


def test_stock_names_notes_that_magenta_would_read_otherwise(
    capsys: pytest.CaptureFixture[str], make_midi: Callable[..., bytes]
) -> None:
    Path("music").mkdir()
    for number in range(20):
        hits = [(240 * step, 36 if step % (4 + number) else 38) for step in range(64)]
        Path(f"music/{number}.mid").write_bytes(make_midi(hits))
    for reading in (EVERY_HIT, STOCK):
        convert(Path("music"), Path("converted"), reading=reading)
        code, _, err = run(capsys, "converted", "--stock", "--jobs", "1", "--output-dir", "cut")
        assert code == 0
        assert ("make the notes with 'gmd-vae convert --stock'" in err) == (not reading.stock)


def test_stock_writes_note_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    write_notes(Path("notes"), train=6)
    code, out, err = run(capsys, "notes", "--stock", "--jobs", "1")
    assert (code, err) == (0, "")
    assert "Wrote 8 NoteSequences for " in out
    (folder,) = Path("data/notes").iterdir()
    assert sum(1 for _ in read_records(folder / "train.tfrecord")) == 6
    _, out, _ = run(capsys, "notes", "--stock", "--jobs", "1", "--json")
    check_answer("preprocess --stock", json.loads(out))
    code, out, _ = run(capsys, str(folder), "--output-dir", "again")
    assert (code, "Wrote 8 examples" in out) == (0, True)
    with (folder / "train.tfrecord").open("ab") as stream:
        stream.write(b"more")
    assert_refused(capsys, 1, "has changed since", str(folder), "--output-dir", "third")
    for options in (["--shards", "2"], ["--keep-duplicates"], ["--min-velocities", "1"]):
        assert_refused(capsys, 2, f"--stock cannot be combined with {options[0]}", "notes", "--stock", *options)


def test_dask_needs_a_scheduler_and_a_scheduler_needs_dask(capsys: pytest.CaptureFixture[str]) -> None:
    write_notes(Path("notes"))
    assert_refused(capsys, 2, "--engine dask needs --scheduler", "notes", "--engine", "dask")
    assert_refused(capsys, 2, "--scheduler needs --engine dask", "notes", "--scheduler", "tcp://127.0.0.1:8786")


def test_compressed_notes_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    notes = write_notes(Path("notes"), train=20) / "train.tfrecord"
    Path("one.tfrecord").write_bytes(notes.read_bytes())
    Path("two.tfrecord.gz").write_bytes(gzip.compress(notes.read_bytes()))
    assert run(capsys, "one.tfrecord", "--output-dir", "one")[0] == 0
    assert run(capsys, "two.tfrecord.gz")[0] == 0
    (second,) = Path("data/examples/two").iterdir()
    for path in Path("one").glob("*.tfrecord"):
        assert path.read_bytes() == (second / path.name).read_bytes()
    Path("music.tar.gz").write_bytes(gzip.compress(b"ustar" * 100))
    assert_refused(capsys, 1, "'music.tar.gz' holds MIDI or is an archive", "music.tar.gz")
