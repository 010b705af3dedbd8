"""gmd-vae: from MIDI drum beats to a trained MusicVAE and back to MIDI.

The rooms follow the data: ``datasets`` → ``midi`` → ``windows`` → ``models`` → ``training`` → ``evaluation``, and from
``models`` to ``generation`` → ``rendering``. ``configuration`` and ``families`` say what a config is and what depends
on its kind of music; ``magenta`` is the door to Magenta and TensorFlow; ``common`` and ``engines`` serve all of them;
``inspection`` shows the contents of files and folders; ``commands`` are the command line. ``configs.py`` is the file of
the same name at the top level of the project.

Each room's ``__init__.py`` says what goes in, what comes out and what to read first. ``docs/architecture.md`` has the
picture, and follows one window and one latent vector through the files.
"""
