"""Magenta's LSTM encoder and decoders, computed faster: same variables, same checkpoints, same loss."""
