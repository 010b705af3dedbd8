"""TODO evaluation/tables."""
