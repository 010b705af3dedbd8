"""Melodies, bands and several instruments: files, examples, and the configs that fit them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
from click.testing import CliRunner
from fixtures.json_page import check_answer
from gmd_vae.cli import cli
from gmd_vae.common.errors import GmdVaeError

BARS = 18


def write_midi(path: Path, parts: list[tuple[str, int, bool, list[int]]], bars: int = BARS) -> Path:
    """Writes a note on each quarter at 120 bpm; a part is a name, a program, a drum flag and pitches of a chord."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    for name, program, drums, pitches in parts:
        instrument = pretty_midi.Instrument(program, drums, name)
        for quarter in range(4 * bars):
            for pitch in pitches:
                step = 0 if drums else quarter % 5
                instrument.notes.append(pretty_midi.Note(90, pitch + step, quarter / 2, quarter / 2 + 0.5))
        midi.instruments.append(instrument)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.write(str(path))
    return path


MELODY = ("Tune", 0, False, [60])
BASS = ("Low", 33, False, [36])
DRUMS = ("Kit", 0, True, [36])
CHORDS = ("Pad", 89, False, [60, 64])


@pytest.fixture
def band(tmp_path: Path) -> Path:
    return write_midi(tmp_path / "band" / "song.mid", [MELODY, BASS, DRUMS, CHORDS])


def answer(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["inspect", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_the_instruments_of_a_file(band: Path) -> None:
    content = answer(band)
    found = {one["name"]: one for one in content["instruments"]}
    assert list(found) == ["Tune", "Low", "Kit", "Pad"]
    assert found["Low"] | {"instrument": 0} == {
        **{"instrument": 0, "name": "Low", "program": 33, "sound": "Electric Bass (finger)", "drums": False},
        **{"notes": 4 * BARS, "lowest": 36, "highest": 40, "bars": [1, BARS + 0.75], "polyphonic": False},
    }
    assert [one["polyphonic"] for one in found.values()] == [False, False, False, True]
    shown = CliRunner().invoke(cli, ["inspect", str(band)]).stdout
    assert "Electric Bass (finger)" in shown
    assert next(line for line in shown.splitlines() if line.startswith("Pad")).endswith("polyphonic")


def test_kinds_of_config_that_fit_and_reasons_of_the_others(band: Path, tmp_path: Path) -> None:
    windows = {one["kind"]: one["windows"] for one in answer(band)["kinds"]}
    assert windows == {"drums": 1, "melody": BARS - 1, "trio": BARS - 15, "tracks": BARS}
    tune = write_midi(tmp_path / "tune.mid", [MELODY], bars=4)
    kinds = {one["kind"]: one for one in answer(tune)["kinds"]}
    assert {kind: one["windows"] for kind, one in kinds.items()} == {"drums": 0, "melody": 3, "trio": 0, "tracks": 0}
    assert "section shorter than a window" in kinds["trio"]["why"][0]["reason"]
    shown = CliRunner().invoke(cli, ["inspect", str(tune)]).stdout
    assert "4 bars with fewer than two instruments" in shown
    beat = write_midi(tmp_path / "beat.mid", [DRUMS], bars=4)
    shown = CliRunner().invoke(cli, ["inspect", str(beat)]).stdout
    assert "hierdec-drum_4bar_small" in shown
    assert "melodies" not in shown
    assert "several instruments" not in shown


@pytest.mark.tensorflow
def test_the_windows_of_other_music_and_their_parts(band: Path) -> None:
    trio = answer(band, "--config", "flat-trio_16bar")
    assert [window["bar"] for window in trio["windows"]] == [1, 2, 3]
    assert {part["name"]: part["notes"] for part in trio["windows"][0]["parts"]} == dict.fromkeys(
        ("melody", "bass", "drums"), 64
    )
    assert (trio["windows"][0]["parts"][1]["lowest"], trio["windows"][0]["parts"][1]["highest"]) == (36, 40)
    tracks = answer(band, "--config", "hier-multiperf_vel_1bar_med", "--window", 3)
    assert (tracks["shown"], len(tracks["windows"])) == ({"window": 3}, BARS)
    parts = {part["name"]: part["notes"] for part in tracks["windows"][2]["parts"]}
    assert parts == {"Acoustic Grand Piano": 4, "Electric Bass (finger)": 4, "Pad 2 (warm)": 8, "drums": 4}
    result = CliRunner().invoke(cli, ["inspect", str(band), "--config", "flat-trio_16bar", "--window", "4"])
    assert "has no window 4: it has 3" in str(result.exception)


@pytest.mark.tensorflow
def test_a_file_without_windows_gets_reasons(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "tune.mid", [MELODY], bars=20)
    shown = CliRunner().invoke(cli, ["inspect", str(path), "--config", "flat-trio_16bar"]).stdout
    assert "No window of 16 bars for flat-trio_16bar" in shown
    assert "1 section without drums" in shown


@pytest.mark.tensorflow
def test_a_folder_of_tensor_examples(band: Path, tmp_path: Path) -> None:
    from gmd_vae.configuration.registry import get_config
    from gmd_vae.families import family_of
    from gmd_vae.midi.convert import convert
    from gmd_vae.windows.preprocess import preprocess

    convert(band.parent, tmp_path / "notes")
    notes = next(file for file in (tmp_path / "notes").glob("*.tfrecord") if file.stat().st_size)
    notes.rename(tmp_path / "train.tfrecord")
    (tmp_path / "raw").mkdir()
    (tmp_path / "train.tfrecord").rename(tmp_path / "raw" / "train.tfrecord")
    config = get_config("hier-multiperf_vel_1bar_med")
    preprocess(tmp_path / "raw", tmp_path / "examples", family_of(config).extractor(config), config=config.name)
    content = answer(tmp_path / "examples")
    check_answer("inspect: examples", content)
    there = content["splits"]["train"]
    assert (there["windows"], there["distinct"], there["files"]) == (5, 5, 1)  # the melody has a turn of five notes
    assert {part["part"]: part["windows"] for part in content["parts"]} == dict.fromkeys(
        ("Acoustic Grand Piano", "Electric Bass (finger)", "Pad 2 (warm)", "drums"), 5
    )
    assert "Pad 2 (warm)" in CliRunner().invoke(cli, ["inspect", str(tmp_path / "examples")]).stdout


@pytest.mark.tensorflow
def test_data_that_does_not_fit_names_configs_that_do(tmp_path: Path) -> None:
    write_midi(tmp_path / "tunes" / "tune.mid", [MELODY, CHORDS], bars=20)
    runner = CliRunner()
    notes = str(tmp_path / "notes")
    assert runner.invoke(cli, ["convert", str(tmp_path / "tunes"), "--output-dir", notes]).exit_code == 0
    for config, why in (
        ("hierdec-drum_4bar_small", "without drum notes: 1"),
        ("groovae_4bar", "without drum notes: 1"),
        ("flat-trio_16bar", "sections without a bass"),
    ):
        output = str(tmp_path / "out")
        result = runner.invoke(cli, ["preprocess", notes, "--config", config, "--output-dir", output])
        assert isinstance(result.exception, GmdVaeError)
        assert why in str(result.exception)
        assert "Configs that fit this music: " in str(result.exception)
        assert "cat-mel_2bar_laptop (melodies in 1)" in str(result.exception)
        assert "hier-multiperf_vel_1bar_small (several instruments in 1)" in str(result.exception)
        assert not Path(output).exists()
