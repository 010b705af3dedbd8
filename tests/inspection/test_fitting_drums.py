"""The config that fits music is named, and the advice leads to windows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from fixtures.tempo_maps import TICKS, tempo_map_midi
from gmd_vae.cli import cli
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.inspection.fitting_drums import fitting_drums, grid_of
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo

DEFAULT = "hierdec-drum_4bar_small"


def groove(bars: int, quarters: float, steps: tuple[float, ...]) -> list[tuple[int, int]]:
    """Returns a kick on each bar line and a hi-hat at positions within each quarter note."""
    bar = round(quarters * TICKS)
    kicks = [(number * bar, 36) for number in range(bars)]
    beats = range(0, bars * bar, TICKS)
    return sorted([*kicks, *((beat + round(step * TICKS), 42) for beat in beats for step in steps)])


STRAIGHT, SWUNG, BOTH = (0.0, 0.5), (0.0, 2 / 3), (0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75)
MUSIC = {
    "one bar": (groove(1, 4, STRAIGHT), (4, 4), "flat-drum_1bar_small"),
    "two bars": (groove(2, 4, STRAIGHT), (4, 4), "hierdec-drum_2bar_small"),
    "three bars": (groove(3, 4, STRAIGHT), (4, 4), "hierdec-drum_2bar_small"),
    "four bars": (groove(4, 4, STRAIGHT), (4, 4), DEFAULT),
    "2/2": (groove(5, 4, STRAIGHT), (2, 2), DEFAULT),
    "3/4": (groove(8, 3, STRAIGHT), (3, 4), "hierdec-drum_4bar-3_4_small"),
    "6/8": (groove(8, 3, STRAIGHT), (6, 8), "hierdec-drum_4bar-6_8_small"),
    "shuffle": (groove(8, 4, SWUNG), (4, 4), "hierdec-drum_4bar-shuffle_small"),
    "a short shuffle": (groove(2, 4, SWUNG), (4, 4), "hierdec-drum_2bar-triplets_small"),
    "sixteenths and triplets": (groove(8, 4, BOTH), (4, 4), "hierdec-drum_2bar-triplets_small"),
    "7/8": (groove(8, 3.5, STRAIGHT), (7, 8), ""),
}


def music(midi: bytes) -> Music:
    sequence = midi_to_note_sequence(midi, "", "x.mid")
    return at_one_tempo(sequence, notes_of(sequence))


@pytest.mark.parametrize("name", MUSIC)
def test_the_fitting_config_finds_windows(name: str) -> None:
    hits, signature, config = MUSIC[name]
    midi = tempo_map_midi(hits, {0: 100}, {0: signature})
    fitting = fitting_drums(music(midi))
    assert fitting.config == config
    assert bool(fitting.windows) == bool(config)
    if config:
        record = midi_to_note_sequence(midi, "", "x.mid").SerializeToString()
        assert len(family_of(get_config(config)).extractor(get_config(config))(record).windows)


def test_played_hits_have_the_grid_that_they_are_nearest_to() -> None:
    rng = random.Random(7)
    for steps, grid in ((SWUNG, "triplets"), ((0, 0.25, 0.75), "sixteenths")):
        played = [(max(0, tick + round(rng.gauss(0, 10))), pitch) for tick, pitch in groove(8, 4, steps)]
        assert grid_of(music(tempo_map_midi(played, {0: 100}))) == grid


@pytest.mark.parametrize("name", ["one bar", "two bars", "3/4", "6/8"])
def test_the_advice_of_inspect_leads_to_windows(name: str, tmp_path: Path) -> None:
    hits, signature, config = MUSIC[name]
    path = tmp_path / "music.mid"
    path.write_bytes(tempo_map_midi(hits, {0: 100}, {0: signature}))
    refused = CliRunner().invoke(cli, ["inspect", str(path)])
    assert f"add '--config {config}'" in " ".join(refused.output.split())
    shown = CliRunner().invoke(cli, ["inspect", str(path), "--config", config])
    assert "No window" not in shown.output
    assert "Window 1 of 1" in shown.output


def test_inspect_names_the_grid_that_moves_triplets(tmp_path: Path) -> None:
    path = tmp_path / "shuffle.mid"
    path.write_bytes(tempo_map_midi(MUSIC["shuffle"][0], {0: 100}))
    told = "Most hits between the beats are triplets, and a grid of 4 steps a quarter moves them"
    assert told in CliRunner().invoke(cli, ["inspect", str(path)]).output
    followed = CliRunner().invoke(cli, ["inspect", str(path), "--config", "hierdec-drum_4bar-shuffle_small"])
    assert "between the beats" not in followed.output
    assert "■ ■■ ■■ ■■ ■" in followed.output or "# ## ## ## #" in followed.output


def test_generate_names_the_config_to_train(tmp_path: Path) -> None:
    path = tmp_path / "waltz.mid"
    path.write_bytes(tempo_map_midi(MUSIC["3/4"][0], {0: 100}, {0: (3, 4)}))
    config = get_config(DEFAULT)
    with pytest.raises(GmdVaeError) as caught:
        family_of(config).input_reader(config).windows(read_midi_file(path))
    fitting = "hierdec-drum_4bar-3_4_small"
    assert (
        f"A model of '{fitting}' fits it, and the package has none. Train one: 'gmd-vae convert FOLDER' with your "
        "music, then the command in its last line, and so on. On two cores it takes minutes with few files, up to half "
        "an hour with many. "
    ) in caught.value.next_action
    assert caught.value.next_action.endswith(f"See it with: gmd-vae inspect {path} --config {fitting}")
