"""Drum beats for ears and eyes: sound files and pictures of any MIDI file's drums."""
