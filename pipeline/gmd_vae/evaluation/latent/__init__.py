"""TODO evaluation/latent."""
