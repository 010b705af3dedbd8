"""The terms of the ELBO for each window: reconstruction loss and KL divergence."""

from __future__ import annotations

from typing import Any, Final

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf

# hyperparameters that replace those of training where a model is scored: the decoder reads the true step before
TEACHER_FORCING: Final = {"sampling_schedule": "constant", "sampling_rate": 0.0}


def elbo_terms(model: Any, batch: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Computes the terms of the ELBO for each window. Magenta's ``MusicVAE.eval`` returns only their means.

    A batch can be filled up with windows of length 0. They do not count in the metrics. Their reconstruction loss is
    0 nats, their KL divergence is meaningless.

    Args:
        model: Magenta's ``MusicVAE``, built with ``is_training=False``.
        batch: Arguments of ``MusicVAE.eval``.

    Returns:
        Magenta's streaming metrics, pairs (value, update operation) by name; and float32 ``[batch]`` tensors by the
        tags of Magenta's summaries (``losses/r_loss`` in nats, ...).
    """
    allow_empty_windows(model)
    metrics, terms = model._compute_model_loss(**{"control_sequence": None, **batch})
    return metrics, terms


def allow_empty_windows(model: Any) -> None:
    """Allows windows of length 0 in Magenta's decoder for several streams.

    ``SplitMultiOutLstmDecoder`` asserts that every window has the full length, while it merges values that only
    sampling needs. All other decoders accept such windows.
    """

    def merge(results: Any) -> Any:
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
        decoder._merge_decode_results = merge
