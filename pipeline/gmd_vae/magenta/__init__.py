"""The only room that imports Magenta and TensorFlow. Everything else gets them from ``api.py``.

In: the installed ``magenta`` and ``tensorflow`` packages. Out: repaired Magenta modules, ``tf``, and Magenta configs
for our configs (``api.build_config``). Read ``api.py`` first.

- ``api.py``: imports TensorFlow and Magenta once, silently and in the right order; builds Magenta configs.
- ``drum_model.py``: Magenta's config for one of our drum-label configs.
- ``quiet_start.py``: filters the messages that TensorFlow writes while it starts.
- ``lazy_imports.py``: keeps packages that only notebooks need out of the import.
- ``patches.py``: repairs faults of the installed Magenta, each with its expiry test.
- ``randomness.py``: replaces the stateful random draws of Magenta's layers by stateless ones.
- ``random_keys.py``: the keys of these draws.
- ``probe.py``: prints TensorFlow's devices for ``gmd-vae doctor``.
"""
