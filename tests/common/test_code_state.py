"""The commit of the code, in a checkout and outside of one."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from pathlib import Path

import pytest
from gmd_vae.common import code_state as module
from gmd_vae.common.code_state import Code, code_state, commit_of

GIT = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit, which holds ``package/code.py``."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "code.py").write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("lib/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@GIT
def test_a_checkout_has_its_commit_and_is_clean_or_not(checkout: Path) -> None:
    package = checkout / "package"
    commit = git(checkout, "rev-parse", "HEAD")
    assert commit_of(package) == {"commit": commit, "clean": True}
    (checkout / "my_configs.py").write_text("untracked, and no part of the package")
    assert commit_of(package) == {"commit": commit, "clean": True}
    (package / "more.py").write_text("untracked")
    assert commit_of(package) == {"commit": commit, "clean": False}
    (package / "more.py").unlink()
    (checkout / ".gitignore").write_text("lib/\nruns/\n")
    assert commit_of(package) == {"commit": commit, "clean": False}


def test_a_commit_in_words() -> None:
    assert Code("1.0").commit_in_words == ""
    assert Code("1.0", "abc", True).commit_in_words == "commit abc"
    assert Code("1.0", "abc", False).commit_in_words == "commit abc with changes"


@GIT
def test_an_installed_package_within_a_checkout_has_no_commit(checkout: Path) -> None:
    installed = checkout / "lib" / "site-packages" / "code.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("x = 1\n")
    assert commit_of(installed.parent) == {}


def test_outside_of_a_checkout_and_without_git_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code.py").write_text("x = 1\n")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tmp_path) == {}


def test_the_version_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "commit_of", lambda package: {})
    code_state.cache_clear()
    try:
        assert code_state() == {"version": importlib.metadata.version("gmd-vae")}
    finally:
        code_state.cache_clear()
