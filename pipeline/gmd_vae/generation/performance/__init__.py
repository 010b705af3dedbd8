"""Velocity and timing of drum hits: drum labels flow in, notes with velocities at ticks flow out.

Read ``playing.py`` first.

- ``playing.py``: ``Playing``, the options for tempo, velocity, swing and feel, and the interface ``Drummer``.
- ``feel.py``: velocities and offsets drawn from statistics of the Groove MIDI Dataset (``feel.json``).
- ``groove_performance.py``: velocities and offsets that a GrooVAE decoded.
- ``kept_hits.py``: velocities and offsets of an input, where its new version has the same hits.
- ``drum_notes.py``: labels and hits to note events at ticks.
- ``humanizer.py``: a GrooVAE that performs the patterns of another model.
"""
