"""Tables: results go in, ``Table`` objects come out, and from them text, Markdown or LaTeX.

Read ``overview.py`` first. Headings and digits come from ``evaluation/figures.py``.

- ``overview.py``: compares runs, with the baselines.
- ``differences.py``: paired differences of runs, and of runs and baselines.
- ``details.py``: all tables of one run.
- ``accuracy.py``, ``groove.py``: its tables of reconstruction, and of velocities and timing.
- ``window_sets.py``: its table of samples beside held-out and training windows.
- ``verdict.py``: the sentence and the few figures that `gmd-vae evaluate` prints.
- ``memorised.py``: its line about copies of training windows.
- ``leaks.py``: warnings about windows that are not held out.
- ``formats.py``: a table of text in three forms.
"""
