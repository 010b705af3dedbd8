"""The error about missing packages, and its command for each kind of environment."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest
from gmd_vae.common import extras
from gmd_vae.common.errors import GmdVaeError

HAS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef)
MAKE = re.compile(r"(^|['\"`(])make( |$)")
FOLDER = Path(sys.executable).parent
COMMAND = 'pip install "gmd-vae[train]" && pip install --no-deps magenta==2.1.4'


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of modules that cannot be found; in an environment of pip's, which is on PATH."""
    names: set[str] = set()
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in names else real(name))
    monkeypatch.setattr(extras, "is_made_by_make", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: str(FOLDER / name))
    monkeypatch.setattr(extras, "other_environment", lambda modules: None)  # a checkout may have one
    return names


def test_nothing_is_required_where_everything_is_there(hidden: set[str]) -> None:
    extras.require("This", ("note_seq", "pretty_midi"))  # raises nothing
    assert extras.missing(("note_seq", "pretty_midi")) == []


def test_missing_packages_are_named_in_one_line(hidden: set[str]) -> None:
    hidden.add("note_seq")
    with pytest.raises(GmdVaeError) as caught:
        extras.require("This", ("note_seq", "pretty_midi"))
    assert str(caught.value) == f"This needs note-seq, which is not installed. Run '{COMMAND}'."
    hidden.update(("tensorflow", "magenta"))
    with pytest.raises(GmdVaeError, match="needs tensorflow, magenta and note-seq, which are not installed"):
        extras.require("This")
    hidden.update(extras.TRAINING)
    with pytest.raises(GmdVaeError, match="needs tensorflow, magenta, note-seq and 6 others, which are not installed"):
        extras.require("This")


def test_an_environment_beside_that_has_the_packages_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path / "elsewhere")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "magenta" else real(name))
    packages = tmp_path / ".venv" / "lib" / "python3.12" / "site-packages"
    (packages / "magenta").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir()
    for name in ("activate", "gmd-vae"):
        with pytest.raises(GmdVaeError, match=r"Run '.*pip install"):  # it is not whole yet
            extras.require("This", ("magenta", "note_seq"))
        (tmp_path / ".venv" / "bin" / name).touch()
    with pytest.raises(GmdVaeError, match="pip install"):  # light, too
        extras.require("This", ("magenta", "note_seq"))
    (packages / "note_seq").mkdir()
    with pytest.raises(GmdVaeError) as caught:
        extras.require("This", ("magenta", "note_seq"))
    assert str(caught.value) == (
        "This needs magenta, which is not installed. The environment '.venv' has it: run 'source .venv/bin/activate', "
        "then the same command."
    )
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))  # that of this process is no other one
    with pytest.raises(GmdVaeError, match="pip install"):
        extras.require("This", ("magenta", "note_seq"))


def test_the_command_is_for_the_environment_of_the_process(hidden: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert extras.install_training() == COMMAND
    assert extras.install("numpy>=2.0") == 'pip install "numpy>=2.0"'
    monkeypatch.setattr("shutil.which", lambda name: "/elsewhere/pip")  # the environment is not activated
    assert extras.install("numpy") == f'{sys.executable} -m pip install "numpy"'
    hidden.add("pip")
    assert extras.install("numpy") == f'uv pip install --python {sys.executable} "numpy"'
    monkeypatch.setattr(extras, "is_made_by_make", lambda: True)
    assert {extras.install("numpy"), extras.install_training()} == {"make setup"}
    assert extras.install_gpu() == "make setup GPU=1"


def test_make_is_named_only_where_there_is_a_makefile(
    hidden: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "is_made_by_make", lambda: True)
    monkeypatch.chdir(tmp_path)
    assert extras.is_checkout()
    assert extras.install_training() == f"make -C {shlex.quote(str(extras.CHECKOUT))} setup"
    assert f"run 'git pull && make -C {shlex.quote(str(extras.CHECKOUT))} setup' in" in extras.update()
    monkeypatch.undo()
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path)
    (tmp_path / "Makefile").write_text("setup:\n")  # another project's
    assert not extras.is_checkout()
    assert not extras.is_made_by_make()
    assert extras.update().endswith(" .' in its folder.")


def test_no_message_names_make_by_itself() -> None:
    """Only ``extras.make`` names it, so that each message asks whether there is a Makefile."""
    package = Path(extras.__file__).parent.parent
    named = []
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, HAS_DOCSTRING)
        }
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        named += [(path.name, text) for text in texts if text not in docstrings and MAKE.search(text)]
    assert named == [("extras.py", "make ")]
