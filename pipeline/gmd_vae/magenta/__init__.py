"""The only room that imports Magenta and TensorFlow. Everything else gets them from `api`.

In: the installed ``magenta`` and ``tensorflow`` packages. Out: repaired Magenta modules, ``tf``, and Magenta configs
for our configs (`api.build_config`). Read `api` first.

- `api`: imports TensorFlow and Magenta once, silently and in the right order; builds Magenta configs.
- `drum_model`: Magenta's config for one of our drum-label configs.
- `quiet_start`: filters the messages that TensorFlow writes while it starts.
- `lazy_imports`: keeps packages that only notebooks need out of the import.
- `patches`: repairs faults of the installed Magenta, each with its expiry test.
- `randomness`: replaces the stateful random draws of Magenta's layers by stateless ones.
- `random_keys`: the keys of these draws.
- `probe`: prints TensorFlow's devices for ``gmd-vae doctor``.
"""
