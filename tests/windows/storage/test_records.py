from __future__ import annotations

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.windows.extraction import Layout, Tensors
from gmd_vae.windows.storage import records

LABELS = Layout("labels", 64, 9, 10, 512)
TENSORS = Layout("tensors", 8, 0, 3, 5, control_depth=2, output_dtype="float32", length_shape=(2,))


def random_tensors(layout=TENSORS, steps=8):
    generator = np.random.default_rng(1)

    def array(depth, dtype):
        values = generator.random((steps, depth))
        return values > 0.5 if dtype == "bool" else values.astype(np.float32)

    return Tensors(
        array(layout.input_depth, layout.input_dtype),
        array(layout.output_depth, layout.output_dtype),
        array(layout.control_depth, layout.control_dtype),
        (5, 3) if layout.length_shape else (steps,),
    )


def assert_equal(found, expected):
    for name in ("inputs", "outputs", "controls"):
        left, right = getattr(found, name), getattr(expected, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    assert found.length == expected.length


def test_labels_and_sources_survive_a_round_trip():
    labels = np.array([0, 1, 127, 128, 511, 2**61 + 1])
    record = records.label_example(labels, ["/id/midi/a", "♩"])
    assert records.read_label_example(record) == (labels.tolist(), ["/id/midi/a", "♩"])
    assert records.read_label_example(records.label_example(labels, [])) == (labels.tolist(), [])


@pytest.mark.parametrize(
    "layout",
    [
        TENSORS,
        Layout("tensors", 8, 0, 3, 5),
        Layout("tensors", 8, 0, 3, 5, input_dtype="float32", control_dtype="float32", control_depth=1),
    ],
)
def test_tensors_survive_a_round_trip(layout):
    tensors = random_tensors(layout)
    found, sources = records.read_tensor_example(records.tensor_example(layout, tensors, ["a", "b"]), layout)
    assert_equal(found, tensors)
    assert sources == ["a", "b"]


FEW = Layout("tensors", 8, 0, 300, 5, control_depth=2, input_ones=3, output_ones=1, control_ones=2)


def few_ones(steps=8):
    """Returns tensors with at most the ones that ``FEW`` allows, in some rows none."""
    generator = np.random.default_rng(2)
    inputs, outputs = np.zeros((steps, 300), bool), np.zeros((steps, 5), bool)
    for row in range(steps):
        inputs[row, generator.choice(300, row % 4, replace=False)] = True
        outputs[row, : row % 2] = True
    return Tensors(inputs, outputs, generator.random((steps, 2)) > 0.5, (steps,))


def test_sparse_arrays_survive_a_round_trip_in_a_short_record():
    tensors = few_ones()
    record = records.tensor_example(FEW, tensors, ["a"])
    assert_equal(records.read_tensor_example(record, FEW)[0], tensors)
    assert len(record) < 200 < tensors.inputs.size


def test_more_ones_than_the_layout_allows_are_refused():
    tensors = few_ones()
    tensors.outputs[3] = True
    with pytest.raises(ValueError, match="5 ones, not 1"):
        records.tensor_example(FEW, tensors, [])


@pytest.mark.parametrize("columns", [[0] * 7, [301] * 24, [-1] * 24])
def test_column_numbers_outside_of_the_array_are_refused(columns):
    """Another number of values, or a number beyond the last column or below 0."""
    record = records.tensor_example(FEW, few_ones(), ["a"])
    wrong = records._int64_list(np.array(columns, np.int64).astype(np.uint64))
    right = records._int64_list(records._columns_of_ones(few_ones().inputs, 3).reshape(-1))
    entry, other = (records._entry("inputs", feature) for feature in (right, wrong))
    features = records._features_of(record).replace(entry, other)
    with pytest.raises(GmdVaeError, match="not a gmd-vae"):
        records.read_tensor_example(records.example_record(features, []), FEW)


def test_packed_windows_are_equal_if_and_only_if_windows_are():
    for classes, size in ((8, 1), (9, 2), (16, 2), (17, 4), (33, 8), (62, 8)):
        layout = Layout("labels", 3, classes, 0, 0)
        top = 2**classes - 1
        windows = np.array([[0, 1, top], [0, 1, top], [0, 1, top - 1]])
        packed = records.pack_windows(layout, windows)
        assert packed[0] == packed[1] != packed[2]
        assert len(packed[0]) == 3 * size
        unpacked = [records.example_record(features, [b"x"]) for features in records.unpack_features(layout, packed)]
        assert unpacked == [records.label_example(window, ["x"]) for window in windows]
    other = random_tensors()
    other.inputs[0, 0] ^= True
    packed = records.pack_windows(TENSORS, [random_tensors(), random_tensors(), other])
    assert packed[0] == packed[1] != packed[2]
    (features,) = records.unpack_features(TENSORS, packed[2:])
    assert records.example_record(features, [b"x", b"y"]) == records.tensor_example(TENSORS, other, ["x", "y"])


@pytest.mark.parametrize("record", [b"\xff\xff", b"", records.tensor_example(TENSORS, random_tensors(), ["a"])])
def test_other_records_are_refused_as_labels(record):
    with pytest.raises(GmdVaeError, match="not a gmd-vae"):
        records.read_label_example(record)


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        (b"\xff\xff", TENSORS),
        (b"", TENSORS),
        (records.label_example(np.array([1, 2]), ["a"]), TENSORS),
        (records.tensor_example(TENSORS, random_tensors(), ["a"]), Layout("tensors", 8, 0, 7, 5)),  # 8 × 3 is not n × 7
    ],
)
def test_other_records_are_refused_as_tensors(record, layout):
    with pytest.raises(GmdVaeError, match="not a gmd-vae"):
        records.read_tensor_example(record, layout)


@pytest.mark.tensorflow
def test_the_bytes_equal_those_of_tensorflow():
    from gmd_vae.magenta.api import tf

    def feature(values):
        if isinstance(values[0], bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def serialise(**features):
        example = tf.train.Example(
            features=tf.train.Features(feature={name: feature(values) for name, values in features.items()})
        )
        return example.SerializeToString(deterministic=True)

    for top, steps, ids in ((512, 64, ["a", "♩"]), (128, 1, [""]), (2**62, 300, ["x" * 127, "y" * 200, "z" * 20_000])):
        labels = np.random.default_rng(0).integers(0, top, steps)
        assert records.label_example(labels, ids) == serialise(
            labels=labels.tolist(), sources=[name.encode() for name in ids]
        )
    tensors = random_tensors()
    ours = records.tensor_example(TENSORS, tensors, ["a"])
    assert ours == serialise(
        sources=[b"a"],
        length=[5, 3],
        outputs=[tensors.outputs.tobytes()],
        inputs=[tensors.inputs.astype(np.uint8).tobytes()],
        controls=[tensors.controls.astype(np.uint8).tobytes()],
    )
    with tf.Graph().as_default(), tf.Session() as session:  # and its parser reads them
        parsed = tf.io.parse_single_example(
            ours, {"inputs": tf.io.FixedLenFeature([], tf.string), "length": tf.io.FixedLenFeature([2], tf.int64)}
        )
        inputs, length = session.run(
            [tf.reshape(tf.io.decode_raw(parsed["inputs"], tf.uint8), [-1, 3]), parsed["length"]]
        )
    np.testing.assert_array_equal(inputs, tensors.inputs)
    assert length.tolist() == [5, 3]
