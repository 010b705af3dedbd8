"""Accelerated decoders sample the same tokens as Magenta's decoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, STOCK
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

Make = Callable[..., Config]
Sample = Callable[..., Any]

FLAT, HIERARCHICAL = "flat-drum_4bar_small", "hierdec-drum_4bar-ar_small"
ONCE = [(1.0, 7)]


@pytest.mark.parametrize("name", [FLAT, HIERARCHICAL, "hierdec-drum_4bar_small"])
def test_windows_equal_magentas(name: str, tiny: Make, sample: Sample) -> None:
    config, at = tiny(get_config(name)), [(1e-6, 1), (1e-6, 2), (1.0, 1), (1.0, 2)]
    ours, stock = sample(config, ACCELERATED, at), sample(config, STOCK, at)
    tokens = [found for found, _ in sample(config, ACCELERATED, at, as_tokens=True)]
    for (windows, lengths), (expected, expected_lengths), found in zip(ours, stock, tokens, strict=True):
        np.testing.assert_array_equal(windows, expected)
        np.testing.assert_array_equal(lengths, expected_lengths)
        np.testing.assert_array_equal(found, expected.argmax(axis=-1) + 1)
        assert len(np.unique(found)) > 2
    assert np.array_equal(tokens[0], tokens[1])  # near temperature 0, the most likely class for every seed
    assert not np.array_equal(tokens[2], tokens[3])


def test_two_levels_of_conductors(tiny: Make, sample: Sample) -> None:
    config = tiny(get_config(HIERARCHICAL), levels=(2, 2, 2))
    [(ours, _)], [(stock, _)] = sample(config, ACCELERATED, ONCE), sample(config, STOCK, ONCE)
    np.testing.assert_array_equal(ours, stock)


def test_three_streams(sample: Sample) -> None:
    sizes = {"max_seq_len": 8, "z_size": 5, "enc_rnn_size": [6], "dec_rnn_size": [7, 6]}
    arguments = {"levels": (2, 4), "hparams": sizes}
    trio, at = get_config("hierdec-trio_16bar"), [(1e-6, 1), (1.0, 2)]
    ours, stock = (sample(trio, layers, at, **arguments) for layers in (ACCELERATED, STOCK))
    for (windows, _), (expected, _) in zip(ours, stock, strict=True):
        np.testing.assert_array_equal(windows, expected)
        assert windows.sum(axis=-1).tolist() == [[3.0] * 8] * 4
    assert not np.array_equal(ours[0][0], ours[1][0])


def test_a_class_that_ends_a_window(tiny: Make, sample: Sample) -> None:
    config = tiny(get_config(FLAT))
    [(windows, _)] = sample(config, ACCELERATED, ONCE)
    labels = windows.argmax(axis=-1)
    end = int(labels[0, 3])  # the first window ends here or earlier
    assert any(end not in window for window in labels)  # and another window does not end
    [(ours, our_lengths)] = sample(config, ACCELERATED, ONCE, end_fn=end)
    [(stock, lengths)] = sample(config, STOCK, ONCE, end_fn=end)
    np.testing.assert_array_equal(our_lengths, lengths)
    np.testing.assert_array_equal(ours, stock)
    assert lengths[0] <= 4 < lengths.max() == 8


def test_fewer_steps_after_a_start_input(tiny: Make, sample: Sample) -> None:
    config = tiny(get_config(FLAT))
    arguments = {"max_length": 5, "start_inputs": np.eye(16, dtype=np.float32)[[3, 1, 4, 1]]}
    [(ours, lengths)], [(stock, _)] = (sample(config, layers, ONCE, **arguments) for layers in (ACCELERATED, STOCK))
    assert ours.shape == (4, 5, 16)
    assert lengths.tolist() == [5] * 4
    np.testing.assert_array_equal(ours, stock)
    [(from_nothing, _)] = sample(config, ACCELERATED, ONCE, max_length=5)
    assert not np.array_equal(ours, from_nothing)


@pytest.mark.parametrize("arguments", [{"max_length": 4}, {"max_length": 16}])
def test_a_hierarchical_decoder_samples_whole_windows(arguments: dict[str, Any], tiny: Make, sample: Sample) -> None:
    with pytest.raises(ValueError, match="makes 8 steps from the beginning"):
        sample(tiny(get_config(HIERARCHICAL)), ACCELERATED, ONCE, **arguments)
