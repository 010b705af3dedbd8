"""TODO training/run."""
