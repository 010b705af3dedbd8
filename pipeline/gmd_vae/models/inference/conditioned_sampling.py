"""Conditioned decoding: controls (chords or hits) for each row of a batch, and given hits in place of drawn ones.

Magenta's decoders take one sequence of controls for a whole batch. Here each row has its own. With equal controls in
all rows, both decode the same (a test compares them).
"""

from __future__ import annotations

import functools
from typing import Any

from gmd_vae.magenta.api import lstm_models, tf
from gmd_vae.models.forward.groove import MEAN_VELOCITY, PRIOR_WEIGHT


def condition_decoder(decoder: Any, hits: Any = None, *, blank: bool = False, full: float = 1.0) -> None:
    """Changes a built decoder: ``c_input`` of its ``sample`` is then ``[batch, steps, control_depth]``.

    Args:
        decoder: Decoder of Magenta's. It is changed in place, so no other graph may use it.
        hits: Tensor of hits that replace those of a GrooVAE's decoder, float32 ``[batch, steps, drums]``, NaN where the
            decoder draws; ``None``: it draws all.
        blank: The decoder reads zeros in place of its output (``models.forward.groove.reads_blanks``).
        full: Velocity from which on the hits of a GrooVAE are played with velocity 1.

    Raises:
        TypeError: No config with controls has such a decoder.
    """
    core = decoder
    if isinstance(decoder, lstm_models.HierarchicalLstmDecoder):
        decoder._reshape_to_hierarchy = functools.partial(_rows_to_hierarchy, decoder)
        core = decoder._core_decoder
    if not isinstance(core, lstm_models.BaseLstmDecoder):
        raise TypeError(f"{type(core).__name__} takes no controls")
    if hits is not None and core is not decoder:
        raise TypeError("A hierarchical decoder takes no hits")
    core.sample = functools.partial(_sample, core, hits=hits, blank=blank, full=full)


def _sample(
    decoder: Any,
    n: int,
    max_length: int | None = None,
    z: Any = None,
    c_input: Any = None,
    temperature: Any = 1.0,
    start_inputs: Any = None,
    hits: Any = None,
    blank: bool = False,
    full: float = 1.0,
) -> tuple[Any, Any]:
    """Replaces ``BaseLstmDecoder.sample``; ``c_input`` has controls of each row, ``[n, max_length, control_depth]``."""
    controls, given = (None if part is None else tf.transpose(part, [1, 0, 2]) for part in (c_input, hits))

    def inputs(before: Any, time: Any) -> Any:
        parts = [before, z]
        if controls is not None:
            # the helper also asks for the input after the last step, which is not used
            parts.append(controls[tf.minimum(time, tf.shape(controls)[0] - 1)])
        return tf.concat(parts, axis=-1)

    def sample(time: Any, outputs: Any, state: Any) -> Any:
        drawn = decoder._sample(outputs, temperature)
        if given is None:
            return drawn
        probabilities = tf.sigmoid(outputs[:, : given.shape[-1]])
        hit, velocities, offsets = tf.split(_with_hits(drawn, probabilities, given[time], knows_hits=blank), 3, axis=-1)
        return tf.concat([hit, tf.where(velocities >= full, tf.ones_like(velocities), velocities), offsets], axis=-1)

    def following(time: Any, outputs: Any, state: Any, sample_ids: Any) -> Any:
        return False, inputs(tf.zeros_like(sample_ids) if blank else sample_ids, time + 1), state

    before = tf.zeros([n, decoder._output_depth]) if start_inputs is None else start_inputs
    first = inputs(before, tf.constant(0))
    helper = lstm_models.contrib_seq2seq.CustomHelper(
        initialize_fn=lambda: (tf.zeros([n], tf.bool), first),
        sample_fn=sample,
        next_inputs_fn=following,
        sample_ids_shape=[decoder._output_depth],
        sample_ids_dtype=tf.float32,
    )
    results = decoder._decode(z, helper=helper, input_shape=first.shape[1:], max_length=max_length)
    return results.samples, results


def _with_hits(drawn: Any, probabilities: Any, given: Any, *, knows_hits: bool = False) -> Any:
    """Returns what ``models.forward.groove.with_hits`` returns, as a tensor; its docstring has the reasons.

    Args:
        drawn: Output of the decoder, float32 ``[rows, 3 * drums]``: hits, velocities (0 to 1) and offsets (-1 to 1).
        probabilities: Probabilities of hits, float32 ``[rows, drums]``.
        given: Given hits, float32 ``[rows, drums]``, 1 or 0; NaN where the drawn values stay.
        knows_hits: The hits are conditioning input of the decoder.
    """
    _, velocities, offsets = tf.split(drawn, 3, axis=-1)
    if not knows_hits:
        weight = probabilities + PRIOR_WEIGHT
        velocities = tf.minimum((velocities + PRIOR_WEIGHT * MEAN_VELOCITY) / weight, 1.0)
        offsets = tf.clip_by_value(offsets / weight, -1.0, 1.0)
    conditioned = tf.concat([given, given * velocities, given * offsets], axis=-1)
    return tf.where(tf.is_nan(tf.tile(given, [1, 3])), drawn, conditioned)


def _rows_to_hierarchy(decoder: Any, controls: Any) -> Any:
    """Replaces ``_reshape_to_hierarchy``, which cuts one sequence for all rows into segments.

    Args:
        decoder: Hierarchical decoder whose method is replaced.
        controls: ``[1, batch, steps, control_depth]``; ``HierarchicalLstmDecoder.sample`` adds the first axis.

    Returns:
        ``[*levels, 1, batch, segment steps, control_depth]``; ``sample`` removes the axis of size 1 again.
    """
    cut = lstm_models.HierarchicalLstmDecoder._reshape_to_hierarchy(decoder, controls[0])
    return tf.expand_dims(cut, axis=len(decoder._level_lengths) - 1)
