"""Models with the weights of a checkpoint: windows or latent vectors in; posteriors, likelihoods and windows out.

Read ``checkpoint_model.py`` first. All modules start TensorFlow when they are imported.

- ``checkpoint_model.py``: a config's model and the sessions that run it; base class of all others.
- ``sampler.py``: windows to latent vectors and latent vectors to windows, for ``generation`` and ``evaluation``.
- ``conditioned_sampling.py``: Magenta's decoders with controls for each row, and with given hits.
- ``scorer.py``: the interface of the scorers and their result, ``StepScores``.
- ``label_scorer.py``, ``tensor_scorer.py``: posteriors and teacher-forced likelihoods, for ``evaluation``.
"""
