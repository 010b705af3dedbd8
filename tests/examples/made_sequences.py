"""Made-up NoteSequences: notes on the grid and off it, tempo and time signature changes at odd places."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.notes.sequences import NoteSequence

TIMES = st.one_of(
    st.integers(0, 400).map(lambda step: step * 0.125),  # on the grid at 120 qpm
    st.integers(0, 800).map(lambda step: (step + 0.5) * 0.0625),  # half-way between two steps
    st.floats(0, 50, allow_nan=False),
    st.sampled_from([0.0, 8.0, 8.0, 16.0, 7.999999999, 16.000000001]),
)
NOTE = st.fixed_dictionaries(
    {
        "start_time": TIMES,
        "length": st.sampled_from([0.0, 0.0625, 0.1, 5.0, -0.2, -100.0]) | st.floats(0, 2),
        "pitch": st.sampled_from([36, 36, 35, 38, 42, 46, 45, 48, 50, 49, 51, 82, 22, 88, 0, 127]),
        "velocity": st.sampled_from([1, 100, 100, 100, 127, 0]),
        "is_drum": st.sampled_from([True, True, True, True, False]),
        "instrument": st.integers(0, 3),
    }
)
TEMPO = st.fixed_dictionaries(
    {"time": TIMES, "qpm": st.sampled_from([120.0, 120.0, 60.0, 97.3, 240.0, 121.00000001, 0.0])}
)
SIGNATURE = st.fixed_dictionaries(
    {
        "time": TIMES,
        "of": st.sampled_from([(4, 4), (2, 2), (8, 8), (3, 4), (6, 8), (4, 3), (3, 3), (0, 4), (4, 0), (-4, 4)]),
    }
)


@st.composite
def note_sequences(draw):
    sequence = NoteSequence(id="made")
    notes = draw(st.lists(NOTE, max_size=40))
    if draw(st.booleans()):  # a steady beat below them, so that windows come of it
        begin, quarters = draw(st.integers(0, 20)), draw(st.integers(1, 60))
        skipped = draw(st.sets(st.integers(0, 80), max_size=20))
        notes += [
            {"start_time": quarter * 0.5, "length": 0.1, "pitch": 36, "velocity": 9, "is_drum": True, "instrument": 9}
            for quarter in range(begin, begin + quarters)
            if quarter not in skipped
        ]
    for note in draw(st.permutations(notes)) if len(notes) < 20 else notes:
        length = note.pop("length")
        if length == -100.0:
            sequence.notes.add(**note)  # no end time at all
        else:
            sequence.notes.add(end_time=note["start_time"] + length, **note)
    for tempo in draw(st.lists(TEMPO, max_size=4)):
        sequence.tempos.add(**tempo)
    for signature in draw(st.lists(SIGNATURE, max_size=3)):
        numerator, denominator = signature["of"]
        sequence.time_signatures.add(time=signature["time"], numerator=numerator, denominator=denominator)
    last = max((note.end_time for note in sequence.notes), default=0.0)
    sequence.total_time = draw(st.sampled_from([last, last, last, last + 3, last / 2, 16.0, 0.0]))
    return sequence
