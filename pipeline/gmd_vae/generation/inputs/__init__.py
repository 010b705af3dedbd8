"""Inputs of generation: MIDI files and chord symbols flow in; encoder inputs, targets and controls flow out.

Read ``input_windows.py`` first: a file becomes an ``InputWindow`` or an ``InputSong``. Each family
returns one of the three readers (``Family.input_reader``).

- ``midi_input.py``: ``MidiInput``, the music of one file, read once.
- ``input_windows.py``: ``InputWindow``, ``InputSong``, and the interface ``InputReader``.
- ``drum_reader.py``: drum labels of families whose windows our own code cuts.
- ``groove_reader.py``: hits, velocities and offsets for GrooVAE.
- ``converter_reader.py``: tensors of Magenta's converters, for all other music.
- ``chords.py``: chord symbols to one-hot vectors of each step, and back.
- ``generation_inputs.py``: ``GenerationInputs``, everything that a request starts from, and its latent vectors.
"""
