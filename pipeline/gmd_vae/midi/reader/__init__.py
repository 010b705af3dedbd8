"""TODO midi/reader."""
