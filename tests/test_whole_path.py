"""The path a user takes, command by command: each command once in a process of its own, else in the tests'."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import mido
import pytest
from fixtures.command_line import GMD_VAE, environment, run, run_here
from fixtures.json_page import check_answer
from fixtures.terminal import on_terminal
from gmd_vae.common import stop_signals
from gmd_vae.common.streams import text_stream

# Quick to build; the last test has real sizes. Levers for long trainings are off, so that 12 steps change something.
TINY = "batch_size=16,z_size=8,enc_rnn_size=[16],dec_rnn_size=[16],warm_up_steps=0,average_decay=0"
pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("without_pictures")]


def drums_in(path: Path) -> int:
    """Drum notes in a MIDI file."""
    return sum(
        message.type == "note_on" and message.channel == 9 and message.velocity > 0
        for track in mido.MidiFile(path).tracks
        for message in track
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder after fetch, convert, preprocess and a short training on the starter set."""
    home = tmp_path_factory.mktemp("home")
    run(home, "fetch", "starter")
    run(home, "convert", "data/raw/starter")
    run(home, "preprocess", "data/notes/starter")
    trained = run(home, "train", "--num-steps", "12", "--hparams", TINY, PYTHONIOENCODING="ascii")
    assert "Trained hierdec-drum_4bar_small to step 12. Loss 399" in trained.stdout
    assert " -> " in trained.stdout  # an arrow, where the stream can take it
    assert "step 1/12  loss 399" in trained.stderr
    assert "WARNING" not in trained.stderr
    return home


def test_beats_come_out_of_the_starter_set(home: Path) -> None:
    made = json.loads(run_here(home, "generate", "-n", "9", "--temperature", "1.0", "--json").stdout)
    files = [home / file["path"] for file in made["files"]]
    assert len(files) == 9
    assert sum(drums_in(file) > 0 for file in files) >= 8
    assert [drums_in(file) for file in files] == [file["notes"] for file in made["files"]]


def test_the_same_seed_gives_the_same_bytes_in_another_process(home: Path) -> None:
    made = ("generate", "-n", "2", "--seed", "4", "--output-dir")
    assert run(home, *made, "one").stdout.endswith(
        "\nNext: gmd-vae render one/hierdec-drum_4bar_small_sample_seed4_000_120bpm.mid\n"
    )
    run_here(home, *made, "two")
    assert [p.read_bytes() for p in sorted((home / "one").iterdir())] == [
        p.read_bytes() for p in sorted((home / "two").iterdir())
    ]


def test_a_walk_between_two_beats(home: Path) -> None:
    one, other = sorted((home / "data/raw/starter").rglob("*.mid"))[:2]
    ends = ("--input-midi", str(one), "--input-midi", str(other))
    done = run_here(home, "generate", "--mode", "interpolate", *ends, "-n", "5", "--output-dir", "walk")
    assert "the fullest regular one" in done.stderr
    assert len(list((home / "walk").glob("*_interpolate_*.mid"))) == 5


def test_training_says_what_it_found_and_where_the_best_lies(home: Path) -> None:
    folder = home / "runs/hierdec-drum_4bar_small"
    assert {path.name for path in folder.iterdir()} >= {"run.json", "metrics.jsonl", "progress.png", "train", "best"}
    described = json.loads((folder / "run.json").read_text())
    assert described["starts"][0]["device"]
    assert described["hparams"]["batch_size"] == 16
    assert json.loads((folder / "best/validation.json").read_text())["step"] == 12
    made = run_here(home, "generate", "-n", "1", "--checkpoint-file", "latest", "--output-dir", "latest")
    assert "model.ckpt-12)" in made.stderr


def test_programs_get_json_lines_and_nothing_else(home: Path) -> None:
    tiny = "batch_size=8,z_size=8,enc_rnn_size=[8],dec_rnn_size=[8]"
    arguments = ("--config", "flat-drum_4bar_small", "--run-dir", "runs/json", "--hparams", tiny)
    done = run_here(home, "train", *arguments, "--num-steps", "20", "--validate-every", "10", "--json")
    assert "data/examples/starter/hierdec-drum_4bar_small" in done.stderr  # of another config, with the same windows
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["split"], line["step"]) for line in lines[:-1]] == [
        ("train", 1),
        ("validation", 10),
        ("train", 20),
        ("validation", 20),
    ]
    check_answer("train", lines[-1])
    outcome, validation = lines[-1]["outcome"], lines[-2]
    assert (outcome["last_step"], outcome["stopped"]) == (20, None)
    assert {"split": "validation", **outcome["best"]} == validation
    again = run_here(home, "train", "--run-dir", "runs/json", "--num-steps", "20")
    assert "Nothing to do: 'runs/json' is at step 20" in again.stdout
    assert "Best: step 20" in again.stdout


