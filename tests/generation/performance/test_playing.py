"""Playing options: numbers out of range, and the fields of a manifest."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from typing import Any

import pytest
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.playing import Playing


def test_the_defaults_are_magentas() -> None:
    playing = Playing()
    assert playing.even_velocity == 80
    assert (playing.tempo, playing.velocity, playing.delay, playing.feel) == (120.0, None, 0.0, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"tempo": 0},
        {"tempo": 3.9},
        {"tempo": 1001},
        {"tempo": math.nan},
        {"tempo": math.inf},
        {"velocity": 0},
        {"velocity": 128},
        {"swing": 49.9},
        {"swing": 75.1},
        {"swing": math.nan},
    ],
)
def test_a_number_out_of_its_range_is_refused_by_name(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Playing(**fields)


@pytest.mark.parametrize(("swing", "delay"), [(50, 0), (200 / 3, 1 / 3), (75, 0.5)])
def test_swing_is_percent_of_an_eighth(swing: float, delay: float) -> None:
    assert Playing(swing=swing).delay == pytest.approx(delay)


def test_obstacles_are_explained() -> None:
    triplets, waltz = DrumWindows(steps_per_quarter=3), DrumWindows(quarters_per_bar=3)
    swung, felt = Playing(swing=60), Playing(feel=load_feel())
    assert [playing.obstacle(DrumWindows()) for playing in (Playing(), swung, felt)] == ["", "", ""]
    assert "swing" in swung.obstacle(triplets)
    assert "feel" in felt.obstacle(triplets)
    assert "feel" in felt.obstacle(waltz)
    assert not swung.obstacle(waltz)
    assert not Playing().obstacle(triplets)


def test_a_manifest_has_the_playing_options() -> None:
    drums, melody, tracks, groove = (
        family_of(get_config(name)).playing_options
        for name in (DEFAULT_CONFIG, "cat-mel_2bar_small", "hier-multiperf_vel_1bar_med", "groovae_4bar")
    )
    assert Playing(tempo=98.5, swing=60).describe(drums) == {
        **{"tempo": 98.5, "velocity": 80, "swing": 60, "quantize": True}
    }
    humanized = Playing().describe(drums, humanized=True)
    assert humanized == {"tempo": 120.0, "velocity": None, "swing": 50.0, "quantize": False}
    assert Playing().describe(melody) == {"tempo": 120.0, "velocity": 80}
    assert (
        Playing().describe(tracks) == Playing().describe(groove) == {"tempo": 120.0}
    )  # velocity and timing come from the model
    described = json.loads(json.dumps(Playing(feel=load_feel(), seed=7).describe(drums)))
    assert (described["velocity"], described["quantize"]) == (None, False)
    assert described["feel"].startswith("Groove MIDI Dataset")
    assert described["seed"] == 7
    even = Playing(feel=load_feel(), velocity=90)
    assert even.describe(drums) == {**described, "velocity": 90, "seed": 0, "tempo": 120.0}
    assert not even.is_even, "its timing is still that of the feel"
    even = dataclasses.replace(even, quantize=True)
    assert even.describe(drums) == {"tempo": 120.0, "velocity": 90, "swing": 50.0, "quantize": True}


def test_the_import_is_cheap() -> None:
    program = "import sys, gmd_vae.generation.performance.playing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"mido", "note_seq", "numpy", "pretty_midi", "tensorflow"}
