"""Configs by name, and configs of a user's own file."""

from pathlib import Path

import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.registry import DEFAULT_CONFIG, VARIABLE, all_configs, get_config

OWN = """
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows
SIZES = {"z_size": 8, "enc_rnn_size": [16], "dec_rnn_size": [16]}
CONFIGS = [Config("mine", "drum-labels", "tiny", "a test", DrumWindows(slice_bars=2), SIZES, levels=(4, 8))]
"""


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    return path


def test_the_default_config_exists_and_comes_first() -> None:
    assert next(iter(all_configs())) == DEFAULT_CONFIG


def test_all_of_magentas_configs_are_reachable() -> None:
    assert len(MAGENTA_CONFIGS) == 23
    for stock in MAGENTA_CONFIGS:
        assert get_config(stock.name) is stock


def test_the_error_for_an_unknown_name_has_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"Unknown config 'hierdec-drum_4bat'.*'hierdec-drum_4bar'"):
        get_config("hierdec-drum_4bat")


def test_a_users_own_file_adds_configs(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = get_config("mine", own_file)
    assert mine.windows.steps == 32
    assert get_config(DEFAULT_CONFIG, own_file).name == DEFAULT_CONFIG
    monkeypatch.setenv(VARIABLE, str(own_file))
    assert get_config("mine") == mine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CONFIGS = 3", "does not define CONFIGS"),
        ("x = 1", "does not define CONFIGS"),
        ("def broken(:\n", r"line 1: SyntaxError"),
        ("a = 1\nb = missing", r"line 2: NameError"),
        (OWN.replace('"mine"', '"groovae_4bar"'), "one of Magenta's"),
        (OWN + "CONFIGS += CONFIGS", "'mine' twice"),
        (OWN.replace("(4, 8)", "(4, 4)"), r"line 5: ValueError.*16 steps"),
        (OWN.replace("z_size", "z_sise"), r"unknown hyperparameter 'z_sise'; did you mean 'z_size'"),
        (OWN.replace("drum-labels", "drum-label"), r"the family 'drum-label', which does not exist.*'drum-labels'"),
        (OWN.replace("slice_bars=2", "slice_bars=2, roll_output=True"), "writes labels, not a drum roll"),
        (OWN.replace("drum-labels", "nade-drums"), "writes a drum roll"),
        (OWN.replace("drum-labels", "streams"), "needs MagentaWindows"),
        ("from pipeline.models.config import VaeConfig", "line 1: ModuleNotFoundError"),
    ],
)
def test_an_invalid_config_file_is_an_error_with_its_name(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=expected) as caught:
        all_configs(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_config_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        all_configs(tmp_path / "nothing.py")
