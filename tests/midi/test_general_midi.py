"""The names of General MIDI are those that pretty_midi gives."""

from __future__ import annotations

import pretty_midi
import pytest
from gmd_vae.midi.general_midi import DRUMS, instrument_name


def test_the_names_of_instruments_and_drums() -> None:
    assert [instrument_name(program) for program in range(128)] == [
        pretty_midi.program_to_instrument_name(program) for program in range(128)
    ]
    assert [DRUMS.get(pitch, "") for pitch in range(128)] == [
        pretty_midi.note_number_to_drum_name(pitch) for pitch in range(128)
    ]


@pytest.mark.parametrize("program", [-1, 128])
def test_a_program_beyond_general_midi_is_its_number(program: int) -> None:
    assert instrument_name(program) == f"program {program}"
