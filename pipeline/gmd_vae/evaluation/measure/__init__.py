"""The figures of each family: a model, windows and settings go in, ``Figures`` come out.

Read ``drum_labels.py`` first.

- ``samples.py``: latent vectors of samples, shared by all.
- ``drum_labels.py``: drum labels and NADE drums.
- ``coded_windows.py``: shared by streams and multitrack windows.
- ``streams.py``: melodies and trios.
- ``multitrack.py``: events of several tracks.
- ``groovae.py``: hits with velocities and timing.
- ``window_sets.py``: samples beside held-out and training windows, of all but multitrack windows.
"""
