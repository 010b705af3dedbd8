"""The run folder before the first step: options, ``run.json``, lock, disk space. No TensorFlow here.

In: the options of ``gmd-vae train`` and an existing run folder, if any. Out: a `Job` that can start. Read first:
``prepare.py``.

- ``prepare.py``: combines options and run folder, and checks examples, memory and disk space.
- ``folder.py``: `Run`, and the check that a resumed run is the same.
- ``run_file.py``: the format of ``run.json``.
- ``folder_checks.py``: checks that a start at step 0 destroys nothing.
- ``choose_run.py``: the newest run that can do the work of a command.
- ``initial_weights.py``: the data and the licence of initial weights.
- ``trained_model.py``: the model of a run, with its card.
- ``lock.py``: one training at a time in a folder.
- ``disk_space.py``: room for the checkpoints.
"""
