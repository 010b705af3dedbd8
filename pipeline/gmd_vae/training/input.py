"""Training input: all examples of a split in the graph, and each batch as a function of seed and step.

The input has no iterator and no state to restore: the windows of step ``n`` follow from the seed and ``n`` alone. So a
resumed run, on this machine or on another one of a cluster, trains on the same batches as an uninterrupted run. No
Python code runs during a step.

Magenta's input (``magenta.models.music_vae.data.get_dataset``) converts NoteSequences in Python at every start and ends
in ``unbatch()`` of a zero-width tensor, which crashes TensorFlow 2.16 to 2.21.
"""

from __future__ import annotations

import abc
import dataclasses
import os
from typing import Any

from gmd_vae.configuration.window_specs import MAX_STEPS, DrumWindows
from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.tokens import labels_to_sequence
from gmd_vae.models.label_vectors import expand_labels
from gmd_vae.training.augmentation.batch_draws import Augmentation
from gmd_vae.training.augmentation.drum_voices import augment_drums, cells_to_labels, labels_to_cells
from gmd_vae.training.examples import Split

CHECK = "check_examples"  # in the names of the operations that check records; errors hold the name
_CHECKED_AT_ONCE = 256  # examples
_BYTES = {"bool": 1, "float32": 4}  # of a value in a record


@dataclasses.dataclass(frozen=True)
class Batch:
    """Arguments of ``MusicVAE.train`` for one batch, under their names there.

    Attributes:
        input_sequence: Input of the encoder, float32 ``[batch, steps, input_depth]``, or tokens ``[batch, steps, 1]``.
        output_sequence: Target of the decoder, float32 ``[batch, steps, output_depth]``, or tokens as above.
        sequence_length: Lengths in steps, int32 ``[batch]`` or ``[batch, segments]``.
        control_sequence: Conditioning input, float32 ``[batch, steps, control_depth]``, or ``None``.
    """

    input_sequence: Any
    output_sequence: Any
    sequence_length: Any
    control_sequence: Any = None

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments for ``MusicVAE.train``."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


class ExampleTable(abc.ABC):
    """All examples of one split as a resource variable, filled when a session starts.

    Args:
        split: At least one example.
        tokens: Those of ``inputs`` and ``outputs`` that the model takes as tokens (``models.accelerated.tokens``),
            where each step is one class.
    """

    def __init__(self, split: Split, tokens: frozenset[str] = frozenset()) -> None:
        self._layout, self._tokens = split.layout, tokens
        files, count = split.files, split.count

        def load() -> Any:
            compression = (
                "GZIP" if any(file.suffix == ".gz" for file in files) else ""
            )  # all shards are compressed, or none
            records = tf.data.TFRecordDataset([os.fsencode(file) for file in files], compression)
            serialised = tf.data.experimental.get_single_element(records.batch(count + 1).take(1))
            found = tf.equal(tf.size(serialised), count)
            with tf.control_dependencies([tf.debugging.Assert(found, ["another number of records"], name=CHECK)]):
                return self._parse(tf.reshape(serialised, [count]))

        # a local variable is filled at the start of every session and is not part of a checkpoint
        with tf.variable_scope("", use_resource=True):
            self._table = tf.Variable(
                load, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES], name="examples"
            )

    def batch(self, rows: Any, present: Any = None, augmentation: Augmentation | None = None) -> Batch:
        """Returns some of the examples as the model takes them.

        Args:
            rows: Numbers of the examples, int64 ``[batch]``.
            present: bool ``[batch]``. A window with False has length 0 and counts neither in the loss nor in the
                metrics. ``None``: all are present.
            augmentation: Random changes of the windows, in training; ``None``: the windows as they are.
        """
        batch = self._batch(rows, augmentation)
        if present is None:
            return batch
        lengths = batch.sequence_length
        mask = tf.cast(tf.reshape(present, [-1] + [1] * (lengths.shape.rank - 1)), lengths.dtype)
        return dataclasses.replace(batch, sequence_length=lengths * mask)

    @abc.abstractmethod
    def _parse(self, serialised: Any) -> Any:
        """Returns the table's rows from all records, string ``[examples]``."""

    @abc.abstractmethod
    def _batch(self, rows: Any, augmentation: Augmentation | None) -> Batch:
        """Returns the rows of a batch as the model takes them."""


