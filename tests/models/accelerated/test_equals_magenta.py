"""In training and evaluation, variables, losses, gradients and metrics equal those of Magenta's layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, STOCK
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.families.parameters import count_parameters

pytestmark = pytest.mark.tensorflow

Check = Callable[..., None]
Make = Callable[..., Config]
Measure = Callable[..., Any]

OURS = {name: config for name, config in all_configs().items() if config.family == "drum-labels" and not config.magenta}
HIERARCHICAL, NO_AR, FLAT = KINDS = "hierdec-drum_4bar-ar_small", "hierdec-drum_4bar_small", "flat-drum_4bar_small"
HALF = {"sampling_schedule": "constant", "sampling_rate": 0.5}
# for Magenta's own configs
SIZES = {"z_size": 5, "enc_rnn_size": [6], "dec_rnn_size": [7, 6], "free_bits": 0.0}
SAMPLING = {**SIZES, "sampling_schedule": "inverse_sigmoid", "sampling_rate": 2.0}
TEACHER_FORCED = {**SIZES, "sampling_schedule": "constant", "sampling_rate": 0}


def of_each_structure() -> list[str]:
    """The first config of each encoder and of each decoder: z alone joins them, so not all their pairs are needed."""
    depths: set[int] = set()
    decoders: set[tuple[object, ...]] = set()
    found = []
    for name, config in OURS.items():
        encoder = len(config.hparams["enc_rnn_size"])
        conductor = (bool(config.levels), config.conductor_autoregression if config.levels else None)
        decoder = (*conductor, len(config.hparams["dec_rnn_size"]), bool(config.hparams["sampling_rate"]))
        if encoder not in depths or decoder not in decoders:
            found.append(name)
        depths.add(encoder)
        decoders.add(decoder)
    return found


@pytest.mark.parametrize("name", of_each_structure())
def test_every_structure_of_ours(name: str, tiny: Make, assert_as_magenta: Check) -> None:
    """With the scheduled sampling of the config, at a step at which it replaces about half of the tokens."""
    assert_as_magenta(tiny(OURS[name]))


def test_two_levels_of_conductors(tiny: Make, assert_as_magenta: Check) -> None:
    """Also with deeper stacks, and with a constant sampling probability of 0.5."""
    assert_as_magenta(tiny(OURS[HIERARCHICAL], levels=(2, 2, 2), **HALF, enc_rnn_size=[6, 5], dec_rnn_size=[7, 6, 5]))


def test_two_levels_of_conductors_without_autoregression(tiny: Make, assert_as_magenta: Check) -> None:
    assert_as_magenta(tiny(OURS[HIERARCHICAL], levels=(2, 2, 2), conductor_autoregression=False, dec_rnn_size=[7]))


@pytest.mark.parametrize("name", ["hierdec-drum_4bar", "flat-drum_4bar"])
def test_scheduled_sampling_differs_from_teacher_forcing(name: str, tiny: Make, measure: Measure) -> None:
    forced = tiny(OURS[name], sampling_schedule="constant", sampling_rate=0)
    assert abs(measure(tiny(OURS[name])).loss - measure(forced).loss) > 0.01


@pytest.mark.parametrize("name", KINDS)
def test_the_number_of_parameters_at_full_size(name: str, magenta: Any) -> None:
    from gmd_vae.magenta.api import build_config, tf
    from gmd_vae.magenta.randomness import stateless_randomness
    from gmd_vae.models.accelerated.select_layers import accelerate

    config = OURS[name]
    with tf.Graph().as_default():
        built = build_config(config, {**config.hparams, "batch_size": 1})
        accelerate(built, config, ACCELERATED)
        model, converter = built.model, built.data_converter
        model.build(built.hparams, converter.output_depth, is_training=False)
        model.encode(tf.zeros([1, 64, converter.input_depth]), tf.constant([64]))
        with stateless_randomness(1, model.global_step):
            model.decoder.sample_tokens(1, tf.zeros([1, config.hparams["z_size"]]), 1.0, 64)
        assert sum(variable.shape.num_elements() for variable in tf.trainable_variables()) == count_parameters(config)


def test_tokens_give_the_same_results_as_one_hot_vectors(tiny: Make, measure: Measure) -> None:
    as_tokens, one_hot = measure(tiny(OURS[FLAT])), measure(tiny(OURS[FLAT]), tokens=False)
    np.testing.assert_array_equal(as_tokens.losses, one_hot.losses)
    for variable, gradient in one_hot.gradients.items():
        np.testing.assert_allclose(as_tokens.gradients[variable], gradient, rtol=1e-5, atol=1e-6)


def test_melodies_of_different_lengths(assert_as_magenta: Check) -> None:
    assert_as_magenta(get_config("cat-mel_2bar_small"), lengths=(32, 5, 17, 0), **TEACHER_FORCED)


def test_melodies_that_are_all_shorter_than_a_window(assert_as_magenta: Check) -> None:
    assert_as_magenta(get_config("cat-mel_2bar_small"), lengths=(4, 1, 3, 2), max_seq_len=8, **SAMPLING)


def test_magentas_drums(assert_as_magenta: Check) -> None:
    assert_as_magenta(get_config("cat-drums_2bar_small"), max_seq_len=8, **SAMPLING)


SEGMENTS = ((4, 2), (1, 0), (0, 0), (3, 4))  # the third window is absent
TRACKS = {"lengths": SEGMENTS, "levels": (2, 4), "max_seq_len": 8}


def test_segments_of_different_lengths(assert_as_magenta: Check) -> None:
    assert_as_magenta(get_config("hier-multiperf_vel_1bar_med"), **TRACKS, **SAMPLING)


def test_an_encoder_of_three_levels(assert_as_magenta: Check) -> None:
    sizes = {**TEACHER_FORCED, "dec_rnn_size": [7], "max_seq_len": 4}
    assert_as_magenta(get_config("hier-mel_16bar"), levels=(2, 2, 1), lengths=(4, 0, 4, 4), **sizes)


def test_tokens_of_segments_give_the_same_results_as_one_hot_vectors(measure: Measure) -> None:
    config = get_config("hier-multiperf_vel_1bar_med")
    as_tokens, one_hot = measure(config, **TRACKS, **SAMPLING), measure(config, **TRACKS, **SAMPLING, tokens=False)
    np.testing.assert_array_equal(as_tokens.losses, one_hot.losses)
    for variable, gradient in one_hot.gradients.items():
        np.testing.assert_allclose(as_tokens.gradients[variable], gradient, rtol=1e-5, atol=1e-6)


# whole windows only: Magenta's decoder for several streams raises an error for shorter ones
TRIO = {"levels": (2, 4), "max_seq_len": 8, "lengths": (8, 8, 8, 8), **TEACHER_FORCED}


def test_three_streams(assert_as_magenta: Check) -> None:
    assert_as_magenta(get_config("hierdec-trio_16bar"), **TRIO)


def test_blanked_inputs(tiny: Make, measure: Measure, assert_as_magenta: Check) -> None:
    """Token 0 is Magenta's zero row: with scheduled sampling in a hierarchy, and for several streams."""
    for config, arguments in ((tiny(OURS["hierdec-drum_4bar"]), {}), (get_config("hierdec-trio_16bar"), TRIO)):
        assert_as_magenta(config, blanks=0.6, **arguments)
        assert abs(measure(config, blanks=0.6, **arguments).loss - measure(config, **arguments).loss) > 0.001


