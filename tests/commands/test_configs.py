"""``gmd-vae configs``: the list of configs, one config, and its schedules, without TensorFlow."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from gmd_vae import cli
from gmd_vae.configuration.registry import DEFAULT_CONFIG, all_configs
from gmd_vae.families.parameters import count_parameters


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["configs", *arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, *capsys.readouterr()


def test_the_list_names_every_config_with_its_size(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    for config in all_configs().values():
        assert f"{count_parameters(config) / 1e6:.1f} M" in lines[config.name]
    assert f"Default: {DEFAULT_CONFIG}\nNext, for every number of a config: gmd-vae configs {DEFAULT_CONFIG}\n" in out


def test_every_cell_of_the_list_says_something(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys)
    configs, header = all_configs(), ""
    for line in out.splitlines():
        header = line if line.startswith("config ") else header
        if line.split(" ", 1)[0] in configs:
            memory = [r"(\d+\.\d GB|–)"] if "memory" in header else []
            cells = r"\s+".join([r"\S+", r"\d+\.\d M", *memory, "(yes|no)", r"\S.*"])
            assert re.fullmatch(cells, line.rstrip()), line
    assert "memory: estimated for training on a CPU; –: not known." in out


def test_texts_of_a_config_stand_alone() -> None:
    """No file of the repository, and no word about the line before."""
    for config in all_configs().values():
        assert not re.search(r"\.(py|md)\b|the same|previous", f"{config.summary} {config.source}"), config.name
        assert re.search(r"\d.?bars?\b|GrooVAE|\bas \S+_", config.summary), config.name


def test_one_config_is_shown_with_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "hierdec-drum_4bar_v2")
    assert code == 0
    shown = {line.split()[0]: line for line in out.splitlines() if line.split()}
    config = all_configs()["hierdec-drum_4bar_v2"]
    for name, value in config.hparams.items():
        assert str(value) in shown[name]
    assert "13,294,592" in shown["parameters"]
    assert "8 × 8" in shown["decoder"]
    assert "GB" in shown["memory"]
    assert "\nNumbers from: the project before gmd-vae, its run v3\n" in out


def test_the_list_is_grouped_by_music(capsys: pytest.CaptureFixture[str]) -> None:
    from gmd_vae.families import family_of
    from gmd_vae.families.music import MUSIC

    _, out, _ = run(capsys)
    under, heading = {}, ""
    for line in out.splitlines():
        heading = next((name for name, music in MUSIC.items() if line.startswith(f"{music.heading}: ")), heading)
        under[line.split()[0] if line else ""] = heading
    assert {
        config.name: family_of(config).music(config).name for config in all_configs().values()
    }.items() <= under.items()
    laptops = {line.split()[0] for line in out.splitlines() if " yes " in line}
    assert {"hierdec-drum_4bar_small", "groovae_4bar_small", "hierdec-trio_16bar_small"} <= laptops
    assert not laptops & {"cat-drums_2bar_small", "hierdec-drum_4bar", "groovae_4bar"}


def test_magentas_own_configs_stand_behind_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys)
    magentas = False
    for line in out.splitlines():
        if line.rstrip() in ("", "Magenta's own:"):
            magentas = bool(line)
        config = all_configs().get(line.split()[0] if line else "")
        assert config is None or config.is_magentas == magentas
    assert "for a laptop" not in out  # the column says so


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("groovae_4bar", ("4,085,019", "velocities and timing", "fetch groove", "generate --run-dir")),
        ("groovae_2bar_humanize", ("generate --humanize",)),
        ("groovae_2bar_add_closed_hh", ("--mode groove --input-midi",)),
        (
            "cat-mel_2bar_small_chords",
            ("melody (of 90)", "to given chords", "generate --run-dir", "--chords 'C G Am F'"),
        ),
        ("flat-trio_16bar", ("bass (of 90), drums (of 512)", "16 bars", "train --config flat-trio_16bar")),
        ("hier-multiperf_vel_1bar_med", ("up to 8 instruments", "windows of 1 bar")),
        ("nade-drums_2bar_full", ("a bit for each drum class",)),
    ],
)
def test_a_config_of_each_family_is_shown_with_its_commands(
    name: str, expected: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, name)
    assert code == 0
    text = " ".join(out.split())
    assert [words for words in expected if words not in text] == []


def test_the_shown_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    from gmd_vae.cli import main

    for name in ("cat-mel_2bar_small_chords", "groovae_2bar_humanize_small"):
        for line in run(capsys, name)[1].splitlines()[-2:]:
            program, command, *arguments = shlex.split(line.partition(": ")[2])
            assert program == "gmd-vae"
            with pytest.raises(SystemExit) as stopped:
                main([command, *arguments, "--help"])
            assert stopped.value.code == 0
            shown = capsys.readouterr().out
            assert all(argument in shown for argument in arguments if argument.startswith("--"))


def test_json_lists_all_configs(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(run(capsys, "--json")[1])["configs"]
    assert [entry["name"] for entry in listed] == list(all_configs())
    one = json.loads(run(capsys, DEFAULT_CONFIG, "--json")[1])
    assert one in listed
    assert one["training_bytes"] > 0
    trio = json.loads(run(capsys, "flat-trio_16bar_small", "--json")[1])
    assert (trio["kind"], trio["bars"], trio["controls"], trio["stock"]) == ("streams", 16, "", False)
    assert trio["sized_from"] == "flat-trio_16bar"
    assert [stream["name"] for stream in trio["streams"]] == ["melody", "bass", "drums"]


def test_the_error_for_an_unknown_name_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "hierdec-drum_4bat")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "'hierdec-drum_4bar'" in err


def test_configs_of_a_users_file_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from gmd_vae.configuration.config import Config\n"
        "from gmd_vae.configuration.window_specs import DrumWindows\n"
        "CONFIGS = [Config('mine', 'drum-labels', 'tiny', 'a test', DrumWindows(), {'z_size': 8})]\n"
    )
    assert "mine " in run(capsys, "--configs", str(path))[1]


def test_the_schedules_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    picture = tmp_path / "new" / "schedules.png"
    code, out, err = run(capsys, DEFAULT_CONFIG, "--plot-schedules", str(picture))
    assert (code, err) == (0, "")
    assert out.splitlines()[-3].endswith(f"steps to {picture}")
    with Image.open(picture) as image:
        assert image.format == "PNG"
        image.load()
    first = picture.read_bytes()
    code, out, err = run(capsys, DEFAULT_CONFIG, "--plot-schedules", str(picture), "--json")
    assert (code, json.loads(out)["name"]) == (0, DEFAULT_CONFIG)
    assert str(picture) in err
    assert picture.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--plot-schedules", "x.png"], f"gmd-vae configs {DEFAULT_CONFIG} --plot-schedules x.png"),
        ([DEFAULT_CONFIG, "--plot-schedules", "x.pdf"], "'x.pdf' does not end in .png"),
        (["hierdec-drum_4bat", "--plot-schedules", "x.png"], "'hierdec-drum_4bar'"),
    ],
)
def test_errors_of_plot_schedules_are_one_line(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err
    assert list(tmp_path.iterdir()) == []


def test_no_tensorflow_is_needed() -> None:
    code = (
        "import sys\nfrom gmd_vae.cli import main\n"
        "try:\n    main(['configs'])\nexcept SystemExit:\n"
        "    print(*(name in sys.modules for name in ('tensorflow', 'numpy', 'matplotlib')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False False"
