"""What is in a MIDI file, a collection or a folder of ours, and what a config finds in it. No TensorFlow."""
