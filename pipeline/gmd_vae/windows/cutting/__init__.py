"""Cutting: the windows of one NoteSequence, the same as Magenta's converters find.

In: a NoteSequence in wire format. Out: an ``Extraction``: the windows, and counts of the music that gave none. Read
``drum_windows.py`` first; the other kinds of music follow ``magenta_windows.py``.

- ``beat_time.py``: moves music with a tempo map to one tempo, before all of the others.
- ``drum_windows.py``: drum labels, cut by our own code with arrays.
- ``positions.py``: start of sections, stretches and windows in bars and seconds, for ``inspect`` and ``generate``.
- ``played_hits.py``: velocities and offsets of the hits of a window, for ``generate``.
- ``filters.py``: the section filters of Magenta's script ``preprocess_tfrecord``.
- ``magenta_windows.py``: extractors around Magenta's converters, for melodies, trios, several instruments and GrooVAE.
- ``section_windows.py``: one section and its converter: chords, repeats, positions.
- ``section_content.py``: the windows that a section should give, without Magenta; reasons for missing ones.
- ``time_changes.py``: sections between changes of tempo and time signature, as note_seq cuts them, without note_seq.
- ``section_meter.py``: tempo and bars of a section.
- ``groove_sections.py``: sections of played drums as Magenta's ``GrooveConverter`` needs them.
"""
