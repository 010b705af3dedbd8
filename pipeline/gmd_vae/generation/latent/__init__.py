"""TODO generation/latent."""
