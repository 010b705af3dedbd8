"""The latent space: posterior means of windows go in, figures of ``LatentSpace`` come out.

Read ``space.py`` first.

- ``space.py``: chooses windows and puts the figures together.
- ``posterior.py``: active dimensions, KL divergence, importance-weighted bound.
- ``interpolation.py``: distances along a path between two windows.
- ``decodability.py``: a linear classifier from z to style.
- ``attributes.py``: attribute vectors and their effects.
"""
