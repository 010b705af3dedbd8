"""Without the extra ``train``: every command for drum data works, and the others say in one line what they need."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import PYTHONPATH, ROOT, Answer, environment
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.models.bundled import DEFAULT as BUNDLED
from gmd_vae.models.bundled import bundled_models
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

HIDING = ROOT / "tests" / "fixtures" / "without_training"
# runs the commands one after the other, and prints exit status, stdout and stderr of each
DRIVER = """
import contextlib, io, json, sys
from gmd_vae.cli import main
answers = []
for argv in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(argv)
        except SystemExit as end:
            code = end.code
    answers.append((code, out.getvalue(), err.getvalue()))
found = sorted(name for name in sys.modules if name.partition(".")[0] in sys.modules["sitecustomize"].HIDDEN)
json.dump([answers, found], sys.stdout)
"""
NOTES, STARTER, SONG = "data/notes/starter", "data/raw/starter", "song.mid"
INPUTS = ["--input-midi", f"{STARTER}/drummer1/session1/1_rock_116_beat_4-4.mid", "--input-midi", SONG]
WORKING = {
    "fetch": ["fetch", "starter"],
    "convert": ["convert", STARTER],
    "convert --stock": ["convert", STARTER, "--stock", "--output-dir", "stock"],
    "preprocess": ["preprocess", NOTES, "--jobs", "2"],
    "preprocess --stock": ["preprocess", NOTES, "--stock", "--config", "cat-drums_2bar_small", "--jobs", "1"],
    "inspect a file": ["inspect", SONG],
    "inspect --png": ["inspect", SONG, "--png", "window.png"],
    "inspect a folder": ["inspect", STARTER, "--json"],
    "inspect notes": ["inspect", NOTES],
    "inspect examples": ["inspect", f"data/examples/starter/{DEFAULT_CONFIG}"],
    "render": ["render", SONG, "--output-dir", "rendered"],
    "report": ["report", "runs/mine"],
    "generate": ["generate", "--model", BUNDLED, "-n", "2", "--wav", "--png", "--humanize"],
    "interpolate": ["generate", "--model", BUNDLED, "--mode", "interpolate", *INPUTS, "-n", "3"],
    "vary": ["generate", "--model", BUNDLED, "--mode", "vary", *INPUTS[:2], "-n", "2"],
    "models": ["models"],
    "export": ["export", str(bundled_models()[BUNDLED]), "-o", "mine.safetensors"],
    "configs": ["configs"],
    "one config": ["configs", "hierdec-trio_16bar_small"],
}
NEEDING = {
    "train": ["train", "--config", "flat-drum_4bar_small"],
    "evaluate": ["evaluate"],
    "preprocess melodies": ["preprocess", NOTES, "--config", "cat-mel_2bar_small"],
    "preprocess played drums": ["preprocess", NOTES, "--config", "groovae_2bar_humanize_small"],
    "preprocess --stock melodies": ["preprocess", NOTES, "--stock", "--config", "cat-mel_2bar_big"],
    "inspect a trio": ["inspect", SONG, "--config", "hierdec-trio_16bar_small"],
    "convert --stock of an odd file": ["convert", "odd", "--stock"],
}


def run_all(folder: Path, commands: dict[str, list[str]]) -> tuple[dict[str, Answer], list[str]]:
    """Runs commands in a process without the packages of the extra.

    Returns:
        Answer of each command, and the modules of hidden packages that were imported.
    """
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(list(commands.values())),
        cwd=folder,
        env=environment(PYTHONPATH=f"{HIDING}:{PYTHONPATH}"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers, found = json.loads(done.stdout)
    return {name: Answer(*answer) for name, answer in zip(commands, answers, strict=True)}, found


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, make_midi: Callable[..., bytes]) -> dict[str, Answer]:
    """The answers of all commands, in one folder with a song, an odd file and the folder of a run."""
    folder = tmp_path_factory.mktemp("light")
    (folder / SONG).write_bytes(make_midi(hits=[(step * 240, 36 + step % 3) for step in range(64)]))
    (folder / "odd").mkdir()
    (folder / "odd" / "odd.mid").write_bytes(make_midi(before=b"\x80\x80\x80\x80\x05\x99\x24\x40"))
    config = get_config(DEFAULT_CONFIG)
    run = folder / "runs" / "mine"
    run.mkdir(parents=True)
    Run(run, config, dict(config.hparams), 0, Path("data/examples/x"), "0" * 64).describe(Plan(3))
    (run / "train").mkdir()
    (run / "train" / "model.ckpt-3.index").touch()
    answers, found = run_all(folder, WORKING | NEEDING)
    assert found == []
    assert [path.name for path in (folder / "runs").iterdir()] == ["mine"]  # train made no folder
    assert sorted(path.name for path in (folder / "rendered").iterdir()) == ["song.png", "song.wav"]
    return answers


@pytest.mark.parametrize("name", WORKING)
def test_this_works(answers: dict[str, Answer], name: str) -> None:
    assert answers[name].code == 0, answers[name].stderr


@pytest.mark.parametrize("name", NEEDING)
def test_this_names_what_it_needs_and_the_command_that_installs_it(answers: dict[str, Answer], name: str) -> None:
    answer = answers[name]
    assert answer.code == 1
    assert [line[:6] for line in answer.stderr.splitlines() if not line.startswith("Note: ")] == ["Error:"]
    assert "note-seq" in answer.error
    assert "not installed. Run '" in answer.error
    assert "--no-deps magenta==2.1.4" in answer.error or f"make -C {ROOT} setup" in answer.error
