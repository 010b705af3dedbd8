"""MIDI files to NoteSequences and back, and TFRecord files. Nothing here imports TensorFlow.

Folders or archives of MIDI files flow in (room ``datasets``); TFRecord files of NoteSequences flow out, for the rooms
``windows`` and ``inspection``. The writer serves the room ``generation``. Read ``midi_io`` first: it takes one MIDI
file from bytes to a record.

- ``midi_io``: MIDI bytes → NoteSequence, with checks and reasons for refusals.
- ``refusals``: the limits, the reasons, the error and the next actions for files that are refused.
- ``reading``: the two ways to read: every hit, and as Magenta's stack; which notes are drums.
- ``reader``: our MIDI reader in three steps: events, music, encoding.
- ``fallback``: note_seq's reader in a child process, for the files that ours leaves to it under ``--stock``.
- ``writer``: plain numbers → MIDI bytes.
- ``convert``: a folder or an archive → TFRecord files, one for each split.
- ``convert_batch``: the share of one worker process in a conversion.
- ``account_sum``: the accounts of many files, for manifests and tables.
- ``splits``: the files to convert, and their splits by a catalogue.
- ``content_splits``, ``near_duplicates``: splits by content, with near-duplicates of a performance in one split.
- ``drum_channels``, ``drum_maps``: drums on other channels and of other kits.
- ``sequence_limits``: limits of NoteSequences that come from files.
- ``notes_manifest``: the manifest of ``convert``.
- ``tfrecord``: TFRecord files without TensorFlow.
- ``note_sequence``: the NoteSequence class without note_seq, and note_seq's modules without its slow imports.
- ``note_sequence_schema``: the fields of NoteSequence.
- ``general_midi``: names of instruments and drums.
- ``quarter_positions``: positions in quarter notes by the tempos of a NoteSequence.
- ``note_arrays``: the notes of a serialised NoteSequence as arrays.
- ``chord_inference``: chords of a NoteSequence by the Viterbi algorithm, fast.
"""
