"""How likely a model finds given windows: the parts of the ELBO, window by window."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf


def elbo_terms(model: Any, batch: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of the ELBO for each window, and Magenta's streaming metrics (``MusicVAE.eval`` gives only means).

    Windows of length 0, which fill up a batch, count nothing in the metrics; their reconstruction is
    0 nats, their KL divergence means nothing.

    Args:
        model: Magenta's ``MusicVAE``, built with ``is_training=False``.
        batch: the arguments of ``MusicVAE.eval``.

    Returns:
        Pairs (value, update) by metric name, as ``tf.metrics`` makes them; and float32 ``[batch]``
        tensors by the tags of Magenta's summaries (``losses/r_loss`` in nats, ...).
    """
    allow_absent_windows(model)
    metrics, figures = model._compute_model_loss(**{"control_sequence": None, **batch})
    return metrics, figures


def allow_absent_windows(model: Any) -> None:
    """Lets windows of length 0 through Magenta's multi-stream decoder.

    ``SplitMultiOutLstmDecoder`` asserts that every window has the full length, where it merges what
    only sampling asks for. Every other decoder passes over such windows by itself.
    """

    def merged(results: Any) -> Any:
        columns = lstm_utils.LstmDecodeResults(*zip(*results, strict=True))
        states = columns.final_state[0]
        if states is not None:
            states = tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=-1), *columns.final_state)
        return lstm_utils.LstmDecodeResults(
            rnn_output=tf.concat(columns.rnn_output, axis=-1),
            rnn_input=tf.concat(columns.rnn_input, axis=-1),
            samples=tf.concat(columns.samples, axis=-1),
            final_state=states,
            final_sequence_lengths=columns.final_sequence_lengths[0],
        )

    decoder = getattr(model.decoder, "_core_decoder", model.decoder)
    if isinstance(decoder, lstm_models.SplitMultiOutLstmDecoder):
        decoder._merge_decode_results = merged
