"""The place of ``data`` and ``runs``."""

from __future__ import annotations

from pathlib import Path

import pytest
from gmd_vae.cli import main
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import data_folder, home, place_in_words, runs_folder
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.training.examples import find_examples


def test_it_is_the_current_folder_unless_the_variable_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GMD_VAE_HOME", raising=False)
    assert (runs_folder(), data_folder("notes")) == (Path("runs"), Path("data/notes"))
    assert f"the current folder, '{tmp_path}'" in place_in_words()
    monkeypatch.setenv("GMD_VAE_HOME", "")
    assert home() == Path()
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("GMD_VAE_HOME", "~/beats")
    assert runs_folder() == Path("/home/somebody/beats/runs")
    monkeypatch.setenv("GMD_VAE_HOME", "here")
    assert data_folder("raw") == tmp_path / "here/data/raw"
    with pytest.raises(GmdVaeError, match=f"the folder of GMD_VAE_HOME, '{tmp_path}/here'"):
        find_examples(get_config(DEFAULT_CONFIG), None, lambda *_: None)


def test_commands_write_and_read_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home_folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("GMD_VAE_HOME", str(home_folder))
    for arguments in (
        ["fetch", "starter"],
        ["convert", str(home_folder / "data/raw/starter"), "--jobs", "1"],
        ["preprocess", str(home_folder / "data/notes/starter"), "--jobs", "1"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 0
    examples = find_examples(get_config(DEFAULT_CONFIG), None, lambda *_: None)
    assert examples.folder == home_folder / "data/examples/starter" / DEFAULT_CONFIG
    assert not list(elsewhere.iterdir())
