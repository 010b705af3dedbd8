"""Decoding under conditions of each row's own: chords or hits that steer it, hits that stand in for its own.

Magenta's decoders take one sequence of controls for a whole batch. Here each row has its own; where all
rows share one, what is decoded is the same (a test compares them).
"""

from __future__ import annotations

import functools
from typing import Any

from gmd_vae.magenta.api import lstm_models, tf

# How loud an average hit of the Groove MIDI Dataset is (its training split, of 127), and as how much of a hit it counts
# beside what a model says: chosen on the validation split, with a small model that finds many hits unlikely
# (velocity MSE 0.160 without, 0.083 by division alone, 0.073; a twentieth and a fifth of a hit are no better).
MEAN_VELOCITY = 0.56
PRIOR_WEIGHT = 0.1


def steer(decoder: Any, hits: Any = None) -> None:
    """Makes a decoder that is built take controls ``[batch, steps, control_depth]`` in ``sample``'s ``c_input``.

    Args:
        decoder: Magenta's; of this graph alone, for it is changed.
        hits: float32 ``[batch, steps, drums]`` for a GrooVAE: in the place of the hits that it would draw; NaN where
            it draws.

    Raises:
        TypeError: it is a decoder that no config with controls has.
    """
    core = decoder
    if isinstance(decoder, lstm_models.HierarchicalLstmDecoder):
        decoder._reshape_to_hierarchy = functools.partial(_rows_to_hierarchy, decoder)
        core = decoder._core_decoder
    if not isinstance(core, lstm_models.BaseLstmDecoder):
        raise TypeError(f"{type(core).__name__} takes no controls")
    if hits is not None and core is not decoder:
        raise TypeError("A hierarchical decoder takes no hits")
    core.sample = functools.partial(_sample, core, hits=hits)


def _sample(
    decoder: Any,
    n: int,
    max_length: int | None = None,
    z: Any = None,
    c_input: Any = None,
    temperature: Any = 1.0,
    start_inputs: Any = None,
    hits: Any = None,
) -> tuple[Any, Any]:
    """``BaseLstmDecoder.sample`` with controls of each row, ``[n, max_length, control_depth]``, or none."""
    controls, given = (None if part is None else tf.transpose(part, [1, 0, 2]) for part in (c_input, hits))

    def inputs(before: Any, time: Any) -> Any:
        parts = [before, z]
        if controls is not None:
            # what would follow the last step is asked for, and not used
            parts.append(controls[tf.minimum(time, tf.shape(controls)[0] - 1)])
        return tf.concat(parts, axis=-1)

    def sample(time: Any, outputs: Any, state: Any) -> Any:
        drawn = decoder._sample(outputs, temperature)
        if given is None:
            return drawn
        return _with_hits(drawn, tf.sigmoid(outputs[:, : given.shape[-1]]), given[time])

    before = tf.zeros([n, decoder._output_depth]) if start_inputs is None else start_inputs
    first = inputs(before, tf.constant(0))
    helper = lstm_models.contrib_seq2seq.CustomHelper(
        initialize_fn=lambda: (tf.zeros([n], tf.bool), first),
        sample_fn=sample,
        next_inputs_fn=lambda time, outputs, state, sample_ids: (False, inputs(sample_ids, time + 1), state),
        sample_ids_shape=[decoder._output_depth],
        sample_ids_dtype=tf.float32,
    )
    results = decoder._decode(z, helper=helper, input_shape=first.shape[1:], max_length=max_length)
    return results.samples, results


def _with_hits(drawn: Any, likely: Any, wanted: Any) -> Any:
    """What a GrooVAE draws, with given hits in the place of its own.

    It learns velocities and offsets of hits and of silence, where both are 0, together: what it says is their mean,
    the less the less likely it thinks the hit. Of a hit that is there for sure the mean is that, divided by how
    likely it was. Where it thinks a hit very unlikely it knows little of it, and an average hit stands in. Of a
    silent drum both are 0, as in training.

    Args:
        drawn: float32 ``[rows, 3 * drums]``: hits, velocities (0 to 1) and offsets (-1 to 1).
        likely: float32 ``[rows, drums]``, the probabilities of hits.
        wanted: float32 ``[rows, drums]``, 1 or 0; NaN where the hit is drawn and all stays as it is.
    """
    _, velocities, offsets = tf.split(drawn, 3, axis=-1)
    weight = likely + PRIOR_WEIGHT
    velocities = wanted * tf.minimum((velocities + PRIOR_WEIGHT * MEAN_VELOCITY) / weight, 1.0)
    offsets = wanted * tf.clip_by_value(offsets / weight, -1.0, 1.0)
    steered = tf.concat([wanted, velocities, offsets], axis=-1)
    return tf.where(tf.is_nan(tf.tile(wanted, [1, 3])), drawn, steered)


def _rows_to_hierarchy(decoder: Any, controls: Any) -> Any:
    """In the place of the method in which Magenta cuts one sequence for all rows into segments.

    Args:
        decoder: whose method it is.
        controls: ``[1, batch, steps, control_depth]``: ``HierarchicalLstmDecoder.sample`` adds the 1 in front.

    Returns:
        ``[*levels, 1, batch, steps of a segment, control_depth]``; it takes the 1 away again.
    """
    cut = lstm_models.HierarchicalLstmDecoder._reshape_to_hierarchy(decoder, controls[0])
    return tf.expand_dims(cut, axis=len(decoder._level_lengths) - 1)
