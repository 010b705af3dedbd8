"""Chord symbols as conditioning input."""

from __future__ import annotations

import numpy as np
import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.chords import NO_CHORD, chord_controls, chords_of_window, parse_chords
from hypothesis import given
from hypothesis import strategies as some


def chord_bars(name: str) -> tuple[int, ...]:
    config = get_config(name)
    return family_of(config).chord_bars(config)


MELODY = chord_bars("cat-mel_2bar_med_chords")
TRACKS = chord_bars("hier-multiperf_vel_1bar_med_chords")


def test_usual_spellings_are_parsed() -> None:
    assert parse_chords(" C  Am F#m7\tBbmaj7 G/B N.C. ") == ("C", "Am", "F#m7", "Bbmaj7", "G/B", NO_CHORD)


@pytest.mark.parametrize(
    ("text", "said"),
    [("H7", "'H7' is no chord"), ("am", "Did you mean Am"), ("Csus4", "Write C, Cm, Caug or Cdim"), (" ", "no chord")],
)
def test_other_texts_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_chords(f"C {text}" if text.strip() else text)


@given(some.text(max_size=12))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        symbols = parse_chords(text)
    except UsageError:
        return
    assert " ".join(symbols) == " ".join(text.split())


def test_a_bar_has_its_chord_at_each_step() -> None:
    controls = chord_controls(("C", "Am"), MELODY)
    assert controls.shape == (32, 49)
    assert controls.argmax(axis=1).tolist() == [1] * 16 + [22] * 16
    assert chords_of_window(controls, MELODY) == ("C", "Am")


def test_the_programs_of_tracks_have_none() -> None:
    """As in training: Magenta's converter gives no chord to the program at the beginning of each track."""
    classes = chord_controls(("Bdim",), TRACKS).argmax(axis=1).reshape(8, 64)
    assert (classes[:, 0] == 0).all()
    assert (classes[:, 1:] == 48).all()
    assert chords_of_window(chord_controls(("Bdim",), TRACKS), TRACKS) == ("Bdim",)
    with pytest.raises(ValueError, match="2 chords for 1 bars"):
        chord_controls(("C", "G"), TRACKS)


@given(some.lists(some.integers(0, 48), min_size=2, max_size=2))
def test_every_class_has_a_name(classes: list[int]) -> None:
    controls = np.eye(49, dtype=np.float32)[np.repeat(classes, 16)]
    np.testing.assert_array_equal(chord_controls(chords_of_window(controls, MELODY), MELODY), controls)
