"""The Python API: models that encode, decode and sample drum beats in a few lines, and training.

Read ``model.py`` first. ``gmd_vae/__init__.py`` exports the public names. A call does what the command of the same
name does, and gives the same bytes.

- ``model.py``: ``load`` and ``Model``: encode, decode, sample, interpolate, vary, reconstruct.
- ``beat.py``: ``Beat``, a decoded window as a grid, and as MIDI.
- ``music.py``: music as people have it in Python: paths, bytes, PrettyMIDI, NoteSequence, symusic, arrays.
- ``reading.py``: ``Reading``, rules for reading MIDI files.
- ``training.py``: ``train``.
- ``errors.py``: errors in the words of Python.
"""
