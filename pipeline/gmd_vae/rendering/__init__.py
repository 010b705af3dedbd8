"""Drum beats as sound files, pictures and pages.

In: any MIDI file with drums; for a report, a run folder; for a studio, a model. Out: WAV files, PNG files, HTML pages.
Read ``files.py`` first.

- ``files.py``: plans the output names of MIDI files and renders them.
- ``drum_part.py``: reads the drum hits of a MIDI file.
- ``kit.py``: synthesises the strokes of the drum kit.
- ``sound.py``: mixes the strokes of a part into a WAV file.
- ``bars.py``: finds bars and beats, and converts seconds to quarter notes and back.
- ``layout.py``: lays out the grid of a part: rows, lines and a rectangle for each hit.
- ``grid_png.py``: draws the grid as a PNG file.
- ``limits.py``: limits that are checked before the music is made.
- ``web/``: parts that the pages have in common.
- ``studio/``: a page with a model inside, to play with.
- ``report/``: the page of a run, with its beats, training curves and evaluations.
"""
