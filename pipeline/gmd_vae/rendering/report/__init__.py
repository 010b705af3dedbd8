"""The report page of a run: one HTML file that needs no network.

In: a run folder as ``train``, ``generate`` and ``evaluate`` leave it. Out: ``report.html``, with beats that play
in the browser, training curves and evaluation tables. Read ``page.py`` first.

- ``page.py``: reads all parts of a run, fills the template and writes the page.
- ``page.html.j2``, ``page.css``, ``page.js``: template, style sheet and player of the page.
- ``run_facts.py``, ``evaluations.py``: read the facts of a run and its evaluations.
- ``json_files.py``: reads JSON files that may be damaged.
- ``beats.py``: reads the generated beats.
- ``grid_svg.py``: draws the grid of a beat as SVG paths, and lists its hits for the player.
- ``curves.py``: draws the training curves with matplotlib.
- ``svg.py``: rewrites matplotlib's SVG for the page.
"""
