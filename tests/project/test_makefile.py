"""The Makefile's promises: what is there is not made twice, what is missing is made, what is precious stays.

The commands and the installation are played by scripts that leave what the real ones leave.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from gmd_vae.configuration.registry import DEFAULT_CONFIG

ROOT = Path(__file__).parent.parent.parent

SETUP = """#!/bin/sh
echo "setup $*" >> log
case $1 in
    packages)
        rm -rf "$3"; mkdir -p "$3/bin"
        [ ! -e no-network ] || exit 1
        cp gmd-vae python "$3/bin"
        ln -s python "$3/bin/ruff"; ln -s python "$3/bin/mypy" ;;
esac
"""
GMD_VAE = """#!/bin/sh
echo "gmd-vae $*" >> log
command=$1
while [ $# -gt 0 ]; do
    case $1 in
        --output-dir) mkdir -p "$2"; echo '{}' > "$2/manifest.json" ;;
        --run-dir) mkdir -p "$2/generated/now"
            [ "$command" = generate ] || { echo '{}' > "$2/run.json"; [ ! -e fails ] || exit 1; } ;;
    esac
    shift
done
"""
PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> log
"""


class Checkout:
    """A folder with the real Makefile, and a log of what it ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "requirements.txt", "requirements-gpu.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        scripts = {"tools/setup.sh": SETUP, "tools/check_scripts.sh": PYTHON, "gmd-vae": GMD_VAE, "python": PYTHON}
        for name, text in scripts.items():
            script = folder / name
            script.parent.mkdir(exist_ok=True)
            script.write_text(text)
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        for name in ("raw", "notes", "examples"):
            (folder / "data" / name).mkdir(parents=True)

    def make(self, *arguments: str, fails: bool = False) -> list[str]:
        """Runs make; what it ran, without what belongs to the environment."""
        return [line for line in self.make_all(*arguments, fails=fails) if not line.startswith("setup ")]

    def make_all(self, *arguments: str, fails: bool = False) -> list[str]:
        """Runs make; everything it ran."""
        log = self.folder / "log"
        log.write_text("")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        for name in ("MFLAGS", "PYTHON", "VENV"):
            environment.pop(name, None)
        done = subprocess.run(
            ["make", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        self.output = done.stdout
        return [" ".join(line.split()) for line in log.read_text().splitlines()]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


FETCH = "gmd-vae fetch groove --output-dir data/raw/groove"
CONVERT = "gmd-vae convert data/raw/groove --output-dir data/notes/groove"
PREPROCESS = (
    f"gmd-vae preprocess data/notes/groove --config {DEFAULT_CONFIG} --output-dir data/examples/groove/{DEFAULT_CONFIG}"
)
TRAIN = (
    f"gmd-vae train --config {DEFAULT_CONFIG} --examples-path data/examples/groove/{DEFAULT_CONFIG}"
    f" --run-dir runs/{DEFAULT_CONFIG} --num-steps "
)
GENERATE = f"gmd-vae generate --run-dir runs/{DEFAULT_CONFIG} --mode sample"


def test_the_whole_path_from_nothing(checkout: Checkout) -> None:
    ran = checkout.make_all("data", "train", "generate", "STEPS=7")
    assert [line.split()[:2] for line in ran[:2]] == [["setup", "packages"], ["setup", "project"]]
    assert ran[2:] == [FETCH, CONVERT, PREPROCESS, TRAIN + "7", GENERATE]
    assert checkout.make_all("data") == []  # all of it is there


def test_commands_are_shown(checkout: Checkout) -> None:
    checkout.make("data")
    assert f".venv/bin/{CONVERT}" in " ".join(checkout.output.split())


def test_generate_trains_when_there_is_no_run(checkout: Checkout) -> None:
    assert checkout.make("generate", "STEPS=9", "SEED=5", "TEMPERATURE=0.7", "NUM_OUTPUTS=3") == [
        *(FETCH, CONVERT, PREPROCESS, TRAIN + "9 --seed 5"),
        GENERATE + " --num-outputs 3 --temperature 0.7 --seed 5",
    ]
    assert checkout.make("generate") == [GENERATE]
    assert checkout.make("evaluate") == [f"gmd-vae evaluate runs/{DEFAULT_CONFIG}"]


def test_train_always_goes_on(checkout: Checkout) -> None:
    checkout.make("train")
    assert checkout.make("train", "STEPS=20", "HPARAMS=z_size=32,batch_size=8") == [
        TRAIN + "20 --hparams z_size=32,batch_size=8"
    ]


def test_a_selection_has_folders_and_a_run_of_its_own(checkout: Checkout) -> None:
    checkout.make("data")
    ran = checkout.make("train", "STYLE=rock/halftime", "BEAT_TYPE=beat")
    assert ran[0] == (
        "gmd-vae convert data/raw/groove --output-dir data/notes/groove-rock-halftime-beat"
        " --style rock/halftime --beat-type beat"
    )
    assert f"--run-dir runs/{DEFAULT_CONFIG}-groove-rock-halftime-beat" in ran[2]


def test_newer_notes_make_newer_examples(checkout: Checkout) -> None:
    checkout.make("data")
    manifest = checkout.folder / "data/notes/groove/manifest.json"
    later = manifest.stat().st_mtime + 60
    os.utime(manifest, (later, later))
    assert checkout.make("data") == [PREPROCESS]


def test_demo(checkout: Checkout) -> None:
    ran = checkout.make("demo", "DEMO_STEPS=3")
    assert ran[0] == "gmd-vae fetch starter --output-dir data/raw/starter"
    assert "--run-dir runs/demo --num-steps 3" in ran[3]
    assert ran[4].startswith("gmd-vae generate --run-dir runs/demo ")
    assert "runs/demo/generated/now/" in checkout.output.splitlines()[-1]


def test_cluster_demo(checkout: Checkout) -> None:
    ran = checkout.make("cluster-demo", "KILL=chief")
    examples = "data/examples/starter/flat-drum_4bar_small"
    assert ran[0] == "gmd-vae fetch starter --output-dir data/raw/starter"
    assert ran[2].endswith(f"--config flat-drum_4bar_small --output-dir {examples}")
    assert ran[3:] == [
        f"python tools/cluster_demo.py --config flat-drum_4bar_small --examples-path {examples} --kill chief"
    ]


@pytest.mark.parametrize("is_there", [True, False])
def test_data_cluster_demo_takes_groove_if_it_is_there(checkout: Checkout, is_there: bool) -> None:
    if is_there:
        raw = checkout.folder / "data" / "raw" / "groove" / "manifest.json"
        raw.parent.mkdir(parents=True)
        raw.touch()
        assert checkout.make("data-cluster-demo") == ["python tools/data_cluster_demo.py data/raw/groove"]
    else:
        assert checkout.make("data-cluster-demo") == [
            "gmd-vae fetch starter --output-dir data/raw/starter",
            "python tools/data_cluster_demo.py data/raw/starter",
        ]


def test_bench_data_and_fuzz(checkout: Checkout) -> None:
    assert checkout.make("bench-data", "BENCH_ARGS=--quick") == [
        "gmd-vae fetch groove --output-dir data/raw/groove",
        "python -m benchmarks.data --quick",
    ]
    assert checkout.make("fuzz", "MINUTES=1") == ["python tools/fuzz_midi.py --minutes 1"]


def test_the_models_of_the_package_are_made(checkout: Checkout) -> None:
    assert checkout.make("weights") == ["python tools/make_weights.py"]
    line = "python tools/make_weights.py --archive my groove.zip groove-4bar"
    assert checkout.make("weights", "MODELS=groove-4bar", "ARCHIVE=my groove.zip") == [line]


def test_a_training_that_fails_keeps_its_run(checkout: Checkout) -> None:
    (checkout.folder / "fails").touch()
    checkout.make("generate", fails=True)
    assert (checkout.folder / f"runs/{DEFAULT_CONFIG}/run.json").exists()


def test_the_environment_follows_the_lock(checkout: Checkout) -> None:
    def stages() -> list[str]:
        return [line.split()[1] for line in checkout.make_all("doctor") if line.startswith("setup ")]

    assert stages() == ["packages", "project"]
    (checkout.folder / "requirements.txt").touch()  # a new time is not a new lock
    assert stages() == []
    with (checkout.folder / "requirements.txt").open("a") as lock:
        lock.write("# changed\n")
    assert stages() == ["packages", "project"]
    with (checkout.folder / "pyproject.toml").open("a") as project:
        project.write("# changed\n")
    assert stages() == ["project"]
    assert stages() == []


def test_an_interrupted_setup_is_made_again(checkout: Checkout) -> None:
    (checkout.folder / "no-network").touch()
    checkout.make_all("setup", fails=True)
    (checkout.folder / "no-network").unlink()
    assert "setup packages python3 .venv requirements.txt" in checkout.make_all("test")


def test_the_gpu_variant_stays_until_it_is_taken_back(checkout: Checkout) -> None:
    assert "setup packages python3 .venv requirements-gpu.txt" in checkout.make_all("setup", "GPU=1")
    assert checkout.make_all("doctor") == ["gmd-vae doctor"]
    assert "setup packages python3 .venv requirements.txt" in checkout.make_all("setup", "GPU=0")
    assert checkout.make_all("doctor") == ["gmd-vae doctor"]


def test_test_and_lint(checkout: Checkout) -> None:
    assert checkout.make("lint", "test", "PYTEST_ARGS=-x") == [
        *(
            "ruff check .",
            "ruff format --check .",
            "mypy",
            "check_scripts.sh",
            "python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -x",
        ),
    ]


def test_without_npm_the_check_of_the_javascript_is_left_out_with_a_note() -> None:
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, ROOT / "tools/check_scripts.sh"], env={"PATH": ""}, capture_output=True, text=True, check=True
    )
    assert done.stderr == "npm is not installed: the JavaScript is not checked\n"


def test_clean_keeps_what_cannot_be_made_again(checkout: Checkout) -> None:
    checkout.make("data", "train")
    left_behind = ("data/notes/.x.parts/1/0.part", "tests/__pycache__/x.pyc")
    for name in ("data/notes/.gitkeep", ".venv/lib/__pycache__/y.pyc", *left_behind):
        path = checkout.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    checkout.make("clean")
    left = {str(path.relative_to(checkout.folder)) for path in checkout.folder.rglob("*") if path.is_file()}
    assert {name for name in left if name.startswith("data/")} == {
        "data/raw/groove/manifest.json",
        "data/notes/.gitkeep",
    }
    assert f"runs/{DEFAULT_CONFIG}/run.json" in left
    assert {name for name in left if name.endswith(".pyc")} == {".venv/lib/__pycache__/y.pyc"}


def test_help_is_the_default_and_lists_every_target(checkout: Checkout) -> None:
    assert checkout.make_all() == []
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    listed = re.findall(r"^  ([a-z-]+)  ", checkout.output, re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


def test_the_default_config_is_the_registrys(checkout: Checkout) -> None:
    checkout.make("help")
    assert f"CONFIG={DEFAULT_CONFIG} " in checkout.output


@pytest.mark.parametrize(
    ("says", "complaint"),
    [("3.9", "'{}' is Python 3.9"), ("3.14", "'{}' is Python 3.14"), (None, "'{}' does not run")],
)
def test_setup_refuses_other_pythons_in_one_line(says: str | None, complaint: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    if says:
        python.write_text(f"#!/bin/sh\necho {says}\n")
        python.chmod(0o755)
    command = [ROOT / "tools/setup.sh", "packages", python, tmp_path / "venv", "requirements.txt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert complaint.format(python) in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_setup_leaves_an_environment_alone_that_it_did_not_make(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "mine").touch()
    command = [ROOT / "tools/setup.sh", "packages", sys.executable, venv, "requirements.txt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "was not made by make" in done.stderr
    assert [path.name for path in venv.iterdir()] == ["mine"]


def set_up_packages(folder: Path, script: str, uv: str) -> subprocess.CompletedProcess[str]:
    """Makes ``folder/venv`` by a text of ``tools/setup.sh``, with a shell script in place of uv."""
    (folder / "tools").mkdir()
    (folder / "tools/setup.sh").write_text(script)
    (folder / "requirements.txt").write_text("setuptools==1.0\n")
    (folder / "uv").write_text(f"#!/bin/sh\n{uv}\n")
    (folder / "uv").chmod(0o755)
    command = ["bash", folder / "tools/setup.sh", "packages", sys.executable, folder / "venv", "requirements.txt"]
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "PATH": path})


def test_setup_shows_a_sign_of_life_while_it_installs(tmp_path: Path) -> None:
    script = (ROOT / "tools/setup.sh").read_text()
    assert "read -r -t 30" in script
    slow = 'case "$*" in *no-build-isolation*) sleep 2.5 ;; esac'
    done = set_up_packages(tmp_path, script.replace("-t 30", "-t 1"), slow)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "still installing" in line]
    assert len(lines) >= 1
    assert re.fullmatch(r" +still installing, \d+ seconds so far", lines[0])


def test_an_environment_made_by_uv_has_a_pip_of_its_own(tmp_path: Path) -> None:
    without_pip = '[ "$1" != venv ] || exec "$5" -m venv --without-pip "$6"'  # as uv does; it installs nothing
    done = set_up_packages(tmp_path, (ROOT / "tools/setup.sh").read_text(), without_pip)
    assert done.returncode == 0, done.stderr
    pip = subprocess.run([tmp_path / "venv/bin/pip", "--version"], capture_output=True, text=True, timeout=60)
    assert str(tmp_path / "venv") in pip.stdout


def test_setup_does_not_ignore_another_python(tmp_path: Path) -> None:
    for name, version in (("venv/bin/python", "Python 3.11.7"), ("other", "Python 3.12.1")):
        script = tmp_path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\necho {version}\n")
        script.chmod(0o755)

    def same(*python: Path) -> tuple[int, str]:
        command = [ROOT / "tools/setup.sh", "same", tmp_path / "venv", *python]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    assert same()[0] == 0
    assert f"'source {tmp_path / 'venv'}/bin/activate', then 'gmd-vae convert my_midi'" in same()[1]
    assert same(tmp_path / "venv/bin/python")[0] == 0
    for python, complaint in ((tmp_path / "other", "not Python 3.12.1"), (tmp_path / "none", "does not run")):
        code, said = same(python)
        assert (code, said.count("\n")) == (1, 1)
        assert complaint in said
