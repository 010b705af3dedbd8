"""TODO windows/stock."""
