"""Stock: the records that Magenta's script ``preprocess_tfrecord`` writes (``gmd-vae preprocess --stock``).

In: NoteSequences and a config. Out: a TFRecord file of NoteSequences for each split, for Magenta's
``music_vae_train --examples_path``. Read ``preprocess.py`` first.

- ``preprocess.py``: all NoteSequences of an input; repeats are removed.
- ``drums.py``: one NoteSequence of drums, by our own code.
- ``order.py``: the order of a section's windows in Magenta's ``DrumsConverter``.
- ``converters.py``: one NoteSequence of other music, by Magenta's converters.
"""
