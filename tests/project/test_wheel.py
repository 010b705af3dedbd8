"""The wheel: one top-level name, and commands that work in folders with files of the same names as ours."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network from a copy of what git holds."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "pipeline", "configs.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run(["tar", "-C", ROOT, "--null", "-T", "-", "-cf", source / "all.tar"], input=listed, check=True)
    subprocess.run(["tar", "-C", source, "-xf", source / "all.tar"], check=True)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=120)
    (path,) = source.glob("*.whl")
    return path


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
