"""TODO evaluation/data."""
