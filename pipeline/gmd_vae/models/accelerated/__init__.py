"""Magenta's LSTM encoders and decoders, computed faster: same variables, same checkpoints, same loss.

In: a Magenta config that is not built yet (``select_layers.accelerate``). Out: the same config with accelerated layers
where they compute the same. Read ``lstm.py`` first: it has the equations, the shapes and the names.

From the bottom up:

- ``raw_ops.py``: adds single operations to the graph without the overhead of TensorFlow's Python functions.
- ``custom_gradients.py``: hand-written gradients, and tensors with one gradient computation for all uses.
- ``shared_weights.py``: matrix products in fp32 and bf16, with one gradient matmul per weight matrix.
- ``lstm.py``: one LSTM layer, forward and backward, step by step.
- ``unrolled_stack.py``: several layers over a sequence.
- ``tokens.py``: categorical sequences as integers instead of one-hot vectors.
- ``random_draws.py``, ``scheduled_sampling.py``: the random draws of Magenta's loops, unrolled.
- ``encoder.py``: bidirectional and hierarchical encoders.
- ``core_decoder.py``: the network, the loss and the sampling that all decoders share.
- ``flat_decoder.py``, ``hierarchical_decoder.py``, ``multi_output_decoder.py``: Magenta's decoders over that network.
- ``select_layers.py``: selects accelerated or Magenta's layers for a config.
"""
