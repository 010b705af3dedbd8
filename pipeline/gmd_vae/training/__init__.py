"""Training: from prepared examples and a config to checkpoints, metrics and TensorBoard events.

In: a folder of examples from ``windows`` and a `Config`. Out: a run folder with ``train/``, ``best/``,
``metrics.jsonl``, ``run.json`` and ``progress.png``. Read first: ``loop.py``.

From a training window to the loss, in order:

1. ``run/prepare.py`` combines the options with the run folder; ``examples.py`` finds the examples.
2. ``graph.py`` builds the graph: ``input.py`` (batch of a step), ``models/accelerated/select_layers.py`` (our layers in
   Magenta's model), ``magenta/randomness.py`` (random draws of a step), then gradients, clipping and update.
3. The loss is Magenta's ``MusicVAE.train``. It calls our ``encoder.py``, samples z, and calls our
   ``hierarchical_decoder.py`` or ``flat_decoder.py``, which share ``core_decoder.py``; ``unrolled_stack.py`` and
   ``lstm.py`` compute their layers (all in ``models/accelerated/``).
4. ``session.py`` restores or initialises the variables; ``loop.py`` runs the steps.

Files:

- ``start.py``: the lock of the run folder, then TensorFlow.
- ``loop.py``: builds, steps, logs, validates, plots. ``milestones.py``: the steps at which each of it is due.
- ``graph.py``, ``input.py``: training graph, and the batch as a function of the step. ``music_tables.py``: batches of
  pitches and grooves. ``augmentation/``: random changes of the batch.
- ``scheduled_hparams.py``, ``average.py``: levers of the loss and the learning rate; the average of the weights.
- ``session.py``, ``saving.py``: initial weights and session; checkpoints and ``best/``.
- ``execution.py``: interface to the processes that execute a run; the default is this process alone.
- ``validation.py``: figures of the validation split. ``history.py``: ``metrics.jsonl`` and the rule for the best.
- ``prior.py``: fits the density that z is sampled from, at the end of a run.
- ``progress.py``, ``progress_plot.py``, ``tensorboard_events.py``: progress on stderr, as a picture, in TensorBoard.
- ``stopping.py``, ``threads.py``, ``overfit.py``: signals and errors; threads; smoke test on one batch.
- ``run/``: the run folder, before the first step. ``cluster/``: training on several machines.
"""
