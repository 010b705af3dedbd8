"""Metrics: plain NumPy arrays go in, frozen dataclasses of figures come out.

Read ``intervals.py`` first: it has ``Estimate``, a figure with its interval.

- ``intervals.py``: cluster bootstrap over files.
- ``label_accuracy.py``, ``stream_accuracy.py``, ``event_accuracy.py``, ``groove_errors.py``: predictions compared with
  true windows, of drum labels, streams, multitrack events and played drums.
- ``baselines.py``, ``event_baselines.py``, ``boosted_feel.py``: predictions without a model.
- ``nearest.py``, ``novelty.py``: distances to the training windows.
- ``contents.py``, ``repetition.py``, ``two_sample.py``: hits and features of windows; repetition and density; a
  classifier that separates samples from music.
- ``rhythm.py``, ``distributions.py``: rhythmic features, and their distributions in two sets.
"""
