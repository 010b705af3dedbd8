"""The configs, and the one door to Magenta and to TensorFlow's legacy layers."""
