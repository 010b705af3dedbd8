"""The report page of a run: one HTML file that needs no network.

In: a run folder as ``train``, ``generate`` and ``evaluate`` leave it. Out: ``report.html``, with beats that play
in the browser, training curves and evaluation tables. Read ``page.py`` first.

- ``page.py``: reads all parts of a run, fills the template and writes the page.
- ``page.html.j2``, ``page.css``, ``page.js``: template, style sheet and controls of the page.
- ``beats.js``, ``saving.js``: draws and plays the beats, and saves them as MIDI, sound and archives.
- ``run_facts.py``, ``evaluations.py``: read the facts of a run and its evaluations.
- ``json_files.py``: reads JSON files that may be damaged.
- ``beats.py``: reads the generated beats.
- ``beat_data.py``: describes the grid of a beat and its hits for the scripts.
- ``curves.py``: draws the training curves with matplotlib.
- ``svg.py``: rewrites matplotlib's SVG for the page.
"""
