"""From a checkpoint to MIDI: sampling and interpolation."""
