"""Forward passes in NumPy: windows to latent vectors and latent vectors to windows, without TensorFlow.

In: a config, its hyperparameters, and the variables of a model by Magenta's names. Out: posteriors, logits and windows
of drum labels and of GrooVAEs, all in float32. Read ``numpy_model.py`` first, then ``lstm.py`` with the equations.

Each row of a result depends on its own row of the input alone, bit for bit: ``products.py`` says how. So a beat is the
same in a request for one and in one for a thousand.

- ``products.py``: products of rows with a weight matrix, prepared once.
- ``lstm.py``: LSTM layers, one above the other, step by step.
- ``encoder.py``: the bidirectional encoder.
- ``core_decoder.py``: the network that writes the steps.
- ``decoder.py``: flat and hierarchical decoders over that network.
- ``draws.py``: random numbers by seed, file, window and step, and the choice of a label from logits.
- ``groove.py``: the output of a GrooVAE.
- ``numpy_model.py``: a model with its variables, for ``generation``.
"""
