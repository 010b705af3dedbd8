"""TODO midi/fallback."""
