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


NO_NAMES = (
    "3",
    "None",
    "''",
    "'../../evil'",
    "'a/b'",
    "'/etc'",
    "'..'",
    "'[bold]x'",
    "'a\\nb'",
    "'\\x1b[31m'",
    "'é' * 60",
)
NO_SIZES = ("'8'", "-8", "0", "8.0", "True", "None", "10**5000", "float('nan')")
NO_SCHEDULES = (
    "sampling_rate=float('nan')",
    "sampling_schedule='linear'",
    "learning_rate=-1",
    "beta_rate=2",
    "num_steps=-5",
    "num_steps='5'",
    "num_steps=float('nan')",
    "dropout_keep_prob=0",
)


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
    with pytest.raises(UsageError, match=r"Unknown config 'hierdec-drum_4bat'.*'hierdec-drum_4bar'.*--configs FILE"):
        get_config("hierdec-drum_4bat")


def test_a_name_like_no_other_gets_a_short_answer() -> None:
    with pytest.raises(UsageError, match=r"Known: (\S+, ){19}\S+ and \d\d more\. 'gmd-vae configs' lists them all\."):
        get_config("zzz")


def test_a_users_own_file_adds_configs(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = get_config("mine", own_file)
    assert mine.windows.steps == 32
    assert get_config(DEFAULT_CONFIG, own_file).name == DEFAULT_CONFIG
    monkeypatch.setenv(VARIABLE, str(own_file))
    assert get_config("mine") == mine


def test_a_users_own_file_does_not_change_a_built_in_config(own_file: Path) -> None:
    copied = f"from gmd_vae.configs import CONFIGS as OURS\nfound = {{c.name: c for c in OURS}}['{DEFAULT_CONFIG}']\n"
    own_file.write_text(copied + "CONFIGS = [found]")
    assert all_configs(own_file) == all_configs()
    own_file.write_text(copied + "CONFIGS = [found.replace(summary='x', source='y')]")  # texts of an earlier version
    assert all_configs(own_file) == all_configs()
    own_file.write_text(copied + "CONFIGS = [found.replace(num_steps=7)]")
    with pytest.raises(UsageError, match=f"has other values for the config '{DEFAULT_CONFIG}', which is built in"):
        all_configs(own_file)


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
        (OWN.replace("drum-labels", "streams"), "needs the field 'magenta'"),
        (OWN.replace("drum-labels", "groovae"), "needs MagentaWindows"),
        ("from pipeline.models.config import VaeConfig", "line 1: ModuleNotFoundError"),
        ("a = 1\nimport sys; sys.exit(0)", r"line 2: it ends the program"),
        ("raise SystemExit", "ends the program"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "line 2: Odd: x"),
        ("class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd", "line 3: Odd"),
        ("\0", "SyntaxError"),
        *((OWN.replace('"mine"', name), "name of a config") for name in NO_NAMES),
        *((OWN.replace('"tiny"', value), "summary is .* must be text") for value in ("3", "None", "['a']")),
        *((OWN.replace("8", value, 1), "z_size is .* must be a whole number") for value in NO_SIZES),
        *((OWN.replace("[16]", value, 1), "enc_rnn_size is") for value in ("[]", "16", "['a']", "[-1]", "[10**9]")),
        (OWN.replace("slice_bars=2", "slice_bars=10**9"), "slice_bars is 1000000000"),
        (OWN.replace("slice_bars=2", "slice_bars=600"), "windows have 9,600 steps, and must have at most 4,096"),
        (OWN.replace("slice_bars=2", "pitch_classes=((36,),) * 40"), "too many for one-hot vectors"),
        (OWN.replace("slice_bars=2", "pitch_classes=((300,),)"), "from 0 to 127"),
        *((OWN + f"CONFIGS = [CONFIGS[0].replace({change})]", "must be") for change in NO_SCHEDULES),
        (OWN + "CONFIGS = [CONFIGS[0].replace(family='streams', windows=MELODY)]", "NameError"),
        ("raise MemoryError", "bad.py', line 1: MemoryError"),
    ],
)
def test_an_invalid_config_file_is_an_error_with_its_name(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=expected) as caught:
        all_configs(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ".. " not in str(caught.value)
    assert ":." not in str(caught.value)


def test_what_a_config_file_prints_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN + "print('loaded')")
    assert "mine" in all_configs(path)
    assert capsys.readouterr() == ("", "loaded\n")
    assert [one.name for one in tmp_path.iterdir()] == ["mine.py"]  # no __pycache__


def test_a_family_of_magentas_has_its_windows(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    start = "from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS as ALL\nimport dataclasses\n"
    start += "MELODY = next(config for config in ALL if config.name == 'cat-mel_2bar_big')\n"
    for change, expected in (
        ("magenta='x'", "Magenta has no config 'x'"),
        ("windows=dataclasses.replace(MELODY.windows, steps=64)", "'windows' is not that of Magenta's"),
        ("family='multitrack'", "'family' is not that of Magenta's"),
    ):
        path.write_text(start + f"CONFIGS = [MELODY.replace(name='mine', {change})]")
        with pytest.raises(UsageError, match=expected):
            all_configs(path)


def test_a_missing_config_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        all_configs(tmp_path / "nothing.py")
