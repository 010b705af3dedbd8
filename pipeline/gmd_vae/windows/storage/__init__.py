"""Storage: windows on disk, first as batches, then as shards of examples.

In: ranges of NoteSequences and an extractor. Out: shards, in an order that does not depend on the number of processes.
The work is an external merge: batch files are sorted by rank, and merged without being in memory at once. Read
``batch_files.py`` first.

- ``batch_files.py``: one batch of windows in a file, sorted by rank.
- ``merge.py``: all batches together; removes repeats and windows shared between splits.
- ``sorted_runs.py``: external merge sort of the examples of one split.
- ``records.py``: the format of example records, ``tf.train.Example`` without TensorFlow.
- ``examples_manifest.py``: the manifest of an examples folder, checked on reading.
- ``shards.py``: names and sizes of the shards; writing and reading them.
"""
