"""One thin module per command: options in, one library call, a summary (or JSON) out.

In: the command line. Out: text or JSON on stdout. Each module is named after its command; read ``report.py`` first,
the shortest one.

- ``help_text.py``: the layout of ``--help``.
- ``options.py``: options that several commands share.
- ``preprocess_options.py``, ``generate_options.py``: the many options of these two commands.
- ``doctor_checks.py``: the checks behind ``gmd-vae doctor``.
"""
