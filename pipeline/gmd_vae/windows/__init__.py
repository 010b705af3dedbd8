"""NoteSequences to model windows: extraction, deduplication, splits, shards, the tf.data input."""
