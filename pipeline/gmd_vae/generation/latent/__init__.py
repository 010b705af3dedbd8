"""Latent vectors of generation: encoded inputs and a request flow in, the z of every window flows out.

Read ``modes.py`` first.

- ``modes.py``: latent vectors of each mode (``MODES`` in ``request.py``), and walks for files of several windows.
- ``attribute_vectors.py``: attribute vectors of a run, computed once and kept beside its checkpoints.
- ``latent_files.py``: ``latents.npz``, written and read.
"""
