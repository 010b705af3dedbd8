"""Attacks on the installed command: hostile files, odd names and values, broken streams, signals and races.

``home`` builds the folders of a user, with one output of every command. Each module in ``kinds`` prepares attacks of
some kinds: it damages a copy of that home and returns a command line. ``driver`` runs the command and checks what holds
for every command: exit status, messages, time, memory, files of the user, child processes and temporary files.
``campaign`` runs many attacks. ``tools/attack.py`` runs it for minutes (``make attack``), ``test_attacks`` in CI.

An attack is made from (seed, kind, number) alone, so that a failure can be repeated.
"""
