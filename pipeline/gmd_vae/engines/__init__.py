"""Places where the stages ``convert`` and ``preprocess`` run.

In: a picklable function and small picklable items. Out: the results, as they are finished. Read
``engine.py`` first.

- ``engine.py``: the interface.
- ``local.py``: the processes of this machine.
- ``pool.py``: the process pool behind ``local.py``, imported only when it is needed.
- ``dask.py``: the workers of a Dask cluster.
- ``resumable.py``: long work in batches on disk, so that a run that was stopped continues.
"""
