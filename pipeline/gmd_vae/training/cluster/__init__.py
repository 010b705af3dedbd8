"""TODO training/cluster."""
