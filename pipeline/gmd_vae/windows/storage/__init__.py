"""TODO windows/storage."""
