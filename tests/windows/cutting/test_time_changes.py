"""The sections between changes of tempo and time signature are note_seq's, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.note_sequence_strategies import TIMES, note_sequences
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.cutting.time_changes import split_on_time_changes
from hypothesis import given, settings
from hypothesis import strategies as st

sequences_lib: Any = note_seq_module("sequences_lib")
ODD_TIMES = TIMES | st.sampled_from([-1.0, float("nan"), float("inf")])


@st.composite
def sequences_with_events(draw):
    """Draws a NoteSequence with keys, texts, pedals and pitch bends, which a section takes over or loses."""
    sequence = draw(note_sequences())
    times = ODD_TIMES if draw(st.booleans()) else TIMES
    for time in draw(st.lists(times, max_size=4)):
        sequence.key_signatures.add(time=time, key=draw(st.integers(0, 11)))
    for time in draw(st.lists(times, max_size=6)):
        sequence.text_annotations.add(
            time=time, text=draw(st.sampled_from("CDE")), annotation_type=draw(st.integers(0, 2))
        )
    for time in draw(st.lists(times, max_size=8)):
        number, value = draw(st.sampled_from([64, 64, 66, 67, 7])), draw(st.integers(0, 127))
        instrument = draw(st.integers(0, 2))
        sequence.control_changes.add(time=time, control_number=number, control_value=value, instrument=instrument)
    for time in draw(st.lists(times, max_size=2)):
        sequence.pitch_bends.add(time=time, bend=100)
    if times is ODD_TIMES and draw(st.booleans()):
        sequence.tempos.add(time=draw(times), qpm=90)
        sequence.total_time = draw(times)
    return sequence


@settings(max_examples=150, deadline=None)
@given(sequences_with_events())
def test_the_sections_are_those_of_note_seq(sequence: NoteSequence) -> None:
    before = sequence.SerializeToString(deterministic=True)
    ours = [section.SerializeToString(deterministic=True) for section in split_on_time_changes(sequence)]
    theirs = sequences_lib.split_note_sequence_on_time_changes(sequence)
    assert ours == [section.SerializeToString(deterministic=True) for section in theirs]
    assert sequence.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("resolution", [{"steps_per_quarter": 4}, {"steps_per_second": 100}])
def test_a_quantized_sequence_is_refused(resolution: dict[str, int]) -> None:
    sequence = NoteSequence(total_time=2.0, quantization_info=NoteSequence.QuantizationInfo(**resolution))
    with pytest.raises(ValueError, match="quantized"):
        split_on_time_changes(sequence)
    with pytest.raises(sequences_lib.QuantizationStatusError):
        sequences_lib.split_note_sequence_on_time_changes(sequence)