def test_two_trainings_in_one_folder_and_no_gpu_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmd_vae.magenta import api
    from gmd_vae.training.run.lock import run_lock

    with run_lock(home / "runs/hierdec-drum_4bar_small"):
        line = run_here(home, "train", "--run-dir", "runs/hierdec-drum_4bar_small", "--num-steps", "30", expect=1).error
    assert f"process {os.getpid()}" in line
    monkeypatch.setattr(api, "gpus", [])
    line = run_here(home, "train", "--run-dir", "runs/gpu", "--require-gpu", expect=1).error
    assert "TensorFlow finds no GPU" in line
    assert not (home / "runs/gpu").exists()


def test_fine_tuning_begins_with_other_weights(home: Path) -> None:
    run_dir = ("--run-dir", "runs/tuned", "--hparams", TINY, "--num-steps", "1")
    tuned = run_here(home, "train", *run_dir, "--init-from", "runs/hierdec-drum_4bar_small")
    assert "Initial weights: runs/hierdec-drum_4bar_small/best/model.ckpt-12" in tuned.stderr
    before, first = map(json.loads, (home / "runs/tuned/metrics.jsonl").read_text().splitlines()[:2])
    assert (before["split"], before["step"]) == ("validation", 0)
    assert (first["step"], first["loss"] < 398) == (1, True)
    absent = ("--init-from", "runs/hierdec-drum_4bar_small/nothing")
    assert "No checkpoint at" in run_here(home, "train", "--run-dir", "runs/tuned", *absent, expect=1).error


def test_a_pipeline_that_learns_says_so_and_leaves_nothing(home: Path) -> None:
    tiny = "batch_size=4,z_size=16,enc_rnn_size=[64],dec_rnn_size=[64],learning_rate=0.02"
    arguments = ("--config", "flat-drum_4bar_small", "--run-dir", "runs/none", "--hparams", tiny)
    learns = run_here(home, "train", *arguments, "--overfit-batch")
    assert learns.stdout.startswith("The pipeline learns: reconstruction ")
    assert not (home / "runs/none").exists()


def test_training_from_notes_prepares_the_examples_and_a_pipeline_that_does_not_learn_is_an_error(home: Path) -> None:
    tiny = "batch_size=4,z_size=8,enc_rnn_size=[8],dec_rnn_size=[8]"
    arguments = ("--config", "cat-drums_2bar_small", "--run-dir", "runs/none", "--hparams", tiny)
    notes = ("--examples-path", "data/notes/starter/train.tfrecord")
    done = run_here(home, "train", *arguments, *notes, "--overfit-batch", "--num-steps", "2", expect=1)
    assert "Preparing examples for cat-drums_2bar_small" in done.stderr
    assert (home / "data/examples/train/cat-drums_2bar_small/manifest.json").is_file()
    assert "does not memorise one batch of 4 windows" in done.error
    assert not (home / "runs/none").exists()


def test_a_signal_saves_and_the_same_command_goes_on(home: Path) -> None:
    """Ctrl-C on a terminal, after a validation; then, in this process, the end of a terminal."""
    folder = home / "runs/flat-drum_4bar_small"
    tiny = "batch_size=8,enc_rnn_size=[8],dec_rnn_size=[8],z_size=4"
    options = ("--config", folder.name, "--hparams", tiny, "--num-steps", "100000", "--validate-every", "2")
    with on_terminal([*GMD_VAE, "train", *options], 80, home) as terminal:
        terminal.wait_for(lambda lines: any(line.startswith("Validation at step 2:") for line in lines), 180)
        terminal.press(b"\x03")
        screen = terminal.run_to_end()
        assert terminal.process.returncode == 130, screen
    assert not any("/100000" in line for line in screen)  # the line of progress is gone
    said = next(place for place, line in enumerate(screen) if line.startswith("Error: "))  # broken between words
    step = interrupted_at(" ".join(line.strip() for line in screen[said:]))
    assert step >= 2

    # the folder alone is enough: config, sizes, seed and data are those of the run
    lines = len((folder / "metrics.jsonl").read_text().splitlines())

    def close_the_terminal() -> None:
        wait_for_lines(folder / "metrics.jsonl", lines + 1)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests may run under nohup
    closing = threading.Thread(target=close_the_terminal)
    closing.start()
    try:
        on = run_here(home, "train", "--run-dir", "runs/flat-drum_4bar_small", "--num-steps", "100000", expect=143)
    finally:
        closing.join(180)
        signal.signal(signal.SIGHUP, before)
        stop_signals.forget()
    for setting in ("Config: flat-drum_4bar_small with", "batch_size=8", "enc_rnn_size=[8]", "z_size=4"):
        assert setting in on.stderr
    assert f"step {step + 1}/100000" in on.stderr
    assert interrupted_at(on.stderr) > step


