"""TODO configuration."""
