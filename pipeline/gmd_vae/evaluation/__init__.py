"""Figures of trained models on music they were not trained on, with intervals and baselines.

A checkpoint and a split of examples go in. A typed ``Result`` comes out, and as files in ``RUN/eval``: ``result.json``,
tables and charts. Read ``measure/drum_labels.py`` first, then ``figures.py``.

- ``evaluate.py``: finds a valid result on disk, or measures a new one and writes it.
- ``data/``: the checkpoint and the windows that are evaluated.
- ``model.py``: the interface of a model, and its implementation with a checkpoint.
- ``measure/``: from a model and windows to ``Figures``. The family object chooses the module; NADE drums share
  ``drum_labels.py``.
- ``metrics/``, ``latent/``, ``likelihood.py``: the figures themselves, from plain arrays.
- ``figures.py``: the registry of all figures: name, JSON key, heading, digits, direction, meaning.
- ``result.py``, ``json_form.py``: the typed result, to JSON and back.
- ``key_figures.py``: the three figures of a verdict, chosen by the family; ``seeds.py``: runs that differ in the seed.
- ``tables/``, ``plots.py``: a result for people; ``tables/verdict.py`` first.
- ``settings.py``: seed and sample sizes.
"""
