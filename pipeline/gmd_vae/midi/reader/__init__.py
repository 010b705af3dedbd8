"""The MIDI reader: bytes of a MIDI file to bytes of a NoteSequence, 7 to 15 times faster than note_seq.

Read ``midi_io.py`` in the folder above first: it calls the three steps in this order.

1. ``events.py``: bytes → events. No music is interpreted. ``track_reader.py`` reads the events of a track,
   ``event_buffer.py`` decodes stretches of them as arrays.
2. ``music.py``: events → instruments and seconds. Rules about the meaning of events belong here. It uses
   ``note_pairs.py`` (pairs note-ons with the ends of their notes), ``instruments.py`` (assigns notes to instruments),
   and ``tempo_map.py`` (ticks → seconds).
3. ``encoding.py``: instruments and seconds → NoteSequence in protobuf wire format. Nothing is interpreted.

``account.py`` holds the counts of note-ons and events without effect, and the facts that a file does not give.

There are two readings (``gmd_vae.midi.reading``). By default every drum hit counts. With ``STOCK`` the events are those
of mido, the music that of pretty_midi; a file that the reader does not provably read as they do raises
``events.NotProven``, in step 1 or 2. The reader uses NumPy alone: no protobuf, no mido, no pretty_midi.
"""
