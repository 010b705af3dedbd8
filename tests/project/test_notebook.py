"""The notebook for Colab: it is valid, its commands are there, and it runs from top to bottom.

It runs here as in any Jupyter outside Colab, on the starter set with a tiny config. What only Colab has (its forms,
Drive, upload and download) is not run.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
from fixtures.documented_commands import command_lines, parse_command
from fixtures.notebooks import check_format, execute, printed, read, shown, source
from gmd_vae.cli import cli
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config

ROOT = Path(__file__).parent.parent.parent
NAME = "gmd_vae_colab.ipynb"
FORM = r"^(\w+) = .*  # @param (\[.*?\])"  # a setting with a list of choices
TINY = "flat-drum_1bar_test"
CONFIGS = f"""
from gmd_vae.configs import FLAT_SMALL
from gmd_vae.configuration.window_specs import DrumWindows

SIZES = dict(z_size=4, enc_rnn_size=[16], dec_rnn_size=[12, 8], batch_size=16)
CONFIGS = [FLAT_SMALL.replace(name="{TINY}", windows=DrumWindows(slice_bars=1), **SIZES)]
"""


def run(notebook: Any, folder: Path, path: str, **options: Any) -> None:
    """Runs the cells in ``folder``, with ``path`` to find commands by, and with the tiny config."""
    (folder / "tiny.py").write_text(CONFIGS)
    execute(notebook, folder, {"PATH": path, "GMD_VAE_CONFIGS": str(folder / "tiny.py")}, **options)


def test_it_is_a_valid_notebook_without_outputs() -> None:
    check_format(NAME)


def test_its_settings_can_be_chosen() -> None:
    settings = source(read(NAME), "training-settings")
    choices = {name: ast.literal_eval(choice) for name, choice in re.findall(FORM, settings, re.MULTILINE)}
    assert [get_config(name).name for name in choices["CONFIG"]] == choices["CONFIG"]
    assert choices["CONFIG"][0] == DEFAULT_CONFIG
    for name in choices["DATASET"]:
        parse_command(["fetch", name], click.Context(cli, info_name="gmd-vae"))


@pytest.mark.parametrize(("dataset", "steps"), [("groove", 0), ("starter", 70)])
def test_every_command_in_it_parses(dataset: str, steps: int) -> None:
    notebook = read(NAME, DATASET=dataset, STEPS=steps)
    names: dict[str, Any] = {"OWN_STEPS": 500}
    names |= dict.fromkeys(("first", "beats", "walk", "own"), "runs/x/generated/new")
    exec(source(notebook, "training-settings"), names)
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shell = "\n".join(re.findall(r"^ *!(gmd-vae(?:.*\\\n)*.*)$", cell.source, re.MULTILINE))
            for line in command_lines(cell.id, re.sub(r"\{(\w+)\}", lambda match: str(names[match[1]]), shell)):
                parse_command(line.words[1:], click.Context(cli, info_name="gmd-vae"))
                found.append(line.words[1])
    assert {"fetch", "convert", "preprocess", "train", "evaluate", "inspect", "doctor", "report"} <= set(found)
    assert found.count("generate") == 4


def test_beats_and_the_studio_come_before_everything_that_training_needs() -> None:
    notebook = read(NAME)
    commands = [word for cell in notebook.cells for word in re.findall(r"^ *!(gmd-vae [a-z]+|make)", cell.source, re.M)]
    assert commands[:3] == ["gmd-vae generate", "gmd-vae studio", "make"]
    assert "TensorFlow" not in "".join(source(notebook, name) for name in ("light", "first", "studio"))


def test_its_set_up_is_the_makefiles() -> None:
    setup = source(read(NAME), "setup")
    assert "!make -C gmd-vae setup GPU={GPU}" in setup
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^setup:", makefile, re.MULTILINE)
    assert re.search(r"^GPU = ", makefile, re.MULTILINE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def cells(home: Path) -> dict[str, Any]:
    """The cells by id, after all of them ran on the starter set in ``home``."""
    notebook = read(NAME, CONFIG=TINY, DATASET="starter", STEPS=12, NUM_OUTPUTS=2)
    run(notebook, home, os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return {cell.id: cell for cell in notebook.cells}


@pytest.mark.tensorflow
def test_it_trains_and_shows_how(cells: dict[str, Any]) -> None:
    assert "Starter set: 88 MIDI files" in printed(cells["data"])
    trained = printed(cells["training"])
    assert "step 1/12  loss" in trained
    assert f"Trained {TINY} to step 12" in trained
    assert "\x1b" not in trained  # plain lines: a bar that renews itself would fill the notebook
    assert shown(cells["curves"]) == ["picture"]
    tables = "".join(output.data.get("text/markdown", "") for output in cells["evaluation"].outputs if "data" in output)
    assert f"| {TINY} | 12 |".replace("_", r"\_") in tables
    assert shown(cells["evaluation"]) == ["picture", "picture"]


@pytest.mark.tensorflow
def test_beats_can_be_heard_and_seen(cells: dict[str, Any], home: Path) -> None:
    assert shown(cells["first"]) == ["picture", "player"] * 4
    assert "href='studio.html'" in cells["studio"].outputs[-1].data["text/html"]
    assert "<title>" in (home / "studio.html").read_text(encoding="utf-8")
    assert shown(cells["beats"]) == ["picture", "player"] * 2
    assert shown(cells["walk"]) == ["picture", "player"]
    generated = sorted((home / f"runs/{TINY}-starter/generated").iterdir())
    assert [len(list(folder.glob("*.mid"))) for folder in generated] == [2, 6]  # five, and all of them joined
    assert cells["own"].outputs == []


@pytest.mark.tensorflow
def test_the_archive_has_the_beats_and_the_model_that_made_them(cells: dict[str, Any], home: Path) -> None:
    name = f"{TINY}-starter"
    assert f"{name}.zip: " in printed(cells["download"])
    with zipfile.ZipFile(home / f"{name}.zip") as pack:
        names = pack.namelist()
    assert {f"{name}/run.json", f"{name}/report.html", f"{name}/best/model.ckpt-12.index"} <= set(names)
    assert [len([file for file in names if file.endswith(end)]) for end in (".mid", ".wav")] == [8, 8]
    assert [file for file in names if "/train/" in file] == []


def a_short_one(*lines: str) -> Any:
    """A notebook of the settings, the helpers, and a cell for each of ``lines``."""
    import nbformat

    notebook = read(NAME)
    notebook.cells = [cell for cell in notebook.cells if cell.id in ("settings", "helpers")]
    notebook.cells += [nbformat.v4.new_code_cell(line) for line in lines]
    return notebook


def test_a_step_that_fails_stops_the_notebook_in_one_line(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    notebook = a_short_one('WORD = "three"', "!echo one {WORD} && false | cat", "!touch after")
    with pytest.raises(CellExecutionError):
        run(notebook, tmp_path, os.environ["PATH"])
    text, error = notebook.cells[-2].outputs
    assert text.text == "one three\n"
    assert error.traceback == ["Stopped: this line failed (exit code 1): echo one three && false | cat"]
    assert not (tmp_path / "after").exists()


def test_the_stop_button_reaches_the_command_which_may_end_well(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    line = "!trap 'echo saved; exit 3' INT; echo begun; while true; do sleep 0.1; done"
    patience = {"timeout_func": lambda cell: 3 if cell.source == line else 600, "interrupt_on_timeout": True}
    notebook = a_short_one(line)
    with pytest.raises(CellExecutionError, match="exit code 3"):
        run(notebook, tmp_path, os.environ["PATH"], **patience)
    assert printed(notebook.cells[-1]) == "begun\nsaved\n"


def test_it_asks_for_the_repository_where_there_is_no_gmd_vae(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bash").symlink_to(shutil.which("bash") or "")
    notebook = a_short_one(source(read(NAME), "light"))
    with pytest.raises(CellExecutionError, match="Write the address into REPOSITORY"):
        run(notebook, tmp_path, str(tmp_path / "bin"))


def test_where_there_is_none_gmd_vae_is_cloned_installed_and_made(tmp_path: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "git", "mkdir", "chmod"):
        (commands / name).symlink_to(shutil.which(name) or "")
    # in the place of what takes minutes and a network
    script = """#!/bin/bash
