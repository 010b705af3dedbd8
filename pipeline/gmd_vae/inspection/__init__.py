"""Inspection of music: its contents, and the training windows that configs find in it.

In: a MIDI file, a folder or an archive of MIDI files, NoteSequences, or examples. Out: one dict, which is the answer
of ``gmd-vae inspect --json`` (docs/reference/json.md) and the source of its text and its PNG. Read ``one_file.py``
first.

- ``path_kinds.py``: detects the kind of a path.
- ``one_file.py``: inspects one MIDI file. ``instruments.py`` describes its instruments, ``why_no_window.py`` explains
  missing windows.
- ``collection.py``: inspects many MIDI files or NoteSequences. ``sequence_figures.py`` computes the figures of each.
- ``examples_folder.py``: inspects a folder of examples.
- ``fitting_kinds.py``, ``fitting_configs.py``: the kinds of config, and the configs, that find windows in music.
- ``fitting_drums.py``: the ready-made drum config that fits the metre, length and grid of music.
- ``tables.py`` prints an answer, with ``table_text.py`` and ``text_grid.py``. ``picture.py`` draws it.
"""
