"""Trained models: the layers that compute them, their checkpoints, and their use after training.

In: Magenta configs from ``magenta``. Out: encoders, decoders and losses for ``training``; latent vectors, windows and
likelihoods for ``evaluation`` and ``generation``. Read ``accelerated/`` for the layers, ``forward/`` and ``inference/``
for the use of a checkpoint.

- ``accelerated/``: Magenta's LSTM layers, computed faster.
- ``forward/``: forward passes in NumPy, without TensorFlow.
- ``inference/``: models restored from a checkpoint.
- ``checkpoints.py``: finds a checkpoint from any spelling of its path. No TensorFlow.
- ``checkpoint_check.py``: checks that a checkpoint is undamaged and fits a graph, and which configs it fits. No
  TensorFlow.
- ``checkpoint_index.py``, ``bundle_messages.py``: the index of a checkpoint. No TensorFlow.
- ``averaged_weights.py``: averages of the weights in a checkpoint, and who reads them. No TensorFlow.
- ``checkpoint_variables.py``: the variables of a checkpoint as arrays. No TensorFlow.
- ``tensorflow_paths.py``: paths of checkpoints that TensorFlow does not take for patterns.
- ``model_file.py``: a trained model as one safetensors file, with its config and card. No TensorFlow.
- ``card.py``: the facts about a model for people. No TensorFlow.
- ``export_manifest.py``: the card beside an exported checkpoint. No TensorFlow.
- ``without_run.py``: refuses a model where a command needs a run. No TensorFlow.
- ``latent_density.py``: a density of z fitted to the posteriors of training windows. No TensorFlow.
- ``elbo_terms.py``: the parts of the ELBO for each window.
- ``label_vectors.py``: drum labels as the vectors that Magenta's models read and write.
- ``sessions.py``: options of sessions, variables of a graph.
"""
