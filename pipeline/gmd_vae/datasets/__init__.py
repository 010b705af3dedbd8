"""Where MIDI comes from: the Groove MIDI Dataset, the embedded starter set, folders, archives."""
