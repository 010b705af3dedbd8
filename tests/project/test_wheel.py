"""The wheel: one top-level name, commands that work beside files of the same names, and in empty environments."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUNNING = "{}.{}".format(*sys.version_info)
NO_INDEX = (
    r"(?i)could not (fetch url|connect)|connection (error|refused|reset)|timed out|dns error|error sending request"
)
SONG = "data/raw/starter/drummer1/session1/1_rock_116_beat_4-4.mid"
OTHER = "data/raw/starter/drummer1/session1/20_funk-fast_124_beat_4-4.mid"
# what a user does first, in order; each command has to succeed
COMMANDS = (
    ["--help"],
    ["fetch", "starter"],
    ["convert", "data/raw/starter"],
    ["inspect", "data/raw/starter"],
    ["render", SONG, "--output-dir", "rendered"],
    ["generate", "-n", "2", "--seed", "1", "--output-dir", "beats"],
    [
        "generate",
        "--mode",
        "interpolate",
        "--input-midi",
        SONG,
        "--input-midi",
        OTHER,
        "-n",
        "3",
        "--output-dir",
        "path",
    ],
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network from the sdist of what git holds."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "pipeline", "configs.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run(["tar", "-C", ROOT, "--null", "-T", "-", "-cf", source / "all.tar"], input=listed, check=True)
    subprocess.run(["tar", "-C", source, "-xf", source / "all.tar"], check=True)
    build("sdist", source)
    with tarfile.open(next(source.glob("*.tar.gz"))) as archive:
        archive.extractall(source / "sdist", filter="data")
    (unpacked,) = (source / "sdist").iterdir()
    build("wheel", unpacked)
    (path,) = unpacked.glob("*.whl")
    return path


def build(kind: str, source: Path) -> None:
    """Builds ``sdist`` or ``wheel`` into the source folder, as `python -m build` does."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}('.')"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, as pip installs it."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_only_name_that_it_installs_is_gmd_vae(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).parts[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"gmd_vae"}


def test_it_holds_the_configs_and_all_data_files(installed: Path) -> None:
    configs = installed / "gmd_vae" / "configs.py"
    assert not configs.is_symlink()
    assert configs.read_bytes() == (ROOT / "configs.py").read_bytes()
    package = ROOT / "pipeline" / "gmd_vae"
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert (installed / "gmd_vae" / path.relative_to(package)).is_file(), path


@pytest.fixture
def strange_folder(tmp_path: Path) -> Path:
    """A user's folder with modules of their own that have the names of our files."""
    (tmp_path / "configs.py").write_text("raise RuntimeError('a configs.py of the user')\n")
    for name in ("pipeline", "gmd_vae_configs", "families"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('a {name} of the user')\n")
    return tmp_path


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """The output of a command with the installed package in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_in_a_folder_with_the_same_names(installed: Path, strange_folder: Path) -> None:
    where = run(installed, strange_folder, "-c", "import gmd_vae, gmd_vae.configs; print(gmd_vae.configs.__file__)")
    assert Path(where.strip()) == installed / "gmd_vae" / "configs.py"
    assert "hierdec-drum_4bar_small" in run(installed, strange_folder, "-m", "gmd_vae", "configs")
    script = "from gmd_vae.__main__ import main; main()"
    run(installed, strange_folder, "-c", script, "fetch", "starter", "--output-dir", "raw")
    run(installed, strange_folder, "-c", script, "convert", "raw", "--output-dir", "notes")
    run(installed, strange_folder, "-m", "gmd_vae", "preprocess", "notes", "--output-dir", "examples")
    assert (strange_folder / "examples" / "manifest.json").is_file()


def find_python(version: str) -> str | None:
    """Returns the executable of a Python version on PATH or of pyenv; ``None`` if none runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    here = [sys.executable] if version == RUNNING else []
    # pyenv's own programs come first: in the place of those on PATH it puts scripts, which are slow
    for candidate in (*here, *sorted(map(str, pyenv.glob(f"{version}.*/bin/python"))), f"python{version}"):
        path = shutil.which(candidate)
        if path and subprocess.run([path, "--version"], capture_output=True).returncode == 0:
            return path
    return None


VERSIONS = ("3.10", "3.11", "3.12", "3.13")
PYTHONS = {version: path for version in VERSIONS if (path := find_python(version))}


@pytest.fixture(scope="module")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of requirements.txt without their hashes, which a file without one cannot be combined with."""
    pins = re.findall(r"^([a-z0-9][^\s\\]*==[^\\\n]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert len(pins) > 100
    path = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    path.write_text("\n".join(pins))
    return path


def shell(
    *command: str | Path, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    cleared = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        command, cwd=folder, env={**cleared, **(environment or {})}, capture_output=True, text=True, timeout=300
    )


def install(python: str, folder: Path, wheel: Path, constraints: Path) -> Path:
    """Installs the wheel into a new environment and returns its folder of executables. Skips without an index."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    target = folder / "venv" / "bin" / "python"
    steps: Sequence[Sequence[str | Path]]
    if uv:
        steps = (
            [uv, "venv", "--quiet", "--python", python, folder / "venv"],
            [uv, "pip", "install", "--quiet", "--python", target, "-c", constraints, wheel],
        )
    else:
        pip = [sys.executable, "-m", "pip", "--python", str(target), "install", "--quiet", "--no-compile"]
        steps = ([python, "-m", "venv", "--without-pip", folder / "venv"], [*pip, "-c", constraints, wheel])
    for step in steps:
        done = shell(*step, folder=folder)
        if done.returncode and re.search(NO_INDEX, done.stderr):
            pytest.skip(f"the package index cannot be reached: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
    return target.parent


@pytest.mark.timeout(300)
@pytest.mark.parametrize("place", [0, -1], ids=["oldest", "newest"])  # of those here; what is between is alike
def test_the_wheel_is_complete_without_tensorflow(place: int, wheel: Path, constraints: Path, tmp_path: Path) -> None:
    version = list(PYTHONS)[place]
    programs = install(PYTHONS[version], tmp_path, wheel, constraints)
    work = tmp_path / "work"
    work.mkdir()
    for arguments in COMMANDS:
        done = shell(programs / "gmd-vae", *arguments, folder=work)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
    assert len(list((work / "beats").glob("*.mid"))) == 2
    assert len(list((work / "path").glob("*.mid"))) == 3
    assert {path.suffix for path in (work / "rendered").iterdir()} == {".wav", ".png"}

    doctor = shell(programs / "gmd-vae", "doctor", "--json", folder=work)
    report = json.loads(doctor.stdout)
    assert report["python"]["version"].startswith(version)
    assert [problem for problem in report["problems"] if "installed" in problem["what"]] == []
    assert {"tensorflow", "magenta", "note-seq", "scipy"} <= set(report["training"]["missing"])
    train = shell(programs / "gmd-vae", "train", folder=work)
    assert (train.returncode, train.stderr.count("\n")) == (1, 1)
    assert report["training"]["install"] in train.stderr
