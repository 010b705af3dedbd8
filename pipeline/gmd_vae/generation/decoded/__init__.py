"""Decoded windows as music: arrays from the decoder flow in, MIDI files and fidelity figures flow out.

Read ``decoded_music.py`` first. Each family returns one of its implementations (``Family.decoded_music``).

- ``decoded_music.py``: the interface ``DecodedMusic``.
- ``midi_files.py``: ``FilePlan``, the files to write, and the windows of a file as one array.
- ``drum_grids.py``: drum labels and drum rolls.
- ``grooves.py``: hits with velocities and offsets.
- ``parts.py``: melodies, trios and several instruments.
- ``fidelity.py``: agreement of the model's own version with an input.
"""
