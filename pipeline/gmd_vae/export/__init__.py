"""Trained models as files for other programs and other machines: ``gmd-vae export``. No TensorFlow.

In: a run, a checkpoint or a ``.safetensors`` file. Out: a model in one of the formats of ``formats.py``. Read
``write.py`` first.

- ``write.py``: writes a model in a format, and replaces only what gmd-vae wrote.
- ``formats.py``: the formats by name; add one here.
- ``source.py``: finds a model, and all that is known about it.
- ``safetensors_file.py``, ``magenta_checkpoint.py``, ``magentajs.py``: one module for each format.
- ``magentajs_support.py``: the configs that Magenta.js plays, and the reasons against the others.
"""
