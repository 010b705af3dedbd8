"""The training loop: examples and a config in, checkpoints and events out."""
