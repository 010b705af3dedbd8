"""Decoding under conditions of each row's own: chords or hits that steer it, hits that stand in for its own.

Magenta's decoders take one sequence of controls for a whole batch. Here each row has its own; where all
rows share one, what is decoded is the same (a test compares them).
"""

from __future__ import annotations

import functools
from typing import Any

from pipeline.models.magenta import lstm_models, tf


def steer(decoder: Any, hits: Any = None) -> None:
    """Makes a decoder that is built take controls ``[batch, steps, control_depth]`` in ``sample``'s ``c_input``.

    Args:
        decoder: Magenta's; of this graph alone, for it is changed.
        hits: float32 ``[batch, steps, columns]``: in the place of what the decoder would draw for its first
            columns; NaN where it draws. Only for decoders without a hierarchy.

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
        wanted = given[time]
        columns = wanted.shape[-1]
        return tf.concat([tf.where(tf.is_nan(wanted), drawn[:, :columns], wanted), drawn[:, columns:]], axis=-1)

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
