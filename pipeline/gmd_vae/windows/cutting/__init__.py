"""TODO windows/cutting."""
