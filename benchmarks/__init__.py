"""Benchmarks: gmd-vae and stock Magenta on the same machine (``make bench``, ``make bench-data``).

In: the Groove MIDI Dataset as NoteSequences. Out: a table on the screen, and JSON and PNG files in ``results/``. Each
measurement is a process of its own; stock Magenta and gmd-vae take turns. Read ``__main__.py`` first.

Training, evaluation and sampling (``python -m benchmarks``):

- ``job.py``: one measurement and its command line.
- ``stock.py``, ``ours.py``: the measured processes; ``hook.py`` and ``clock.py`` measure their stages and steps.
- ``floor.py``, ``gemm.py``: the matrix products of a training step, and the rate of this machine.
- ``summary.py``, ``plot.py``: medians, ratios, tables and the picture.

Data stages (``python -m benchmarks.data``):

- ``data.py``: the comparison with Magenta's scripts.
- ``data_work.py``: measured processes that are no commands.
- ``copies.py``: larger data sets.
- ``watch.py``: time and memory of a command with all its processes.

Both: ``process.py`` runs a measured process; ``machine.py`` describes the machine.
"""