def wait_for_lines(file: Path, number: int) -> None:
    """Waits until a file has that many lines."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if file.exists() and len(file.read_bytes().splitlines()) >= number:
            return
        time.sleep(0.05)


def interrupted_at(stderr: str) -> int:
    """The step in the last line of stderr, whose checkpoint it names."""
    last = stderr.splitlines()[-1]
    assert last.startswith("Error: Interrupted at step "), stderr
    step = int(last.split()[4])
    assert f"model.ckpt-{step}" in last
    return step


def test_training_goes_on_when_nobody_reads_its_lines(home: Path) -> None:
    tiny = "batch_size=8,enc_rnn_size=[8],dec_rnn_size=[8],z_size=4"
    options = ("--config", "flat-drum_4bar_small", "--run-dir", "runs/piped", "--num-steps", "40", "--hparams", tiny)
    reader, writer = os.pipe()
    read: list[bytes] = []

    def read_one_line() -> None:
        with open(reader, "rb", buffering=0) as stream:
            read.append(stream.readline())

    reading = threading.Thread(target=read_one_line)
    reading.start()
    try:
        # the stream that a process has as its stdout
        run_here(home, "train", *options, "--json", stdout=text_stream(None, writer))
    finally:
        os.close(writer)
        reading.join(180)
    assert json.loads(read[0])["step"] == 1
    assert (home / "runs/piped/train/model.ckpt-40.index").is_file()


def test_an_evaluation_prints_what_the_stream_can_take(home: Path) -> None:
    few = ("--split", "validation", "--samples", "16", "--importance-samples", "2")
    table = run(home, "evaluate", "runs/hierdec-drum_4bar_small", *few, PYTHONIOENCODING="latin-1")
    assert "Traceback" not in table.stderr
    assert table.stdout


def test_what_cannot_work_is_refused_before_tensorflow_starts(home: Path) -> None:
    """Eight commands in one process, which must not have imported TensorFlow by then."""
    refused = [
        (1, "too few for a batch of 4096", "train --hparams batch_size=4096 --run-dir runs/x"),
        (1, "holds another run: z_size=8, not 128; batch_size=16, not 32", "train --num-steps 3"),
        (1, "'data/nothing' do not exist", "train --examples-path data/nothing"),
        (2, "Did you mean 'batch_size'", "train --hparams batchsize=3"),
        (2, "Did you mean", "train --config hierdec-drum_4baar"),
        (
            1,
            "do not fit",
            "train --config hierdec-drum_16bar --examples-path data/examples/starter/hierdec-drum_4bar_small",
        ),
        (1, "is not a run folder", "generate --run-dir data"),
        (1, "No checkpoint at", "generate --checkpoint-file model.ckpt-5 --config hierdec-drum_4bar"),
    ]
    lines = [line.split() for _, _, line in refused]
    code = f"""
import sys
from gmd_vae.cli import main
for arguments in {lines!r}:
    try:
        main(arguments)
    except SystemExit as exit:
        print(exit.code)
print("tensorflow" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == [*(str(expected) for expected, _, _ in refused), "False"], done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    for line, (_, text, _) in zip(errors, refused, strict=True):
        assert text in line
    assert not (home / "runs/x").exists()


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    for command, action in (
        ("train", "Run 'gmd-vae fetch groove'"),
        ("report", "Run 'gmd-vae train' first"),
        ("convert", "gmd-vae fetch"),
        ("preprocess", "gmd-vae convert"),
    ):
        assert action in run_here(tmp_path, command, expect=1).error


def test_a_checkpoint_of_another_config_says_which_sizes_differ(home: Path) -> None:
    checkpoint = str(home / "runs/hierdec-drum_4bar_small/train/model.ckpt-12.index")
    other = ("--config", "hierdec-drum_4bar_v2")
    line = run_here(home, "generate", "--checkpoint-file", checkpoint, *other, expect=1).error
    assert re.search(r"is \d+ × \d+, the config makes it \d+ × \d+", line)
    assert not (home / "generated").exists()


def test_the_real_groove_midi_dataset_from_archive_to_beats(groove_notes: Path, tmp_path: Path) -> None:
    """Real GMD: the splits and windows the documentation states, and a falling loss on them."""
    records = json.loads((groove_notes / "manifest.json").read_text())["files"]
    assert [(file["split"], file["records"]) for file in records] == [
        ("train", 897),
        ("validation", 124),
        ("test", 129),
    ]
    made = json.loads(run_here(tmp_path, "preprocess", str(groove_notes), "--json").stdout)
    splits = made["splits"]
    assert {name: split["windows"] for name, split in splits.items()} == {
        "train": 13_233,
        "validation": 1_832,
        "test": 1_768,
    }
    assert {name: split["distinct"] for name, split in splits.items()} == {
        "train": 13_208,
        "validation": 1_832,
        "test": 1_760,
    }
    assert splits["train"]["taken_out"] == {"test": 0, "validation": 1}
    run_here(tmp_path, "train", "--num-steps", "36", "--hparams", "warm_up_steps=0,prior_components=0")
    lines = [json.loads(line) for line in (tmp_path / "runs/hierdec-drum_4bar_small/metrics.jsonl").open()]
    trained, validated = lines[-2:]
    assert trained["step"] == validated["step"] == 36
    assert trained["loss"] < 250  # from 399
    assert validated["windows"] == 1_832
    assert validated["elbo"] > -250
    made = run_here(tmp_path, "generate", "--output-dir", "beats", "--temperature", "1.0")
    assert "model.ckpt-36)" in made.stderr
    assert sum(drums_in(file) > 0 for file in (tmp_path / "beats").glob("*.mid")) == 8
