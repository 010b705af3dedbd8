"""Windows: from NoteSequences to the example records that a model trains on.

In: TFRecord files of NoteSequences (from ``gmd-vae convert``) and a config. Out: a folder with shards of examples for
``train``, ``validation`` and ``test``, and ``manifest.json``. Read ``preprocess.py`` first.

A *section* is the music between two changes of time signature. A *window* is a fixed number of bars of a
section. An *example* is a window in a shard, with the ids of all NoteSequences that contain it.

From a NoteSequence to an example record, step by step:

1. ``notes_input.py``: ``open_notes`` finds the files; ``NotesInput.ranges`` divides them into ranges of records. Each
   range is one task, for any process.
2. ``storage/batch_files.py``: ``write_batch`` runs a task. It calls the extractor (interface: ``extraction.py``; the
   config's family chooses it) with each NoteSequence:

   - drum labels: ``cutting/drum_windows.py`` reads the notes as arrays (``midi/note_arrays.py``), finds sections,
     quantizes the hits to labels, finds stretches of drums without a long pause, and slices them;
   - other music: ``cutting/magenta_windows.py`` cuts sections (``cutting/section_windows.py``,
     ``cutting/groove_sections.py``) and gives them to one of Magenta's converters;
   - with filters: ``cutting/filters.py`` removes sections first.

   The windows are packed (``storage/records.py``), sorted by a hash (their *rank*) and written to a batch file.
3. ``storage/merge.py``: merges the batch files range by range of the ranks, removes repeats within a split, and windows
   that a later split has too. ``storage/records.py`` makes the examples, ``storage/sorted_runs.py`` sorts them.
4. ``storage/shards.py``: writes the shards; ``preprocess.py`` adds the manifest (``summary.py`` holds the counts).

Other files: ``label_windows.py`` reads drum windows back; ``window_content.py`` describes a window in musical terms;
``fullest_window.py`` chooses the window that stands for a take; ``repeated_loop.py`` repeats inputs that are shorter;
``stock/`` writes the records of Magenta's own script (``preprocess --stock``).
"""
