"""The names of the priors that z is drawn from."""

FITTED = "fitted"  # the density that was fitted to the training windows of a model
NORMAL = "normal"  # N(0, I), the prior that a VAE is trained with
PRIORS = (FITTED, NORMAL)
