"""TODO datasets/starter."""