echo "NAME $*"
mkdir -p FOLDER
printf '#!/bin/bash\\necho "NAME: gmd-vae $*"\\n' > FOLDER/gmd-vae
chmod +x FOLDER/gmd-vae
"""
    for name, folder in (("make", "gmd-vae/.venv/bin"), ("uv", "light/bin"), ("nvidia-smi", "nowhere")):
        (commands / name).write_text(script.replace("NAME", name).replace("FOLDER", folder))
        (commands / name).chmod(0o755)
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
    light, set_up, settings = (source(read(NAME), name) for name in ("light", "setup", "training-settings"))
    notebook = a_short_one(f"REPOSITORY = {str(repository)!r}", light, settings, set_up, set_up, light)
    run(notebook, tmp_path, str(commands))
    _, installed, _, made, second, again = map(printed, notebook.cells[-6:])
    assert (tmp_path / "gmd-vae" / ".git").is_dir()
    environment = tmp_path / "light"
    assert installed.splitlines()[-3:] == [
        f"uv venv --quiet --allow-existing --python python3 {environment}",
        f"uv pip install --quiet --python {environment} ./gmd-vae",
        "uv: gmd-vae --version",
    ]
    assert made == "make -C gmd-vae setup GPU=1\nmake: gmd-vae doctor\n"
    assert (second, again) == ("", "make: gmd-vae --version\n")
