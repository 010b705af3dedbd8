"""The ``tf.data`` input: prepared examples in, Magenta's tensors out, no Python in the steady state.

Magenta's own input (``magenta.models.music_vae.data.get_dataset``) converts NoteSequences in Python
at every start and ends in ``unbatch()`` of a zero-width tensor, which crashes TensorFlow 2.16 to 2.21.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.examples.spec import DrumWindows
from pipeline.models.magenta import tf


@dataclasses.dataclass(frozen=True)
class Batch:
    """What ``MusicVAE.train`` takes; the names are its arguments.

    Attributes:
        input_sequence: float32 ``[batch, steps, input_depth]``.
        output_sequence: float32 ``[batch, steps, output_depth]``.
        sequence_length: int32 ``[batch]`` or ``[batch, segments]``, in steps.
        control_sequence: float32 ``[batch, steps, control_depth]``, or ``None``.
    """

    input_sequence: Any
    output_sequence: Any
    sequence_length: Any
    control_sequence: Any = None

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for ``MusicVAE.train``."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def shuffled_records(files: Sequence[Path], count: int, seed: int, first: int) -> Any:
    """An endless dataset of serialised examples; every epoch is a new order of all of them.

    The order is a function of ``(seed, position)`` alone, so a run that starts again at step ``n``
    (``first = n * batch_size``) sees what it would have seen had it never stopped.

    Args:
        files: the split's shards.
        count: how many examples they hold; all are kept in memory, serialised.
        seed: chooses the orders.
        first: the position to start at, in examples since step 0.
    """
    table = tf.data.experimental.get_single_element(
        tf.data.TFRecordDataset([str(file) for file in files]).batch(count, drop_remainder=True)
    )

    def pick(position: Any) -> Any:
        epoch_seed = tf.stack([tf.constant(seed, tf.int64), position // count])
        return tf.gather(table, tf.random.experimental.index_shuffle(position % count, epoch_seed, count - 1))

    return tf.data.Dataset.range(first, 2**62).map(tf.autograph.experimental.do_not_convert(pick))


def label_batches(records: Any, windows: DrumWindows, batch_size: int) -> Batch:
    """Batches of drum windows from examples that hold labels (see `DrumWindows`)."""
    features = {"labels": tf.io.FixedLenFeature([windows.steps], tf.int64)}
    dataset = records.batch(batch_size, drop_remainder=True)
    dataset = dataset.map(lambda batch: tf.io.parse_example(batch, features)["labels"])
    labels = _iterate(dataset.prefetch(4))
    labels.set_shape([batch_size, windows.steps])
    if len(windows.pitch_classes) < 31:
        labels = tf.cast(labels, tf.int32)
    return Batch(
        input_sequence=expand_labels(labels, windows, roll=windows.roll_input, no_hit=True),
        output_sequence=expand_labels(labels, windows, roll=windows.roll_output, no_hit=False),
        sequence_length=tf.fill([batch_size], windows.steps),
    )


def expand_labels(labels: Any, windows: DrumWindows, *, roll: bool, no_hit: bool) -> Any:
    """Labels as the vectors that ``DrumsConverter`` makes of them.

    Args:
        labels: int32 or int64 ``[batch, steps]``.
        windows: says how many drum classes there are.
        roll: one column a drum class; otherwise one-hot, ``2 ** classes`` wide.
        no_hit: adds to a roll the last column that says "no drum here", as the encoder's input has.

    Returns:
        float32 ``[batch, steps, depth]``.
    """
    classes = len(windows.pitch_classes)
    if not roll:
        return tf.one_hot(labels, 2**classes, dtype=tf.float32)
    shifted = tf.bitwise.right_shift(labels[..., None], tf.range(classes, dtype=labels.dtype))
    hits = tf.cast(tf.bitwise.bitwise_and(shifted, 1), tf.float32)
    if not no_hit:
        return hits
    return tf.concat([hits, tf.cast(tf.equal(labels, 0), tf.float32)[..., None]], axis=-1)


def tensor_batches(records: Any, converter: Any, batch_size: int) -> Batch:
    """Batches from examples that hold tensors: every converter of Magenta's but the drum one.

    Args:
        records: serialised examples.
        converter: Magenta's converter, for its depths, types and length shape.
        batch_size: examples a batch; shorter ones are padded with zeros to the longest.
    """
    depths = {
        "inputs": (converter.input_depth, converter.input_dtype),
        "outputs": (converter.output_depth, converter.output_dtype),
        "controls": (converter.control_depth, converter.control_dtype),
    }
    if not converter.control_depth:  # an empty tensor is worse than none: see the module's docstring
        del depths["controls"]
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in depths}
    features["length"] = tf.io.FixedLenFeature(list(converter.length_shape), tf.int64)

    def parse(record: Any) -> dict[str, Any]:
        parsed = tf.io.parse_single_example(record, features)
        tensors = {"length": tf.cast(parsed["length"], tf.int32)}
        for name, (depth, dtype) in depths.items():
            stored = tf.uint8 if tf.as_dtype(dtype) == tf.bool else tf.float32
            flat = tf.io.decode_raw(parsed[name], stored)
            tensors[name] = tf.cast(tf.reshape(flat, [-1, depth]), tf.float32)
        return tensors

    shapes = {name: [None, depth] for name, (depth, _) in depths.items()}
    shapes["length"] = list(converter.length_shape)
    dataset = records.map(tf.autograph.experimental.do_not_convert(parse))
    batch = _iterate(dataset.padded_batch(batch_size, shapes, drop_remainder=True).prefetch(2))
    for name, shape in shapes.items():
        batch[name].set_shape([batch_size, *shape])
    return Batch(batch["inputs"], batch["outputs"], batch["length"], batch.get("controls"))


def _iterate(dataset: Any) -> Any:
    iterator = tf.data.make_initializable_iterator(dataset)
    # a MonitoredSession runs this collection before its first step
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator.get_next()
