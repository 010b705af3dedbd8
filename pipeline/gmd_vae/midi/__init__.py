"""MIDI to NoteSequence and back, and TFRecord files. Nothing here imports TensorFlow."""
