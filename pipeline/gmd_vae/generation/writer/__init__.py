"""TODO generation/writer."""
