"""Chords and hits for each row of the decoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation.decoder_conditions import DecoderConditions
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.input_windows import InputWindow
from gmd_vae.generation.latent.modes import FileLatents
from gmd_vae.generation.request import GenerationRequest

MELODY, HITS = get_config("cat-mel_2bar_med_chords"), get_config("groovae_2bar_hits_control_tfds")
LATENTS = FileLatents(np.arange(2, dtype=np.float32)[:, None], (range(0, 1), range(1, 2)))


def test_one_window_is_repeated_until_every_chord_has_its_bar() -> None:
    conditions = DecoderConditions(MELODY, GenerationRequest(chords=("C", "G", "Am")), GenerationInputs())
    repeated = conditions.repeat_for_chords(LATENTS)
    assert repeated.z[:, 0].tolist() == [0, 0, 1, 1]
    assert repeated.rows == (range(0, 2), range(2, 4))
    rows = conditions.for_rows(repeated.rows)
    assert conditions.chords_of_files(rows, repeated.rows) == [("C", "G", "Am", "C")] * 2


def test_files_of_a_given_length_are_not_repeated() -> None:
    conditions = DecoderConditions(MELODY, GenerationRequest(chords=("C", "G", "Am"), bars=2), GenerationInputs())
    assert conditions.repeat_for_chords(LATENTS) is LATENTS


@pytest.mark.parametrize("mode", ["sample", "reconstruct"])
def test_hits_of_the_input_are_controls(mode: str) -> None:
    """In ``reconstruct`` the decoder still draws its own hits, so that fidelity measures them."""
    hits = np.eye(32, 9, dtype=np.float32)
    window = InputWindow(Path("a.mid"), np.zeros((32, 27)), 32, 1, controls=hits)
    conditions = DecoderConditions(HITS, GenerationRequest(mode=mode), GenerationInputs((window,)))
    rows = conditions.for_rows((range(0, 1),))
    assert rows.controls is not None
    np.testing.assert_array_equal(rows.controls[0], hits)
    assert (rows.hits is None) == (mode == "reconstruct")


def test_drum_grids_have_no_conditions() -> None:
    conditions = DecoderConditions(get_config(DEFAULT_CONFIG), GenerationRequest(), GenerationInputs())
    rows = conditions.for_rows(LATENTS.rows)
    assert (conditions.for_first_window(), conditions.for_inputs(), rows.controls, rows.hits) == (
        None,
        None,
        None,
        None,
    )
    assert conditions.chords_of_files(rows, LATENTS.rows) == [(), ()]
