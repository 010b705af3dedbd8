"""Our tables, configs and checkpoints against the installed Magenta."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.config import HPARAM_DEFAULTS, Config
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.own_hparams import complete, magentas
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows
from gmd_vae.families import family_of
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.generation.inputs.drum_reader import labels_to_inputs
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.models import checkpoints
from gmd_vae.training.run.folder import open_run
from gmd_vae.windows.cutting.drum_windows import extract_drum_windows
from gmd_vae.windows.label_windows import load_windows

pytestmark = pytest.mark.tensorflow

# Some of ours, some of Magenta's, and those of Magenta's at other sizes, of equal models one
SMALL = {str(variable_shapes(config)): name for name, config in all_configs().items() if not config.is_magentas}
COUNTED = [
    *("hierdec-drum_4bar_v2", "hierdec-drum_4bar-no_ar", "flat-drum_4bar_small", "hierdec-drum_4bar_small_half_bar"),
    *("cat-drums_2bar_small", "nade-drums_2bar_full", "groovae_2bar_hits_control_tfds"),
    *(name for name in SMALL.values() if get_config(name).family != "drum-labels" or get_config(name).magenta),
]


def build(magenta: Any, config: Any, batch_size: int = 2) -> dict[str, tuple[int, ...]]:
    """Returns the variables that Magenta's training code creates for a Magenta ``Config``, by name and shape."""
    tf = magenta.tf
    config = copy.deepcopy(config)
    config.hparams.batch_size = batch_size
    converter = config.data_converter
    with tf.Graph().as_default():
        config.model.build(config.hparams, converter.output_depth, is_training=True)
        optimizer = config.model.train(
            tf.zeros([batch_size, config.hparams.max_seq_len, converter.input_depth]),
            tf.zeros([batch_size, config.hparams.max_seq_len, converter.output_depth]),
            tf.fill([batch_size, *converter.length_shape], config.hparams.max_seq_len),
            tf.zeros([batch_size, config.hparams.max_seq_len, converter.control_depth])
            if converter.control_depth
            else None,
        )
        optimizer.minimize(config.model.loss, global_step=config.model.global_step)
        return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}


def weights(magenta: Any, config: Any) -> dict[str, tuple[int, ...]]:
    """Returns the trainable variables by name and shape. Windows have few steps, because all steps share weights."""
    tf = magenta.tf
    config = copy.deepcopy(config)
    config.hparams.batch_size, converter = 2, config.data_converter
    if hasattr(config.model.decoder, "_level_lengths"):
        below = [2] * (len(config.model.decoder._level_lengths) - 1)
        levels = [*(converter.length_shape or [2]), *below]  # segments of 2 steps
        config.model.decoder._level_lengths = levels
        config.model.encoder._level_lengths = levels[::-1]
        config.hparams.max_seq_len = int(np.prod(levels))
    steps = config.hparams.max_seq_len

    def windows(depth: int) -> Any:
        return tf.zeros([2, steps, depth])

    with tf.Graph().as_default():
        config.model.build(config.hparams, converter.output_depth, is_training=True)
        config.model.train(
            windows(converter.input_depth),
            windows(converter.output_depth),
            tf.fill([2, *converter.length_shape], 2),
            windows(converter.control_depth) if converter.control_depth else None,
        )
        return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.trainable_variables()}


def test_hyperparameter_defaults_equal_magentas(magenta: Any) -> None:
    assert magenta.lstm_models.get_default_hparams().values() == HPARAM_DEFAULTS


def test_the_nine_drum_classes_equal_magentas(magenta: Any) -> None:
    assert [list(pitches) for pitches in NINE_CLASSES] == magenta.data.REDUCED_DRUM_PITCH_CLASSES


def test_the_table_of_stock_configs_has_magentas_names_in_magentas_order(magenta: Any) -> None:
    assert [stock.name for stock in MAGENTA_CONFIGS] == list(magenta.configs.CONFIG_MAP)[: len(MAGENTA_CONFIGS)]


