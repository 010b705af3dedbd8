"""TODO evaluation/metrics."""