class LabelTable(ExampleTable):
    """Drum labels, integers ``[examples, steps]``.

    Args:
        split: At least one example.
        windows: Drum classes and steps of the windows.
        tokens: Sequences taken as tokens; see ``ExampleTable``.
    """

    def __init__(self, split: Split, windows: DrumWindows, tokens: frozenset[str] = frozenset()) -> None:
        self._windows = windows
        super().__init__(split, tokens)

    def _parse(self, serialised: Any) -> Any:
        features = {"labels": tf.io.FixedLenFeature([self._windows.steps], tf.int64)}
        labels = tf.io.parse_example(serialised, features, name=CHECK)["labels"]
        fits = tf.reduce_all((labels >= 0) & (labels < 2 ** len(self._windows.pitch_classes)))
        with tf.control_dependencies([tf.debugging.Assert(fits, ["a label out of range"], name=CHECK)]):
            labels = tf.identity(labels)
        return tf.cast(labels, tf.int32) if len(self._windows.pitch_classes) < 31 else labels

    def _batch(self, rows: Any, augmentation: Augmentation | None) -> Batch:
        labels = tf.gather(self._table, rows)
        if augmentation is not None and augmentation.changes_drums:
            labels = self._changed(labels, augmentation)
        return Batch(
            input_sequence=expand_labels(labels, self._windows, roll=self._windows.roll_input, no_hit=True),
            output_sequence=labels_to_sequence(labels)
            if "outputs" in self._tokens
            else expand_labels(labels, self._windows, roll=self._windows.roll_output, no_hit=False),
            sequence_length=tf.fill([int(rows.shape[0])], self._windows.steps),
        )

    def _changed(self, labels: Any, augmentation: Augmentation) -> Any:
        """Returns labels after the levers of drum windows."""
        voices, partner_rows = len(self._windows.pitch_classes), augmentation.partner_rows()
        cells = labels_to_cells(labels, voices)
        partners = None if partner_rows is None else labels_to_cells(tf.gather(self._table, partner_rows), voices)
        return cells_to_labels(augment_drums(cells, partners, self._windows, augmentation.levers, augmentation.draws))


