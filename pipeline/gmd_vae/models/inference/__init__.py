"""TODO models/inference."""
