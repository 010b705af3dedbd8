"""Changes of the training batches, in the graph: levers of a config that are 0 by default.

In: the windows of a batch, the hyperparameters of ``configuration/own_hparams.py``, random numbers that follow from the
seed and the step. Out: other windows, from which the model trains. Validation and evaluation read the windows as they
are. Read first: ``batch_draws.py``.

- ``batch_draws.py``: random numbers for each window of a batch.
- ``drum_voices.py``: ``mix_windows``, ``mix_bars``, ``replace_bars``, ``swap_voices`` and ``drop_voices``, for labels
  and GrooVAE.
- ``groove_inputs.py``: the encoder's input of a GrooVAE from the changed drums.
- ``wider_playing.py``: ``widen_velocities``, ``raise_full_velocities`` and ``widen_timing``, for the target of a
  GrooVAE.
- ``transposition.py``: ``transpose``, for melodies, trios and multitrack.
- ``blanking.py``: ``blank_inputs``, for all decoders.
"""