class TensorTable(ExampleTable):
    """Serialised windows of Magenta's converters; windows of other lengths in one batch are padded with zeros."""

    def _parse(self, serialised: Any) -> Any:
        pieces = tf.data.Dataset.from_tensor_slices(serialised).batch(_CHECKED_AT_ONCE)
        fits = pieces.map(self._fits, tf.data.AUTOTUNE).reduce(True, tf.logical_and)
        with tf.control_dependencies([tf.debugging.Assert(fits, ["an array out of range"], name=CHECK)]):
            return tf.identity(serialised)

    def _arrays(self) -> dict[str, tuple[int, int, str]]:
        """Returns depth, number of ones in a row, and dtype of each array in a record."""
        layout = self._layout
        arrays: dict[str, tuple[int, int, str]] = {
            "inputs": (layout.input_depth, layout.input_ones, layout.input_dtype),
            "outputs": (layout.output_depth, layout.output_ones, layout.output_dtype),
            "controls": (layout.control_depth, layout.control_ones, layout.control_dtype),
        }
        if not layout.control_depth:  # a zero-width tensor crashes TensorFlow: see the module's docstring
            del arrays["controls"]
        return arrays

    def _features(self) -> dict[str, Any]:
        """Returns the features of a record, for ``parse_example``."""
        features: dict[str, Any] = {"length": tf.io.FixedLenFeature(list(self._layout.length_shape), tf.int64)}
        for name, (_, ones, _) in self._arrays().items():
            features[name] = tf.io.VarLenFeature(tf.int64) if ones else tf.io.FixedLenFeature([], tf.string)
        return features

    def _fits(self, serialised: Any) -> Any:
        """Returns True if the arrays of records have equal lengths, in range, and values in range."""
        parsed = tf.io.parse_example(serialised, self._features(), name=CHECK)
        size = tf.shape(serialised)[0]
        most = self._layout.steps or MAX_STEPS
        total = tf.reduce_sum(tf.reshape(parsed["length"], [size, -1]), axis=1)
        fits = [parsed["length"] >= 0, total > 0, total <= most]
        steps: dict[str, Any] = {}
        for name, (depth, ones, dtype) in self._arrays().items():
            if ones:
                values, width = parsed[name].values, ones
                length = tf.math.unsorted_segment_sum(tf.ones_like(values), parsed[name].indices[:, 0], size)
                fits += [values >= 0, values <= depth]
            else:
                length, width = tf.cast(tf.strings.length(parsed[name]), tf.int64), depth * _BYTES[dtype]
                fits.append(_is_plain(parsed[name], dtype))
            steps[name] = length // width
            fits += [tf.equal(length % width, 0), tf.equal(steps[name], steps["inputs"])]
            fits += [steps[name] > 0, steps[name] <= most]
        return tf.reduce_all(tf.stack([tf.reduce_all(condition) for condition in fits]))

    def _batch(self, rows: Any, augmentation: Augmentation | None) -> Batch:
        parsed = tf.io.parse_example(tf.gather(self._table, rows), self._features())
        size, arrays, tensors = int(rows.shape[0]), self._arrays(), {}

        def columns_of(name: str, ones: int) -> Any:
            return tf.reshape(tf.sparse.to_dense(parsed[name]), [size, -1, ones])  # padding is 0: no column

        changed = {}
        if augmentation is not None:
            columns = {name: columns_of(name, ones) for name, (_, ones, _) in arrays.items() if ones}
            changed = self._change_columns(columns, augmentation)
        for name, (depth, ones, dtype) in arrays.items():
            if ones:
                columns = changed[name] if changed else columns_of(name, ones)
                tensors[name] = _decode_columns(columns, depth, as_tokens=ones == 1 and name in self._tokens)
            else:
                tensors[name] = _decode_bytes(parsed[name], size, depth, dtype)
        length = tf.cast(parsed["length"], tf.int32)
        return Batch(tensors["inputs"], tensors["outputs"], length, tensors.get("controls"))

    def _change_columns(self, columns: dict[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        """Returns the column numbers of sparse arrays after the levers; here without a change.

        Args:
            columns: For each array its columns, counted from 1; 0 is padding. int64 ``[batch, steps, ones]``.
            augmentation: Random changes of the windows.
        """
        return columns


def _is_plain(arrays: Any, dtype: str) -> Any:
    """Returns True for each value of serialised arrays that is 0 or 1 (bool) or finite (float32)."""
    longest = (tf.reduce_max(tf.strings.length(arrays)) + 3) // 4 * 4
    stored = tf.uint8 if dtype == "bool" else tf.float32
    values = tf.raw_ops.DecodePaddedRaw(input_bytes=arrays, fixed_length=longest, out_type=stored, name=CHECK)
    return values <= 1 if dtype == "bool" else tf.math.is_finite(values)


def _decode_columns(columns: Any, depth: int, *, as_tokens: bool) -> Any:
    """Decodes the numbers of the columns that are 1.

    Args:
        columns: Column numbers, counted from 1; 0 is padding. int64 ``[batch, steps, ones]``.
        depth: Number of columns.
        as_tokens: True for tokens ``[batch, steps, 1]``, False for vectors ``[batch, steps, depth]``.
    """
    if as_tokens:
        return labels_to_sequence(columns[..., 0] - 1)
    return tf.reduce_sum(tf.one_hot(columns - 1, depth, dtype=tf.float32), axis=2)


def _decode_bytes(arrays: Any, size: int, depth: int, dtype: str) -> Any:
    """Decodes serialised arrays, string ``[batch]``, to float32 ``[batch, steps, depth]``."""
    stored = tf.uint8 if dtype == "bool" else tf.float32
    longest = tf.reduce_max(tf.strings.length(arrays))
    flat = tf.raw_ops.DecodePaddedRaw(input_bytes=arrays, fixed_length=longest, out_type=stored)
    return tf.cast(tf.reshape(flat, [size, -1, depth]), tf.float32)


def shuffled_rows(first: Any, size: int, count: int, seed: int) -> Any:
    """Returns the rows at consecutive positions of an endless sequence, a new permutation of all rows in each epoch.

    Args:
        first: First position, in examples since step 0, int64 scalar.
        size: Number of positions.
        count: Number of rows in the table.
        seed: Seed of the permutations.

    Returns:
        Rows, int64 ``[size]``; a function of the arguments alone.
    """
    positions = first + tf.range(size, dtype=tf.int64)
    epochs = positions // count
    # as tf.random.experimental.index_shuffle, but with a seed per position: a batch may cross the end of an epoch
    head = tf.constant([498247692, seed], tf.int64)
    seeds = tf.concat([tf.tile(head[None], [size, 1]), epochs[:, None]], axis=1)
    return tf.raw_ops.RandomIndexShuffle(
        index=positions % count,
        seed=seeds,
        max_index=tf.constant(count - 1, tf.int64),
        rounds=4,
    )
