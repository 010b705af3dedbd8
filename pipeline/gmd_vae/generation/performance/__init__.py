"""TODO generation/performance."""