@pytest.mark.parametrize("stock", MAGENTA_CONFIGS, ids=lambda stock: stock.name)
def test_each_row_of_the_table_equals_magentas_config(magenta: Any, stock: Config) -> None:
    theirs = magenta.configs.CONFIG_MAP[stock.name]
    assert magentas(stock.hparams) == theirs.hparams.values()
    assert stock.hparams == complete(magentas(stock.hparams))  # all levers are off
    assert stock.augmented == (theirs.note_sequence_augmenter is not None)
    converter = theirs.data_converter
    assert (not stock.windows.converter) == isinstance(converter, magenta.data.DrumsConverter)
    if not stock.windows.converter:
        assert stock.drum_windows.input_depth == converter.input_depth
        assert stock.drum_windows.output_depth == converter.output_depth
        assert stock.drum_windows.steps == converter._slice_steps
        assert [list(pitches) for pitches in stock.drum_windows.pitch_classes] == [*map(list, converter._pitch_classes)]


def test_configs_with_compatible_examples_share_a_converter(magenta: Any) -> None:
    def content(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [content(part) for part in value]
        if callable(value) and hasattr(value, "__qualname__"):
            return value.__qualname__
        inner = vars(value) if hasattr(value, "__dict__") else None
        return repr(value) if inner is None else [type(value), {name: content(part) for name, part in inner.items()}]

    held = {stock.name: content(magenta.configs.CONFIG_MAP[stock.name].data_converter) for stock in MAGENTA_CONFIGS}
    for name in ("mel_16bar", "trio_16bar"):
        assert held[f"flat-{name}"] == held[f"hierdec-{name}"] == held[f"hier-{name}"]
    assert held["flat-mel_16bar"] != held["cat-mel_2bar_big"]
    converters = [(stock.windows.converter or stock.name, stock.name) for stock in MAGENTA_CONFIGS]
    assert all(held[converter] == held[name] for converter, name in converters)
    assert get_config("hierdec-trio_16bar_small").windows.converter == "flat-trio_16bar"


@pytest.mark.parametrize("name", COUNTED)
def test_the_variables_have_the_names_and_shapes_that_are_computed(magenta: Any, name: str) -> None:
    config = get_config(name)
    assert weights(magenta, magenta.build_config(config)) == variable_shapes(config)


# What people have read in checkpoints that Magenta published; only the beginning of each list was kept.
PUBLISHED = {
    # github.com/magenta/magenta/issues/1854
    "hierdec-mel_16bar": {
        "core_decoder/decoder/multi_rnn_cell/cell_0/lstm_cell/bias": (4096,),
        "core_decoder/decoder/multi_rnn_cell/cell_0/lstm_cell/kernel": (2138, 4096),
        "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell/bias": (4096,),
        "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell/kernel": (2048, 4096),
        "core_decoder/decoder/output_projection/bias": (90,),
        "core_decoder/decoder/output_projection/kernel": (1024, 90),
        "core_decoder/decoder/z_to_initial_state/bias": (4096,),
        "core_decoder/decoder/z_to_initial_state/kernel": (1024, 4096),
        "decoder/hierarchical_level_0/cell_0/lstm_cell/bias": (4096,),
        "decoder/hierarchical_level_0/cell_0/lstm_cell/kernel": (1025, 4096),
        "decoder/hierarchical_level_0/cell_1/lstm_cell/bias": (4096,),
        "decoder/hierarchical_level_0/cell_1/lstm_cell/kernel": (2048, 4096),
        "decoder/hierarchical_level_0/initial_state/bias": (4096,),
        "decoder/hierarchical_level_0/initial_state/kernel": (512, 4096),
        "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/bias": (8192,),
        "encoder/cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/kernel": (2138, 8192),
        "encoder/cell_0/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell/bias": (8192,),
    },
    # github.com/magenta/magenta/issues/1496: trained with cuDNN
    "hier-multiperf_vel_1bar_med": {
        "core_decoder/decoder/multi_rnn_cell/cell_0/lstm_cell/bias": (2048,),
        "core_decoder/decoder/multi_rnn_cell/cell_0/lstm_cell/kernel": (1514, 2048),
        "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell/bias": (2048,),
        "core_decoder/decoder/multi_rnn_cell/cell_1/lstm_cell/kernel": (1024, 2048),
        "core_decoder/decoder/multi_rnn_cell/cell_2/lstm_cell/bias": (2048,),
        "core_decoder/decoder/multi_rnn_cell/cell_2/lstm_cell/kernel": (1024, 2048),
        "core_decoder/decoder/opaque_kernel": (7307264,),
        "core_decoder/decoder/opaque_kernel/Adam": (7307264,),
        "core_decoder/decoder/opaque_kernel/Adam_1": (7307264,),
        "core_decoder/decoder/output_projection/bias": (490,),
        "core_decoder/decoder/output_projection/kernel": (512, 490),
        "core_decoder/decoder/z_to_initial_state/bias": (3072,),
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_variables_equal_those_in_checkpoints_that_magenta_published(magenta: Any, name: str) -> None:
    from gmd_vae.models.checkpoint_check import CUDNN_COPY

    held, published = weights(magenta, magenta.build_config(get_config(name))), PUBLISHED[name]
    copies = [variable for variable in published if CUDNN_COPY.search(variable)]
    own = {variable: shape for variable, shape in published.items() if variable not in copies}
    assert own
    assert {variable: held.get(variable) for variable in own} == own
    # a copy contains all layers of the decoder, with two biases (inputs and states) for each of TensorFlow's
    layers = {variable: math.prod(shape) for variable, shape in held.items() if "core_decoder" in variable}
    size = sum(
        count * (2 if variable.endswith("bias") else 1) for variable, count in layers.items() if "cell_" in variable
    )
    assert {published[variable] for variable in copies} <= {(size,)}


def test_build_config_returns_copies_and_does_not_change_magentas_map(magenta: Any) -> None:
    before = {name: config.hparams.values() for name, config in magenta.configs.CONFIG_MAP.items()}
    caps = {
        name: config.data_converter.max_tensors_per_notesequence for name, config in magenta.configs.CONFIG_MAP.items()
    }
    for config in all_configs().values():
        hparams = {**config.hparams, "batch_size": 3, "enc_rnn_size": [5]}
        built = magenta.build_config(config, hparams)
        again = magenta.build_config(config)
        assert built.hparams.values() == magentas(hparams)
        assert again.hparams.values() == magentas(config.hparams)
        assert built.data_converter.max_tensors_per_notesequence is None
        built.data_converter.set_mode("train")
        built.hparams.enc_rnn_size.append(1)
        assert magenta.build_config(config).hparams.values() == magentas(config.hparams)
    assert {name: config.hparams.values() for name, config in magenta.configs.CONFIG_MAP.items()} == before
    assert {
        name: config.data_converter.max_tensors_per_notesequence for name, config in magenta.configs.CONFIG_MAP.items()
    } == caps


def test_our_configs_are_in_the_map_that_magentas_scripts_read(magenta: Any) -> None:
    from magenta.models.music_vae import configs

    ours = [config for config in all_configs().values() if not config.magenta]
    assert len(ours) > 10
    for config in ours:
        theirs = configs.CONFIG_MAP[config.name]
        assert theirs.hparams.values() == magentas(config.hparams)
        assert theirs.data_converter.max_tensors_per_notesequence is None
        assert theirs.data_converter.output_depth == family_of(config).output(config).output_depth


def test_our_checkpoint_contains_exactly_the_variables_of_stock_magenta(magenta: Any, tiny_run: Path) -> None:
    """The model is written as a user of stock Magenta would write it, without our code."""
    lstm_models, data = magenta.lstm_models, magenta.data
    from magenta.common import merge_hparams
    from magenta.contrib.training import HParams
    from magenta.models.music_vae.base_model import MusicVAE

    stock = magenta.configs.Config(
        model=MusicVAE(
            lstm_models.BidirectionalLstmEncoder(),
            lstm_models.HierarchicalLstmDecoder(
                lstm_models.CategoricalLstmDecoder(), level_lengths=[4, 16], disable_autoregression=True
            ),
        ),
        hparams=merge_hparams(
            lstm_models.get_default_hparams(),
            HParams(
                max_seq_len=64,
                z_size=4,
                enc_rnn_size=[16],
                dec_rnn_size=[12, 8],
                free_bits=48,
                max_beta=0.2,
                sampling_schedule="inverse_sigmoid",
                sampling_rate=1000,
            ),
        ),
        data_converter=data.DrumsConverter(max_bars=100, slice_bars=4, steps_per_quarter=4, roll_input=True),
    )
    prefix = checkpoints.find(tiny_run)
    ours = magenta.tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    assert {name: tuple(shape) for name, shape in ours.items()} == build(magenta, stock)


def test_stock_trained_model_samples_from_our_checkpoint(magenta: Any, tiny_run: Path) -> None:
    from magenta.models.music_vae.trained_model import TrainedModel

    opened = open_run(tiny_run)
    config, hparams = opened.config, opened.hparams
    model = TrainedModel(
        magenta.build_config(config, hparams), batch_size=2, checkpoint_dir_or_path=str(tiny_run / "train")
    )
    samples = model.sample(n=3, length=64, temperature=1.0)
    assert len(samples) == 3
    assert all(note.is_drum for sample in samples for note in sample.notes)
    assert any(sample.notes for sample in samples)


def test_expanded_labels_equal_the_tensors_of_magentas_converter(magenta: Any, starter_notes: Path) -> None:
    """Inputs and outputs, in NumPy and in the graph."""
    from gmd_vae.models.label_vectors import expand_labels

    tf = magenta.tf
    records = list(read_records(starter_notes / "test.tfrecord"))[:3]
    for name in ("hierdec-drum_4bar_small", "cat-drums_2bar_small", "nade-drums_2bar_reduced", "nade-drums_2bar_full"):
        config = get_config(name)
        windows = config.drum_windows
        assert windows is not None
        converter = magenta.build_config(config).data_converter
        converter.set_mode("eval")
        for record in records:
            labels = extract_drum_windows(windows, record).windows
            assert isinstance(labels, np.ndarray)
            tensors = converter.to_tensors(NoteSequence.FromString(record))
            theirs = {inputs.tobytes() for inputs in tensors.inputs}
            assert {labels_to_inputs(row, windows).tobytes() for row in labels} == theirs
            with tf.Graph().as_default(), tf.Session() as session:
                given = tf.constant(labels)
                ours = session.run(
                    [
                        expand_labels(given, windows, roll=windows.roll_input, no_hit=True),
                        expand_labels(given, windows, roll=windows.roll_output, no_hit=False),
                    ]
                )
            pairs = {
                (inputs.astype(bool).tobytes(), outputs.astype(bool).tobytes())
                for inputs, outputs in zip(*ours, strict=True)
            }
            assert pairs == {
                (inputs.tobytes(), outputs.astype(bool).tobytes())
                for inputs, outputs in zip(tensors.inputs, tensors.outputs, strict=True)
            }


def test_labels_expand_to_one_hot_inputs(magenta: Any, starter_examples: Path) -> None:
    from gmd_vae.models.label_vectors import expand_labels

    tf = magenta.tf
    windows = DrumWindows(roll_input=False)
    labels = load_windows(starter_examples, "test").labels[:2].astype(np.int64)
    with tf.Graph().as_default(), tf.Session() as session:
        ours = session.run(expand_labels(tf.constant(labels), windows, roll=False, no_hit=True))
    assert ours.shape == (2, 64, 512)
    assert (ours.argmax(-1) == labels).all()
    assert (labels_to_inputs(labels[0], windows) == ours[0]).all()


def test_an_import_of_tensorflow_before_the_api_is_an_error() -> None:
    import subprocess
    import sys

    code = (
        "import os, sys; os.environ.pop('TF_USE_LEGACY_KERAS', None)\n"
        "sys.modules['tensorflow'] = sys  # a stand-in: only its presence counts\n"
        "try:\n    import gmd_vae.magenta.api\nexcept RuntimeError as error:\n    print('refused', error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("refused"), done.stderr
