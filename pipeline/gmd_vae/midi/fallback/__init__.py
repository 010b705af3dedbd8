"""note_seq's own MIDI reader in a child process, for the files that our reader does not provably read alike.

Bytes of a MIDI file flow in; a ``Record``, or the reason for refusing the file, flows out. Read ``child_process``
first.

- ``child_process``: the parent's side. Starts the process, sends files, enforces the limits on time and memory.
- ``reference``: the child's side. Reads with mido, pretty_midi and note_seq.
"""