MANY = {**TRIO, "lengths": (8,) * 20}  # many steps, so that some predictions are right by chance


def test_metrics_of_three_streams(measure: Measure) -> None:
    config = get_config("hierdec-trio_16bar")
    ours, stock = (measure(config, layers, **MANY, training=False) for layers in (ACCELERATED, STOCK))
    assert "segment/001/metrics/accuracy/output_2" in ours.metrics
    assert_same_metrics(ours, stock)


def test_an_accelerated_encoder_with_magentas_decoder(measure: Measure, assert_as_magenta: Check) -> None:
    config, sizes = get_config("nade-drums_2bar_reduced"), {**TEACHER_FORCED, "max_seq_len": 8, "nade_num_hidden": 4}
    assert_as_magenta(config, **sizes)
    assert "LSTMBlockCell" in measure(config, **sizes).operation_types


def test_metrics_of_segments(tiny: Make, measure: Measure, assert_as_magenta: Check) -> None:
    """With scheduled sampling, Magenta evaluates the model free-running."""
    config = tiny(OURS[HIERARCHICAL], **HALF)
    assert_as_magenta(config, training=False)
    assert "segment/001/metrics/accuracy" in measure(config, training=False).metrics
    assert_same_metrics(measure(config, training=False), measure(config, STOCK, training=False))


def test_metrics_of_melodies_of_different_lengths(measure: Measure) -> None:
    config = get_config("cat-mel_2bar_small")
    arguments = {"lengths": (32, 5, 17, 0), "training": False, **TEACHER_FORCED}
    assert_same_metrics(measure(config, **arguments), measure(config, STOCK, **arguments))


def assert_same_metrics(ours: Any, stock: Any) -> None:
    assert {"metrics/accuracy", "metrics/mean_per_class_accuracy"} <= ours.metrics.keys()
    assert ours.metrics.keys() == stock.metrics.keys()
    for name, value in stock.metrics.items():
        np.testing.assert_allclose(ours.metrics[name], value, rtol=1e-6, err_msg=name)
    assert any(0 < value < 1 for value in ours.metrics.values())


@pytest.mark.parametrize("name", KINDS)
def test_accelerated_graphs_have_no_loops_and_none_of_magentas_cells(name: str, tiny: Make, measure: Measure) -> None:
    config = tiny(OURS[name])
    assert not {"Enter", "While", "StatelessWhile", "LSTMBlockCell"} & measure(config).operation_types
    assert {"Enter", "LSTMBlockCell"} <= measure(config, STOCK).operation_types
