"""Configs: the declaration of every model, as plain data without TensorFlow.

``configs.py`` (at the top level of the project; ``gmd_vae.configs`` for Python) and a user's own file go in; ``Config``
objects with all hyperparameters come out. Read ``config.py`` first.

- ``config.py``: the class ``Config`` and Magenta's default hyperparameters.
- ``own_hparams.py``: our hyperparameters beside Magenta's, the levers of training.
- ``limits.py``: types and ranges of a config's fields and hyperparameters.
- ``window_specs.py``: training windows as data.
- ``magenta_table.py``: Magenta's own 23 configs.
- ``registry.py``: configs by name, and configs that a ``run.json`` declares.
- ``hparams.py``: ``--hparams name=value,...``.
- ``usual_names.py``: names of hyperparameters in other programs, for hints.
- ``schedules.py``: learning rate, β and sampling probability step by step.
- ``layers.py``: the choice between our layers and Magenta's.
"""
