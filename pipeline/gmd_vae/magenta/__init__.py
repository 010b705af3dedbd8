"""TODO magenta."""
