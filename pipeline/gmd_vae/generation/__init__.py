"""Generation: a trained model, options and MIDI files flow in; MIDI files, ``latents.npz`` and a manifest flow out.

Read ``generate.py`` first. A latent vector z becomes a MIDI file in these steps:

1. ``prepare.py`` makes a ``GenerationJob`` (``job.py``) from the options; it reads MIDI files with ``inputs/``.
2. ``generate.py`` opens the model (``sources.py``), and ``compose.py`` encodes the inputs.
3. ``latent/modes.py`` places the latent vectors of the mode: samples, interpolations, variations, moves along
   attribute vectors; the inputs themselves in ``reconstruct`` and ``groove``; a walk for files of several windows.
4. ``decoder_conditions.py`` gives each row its chords or hits, and the model decodes z to windows.
5. The family's ``DecodedMusic`` turns windows into bytes: ``decoded/drum_grids.py``, ``grooves.py`` or ``parts.py``,
   with ``performance/`` for velocity and timing, and ``midi/writer.py`` for the file.

- ``request.py``: ``GenerationRequest``, the modes, and the rules for options that go together.
- ``kept_playing.py``: the hits of the inputs whose velocities and timing the files keep.
- ``size.py``: limits on the number and length of files, counted before a model is loaded.
- ``config_checks.py``: checks of options against a config.
- ``model.py``: ``ModelSource`` and ``OpenedModel``, the interfaces of a model on disk and of an opened one.
- ``sources.py``: the models on disk, checkpoints and model files; ``find_model.py`` finds them by name,
  ``newest_model.py`` where none is named.
- ``inputs/``, ``latent/``, ``performance/``, ``decoded/``: sub-rooms; each ``__init__.py`` lists its files.
"""
