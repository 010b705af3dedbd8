"""The inputs of an evaluation: run, checkpoint and windows go in, ``EvaluationData`` comes out.

Read ``target.py`` first.

- ``target.py``: the checkpoint and the examples that a command names.
- ``identity.py``: both by their contents, so that a result is measured once.
- ``evaluation_data.py``: windows of a split and training windows, with styles and tempos.
- ``tensor_windows.py``: windows of tensors in little memory; drum labels come from ``windows/label_windows.py``.
- ``coding.py``: windows of streams and events as integers.
- ``styles.py``: styles and tempos from ``info.csv``.
- ``arrays.py``: array types.
"""
