"""Velocities and timing of a GrooVAE's target, widened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.groove_windows import WINDOWS, write_windows
from gmd_vae.configuration.own_hparams import OWN_HPARAMS, PLAYING_LEVERS
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of

pytestmark = pytest.mark.tensorflow

CONFIGS = ("groovae_2bar_humanize_hits_small", "groovae_4bar", "groovae_2bar_tap_fixed_velocity_note_dropout")


@pytest.mark.parametrize("name", CONFIGS)
def test_distances_from_the_mean_of_the_window_grow(name: str, starter_notes: Path, tmp_path: Path) -> None:
    """The mean, the hits, the cells without a hit and the encoder's input stay."""
    before = one_batch(name, starter_notes, tmp_path)
    after = one_batch(name, starter_notes, tmp_path, widen_velocities=0.15, widen_timing=0.4)
    np.testing.assert_array_equal(after.pop("input_sequence"), before.pop("input_sequence"))
    old, new = (np.split(part.pop("output_sequence"), 3, axis=-1) for part in (before, after))
    np.testing.assert_array_equal(new[0], old[0])
    for place, part in ((1, 0.15), (2, 0.4)):
        for hits, was, now in zip(old[0] > 0, old[place], new[place], strict=True):
            np.testing.assert_array_equal(now[~hits], was[~hits])
            mean = was[hits].mean()
            np.testing.assert_allclose(now[hits] - mean, (1 + part) * (was[hits] - mean), atol=1e-5)
        assert np.abs(new[place] - old[place]).max() > 0.01
    for name, values in before.items():  # lengths and conditioning input
        np.testing.assert_array_equal(after[name], values)


def test_full_velocities_are_raised_and_no_others() -> None:
    """A hit of 127 counts as louder; one of 126, and a cell without a hit, stay. Beside a wider window both add up."""
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.wider_playing import widen_playing

    velocities = np.array([127, 126, 64, 127], np.float32) / 127
    cells = np.zeros([1, 4, 3, 9], np.float32)
    cells[0, :, 0, 2], cells[0, :, 1, 2] = (1, 1, 1, 0), velocities
    with tf.Graph().as_default(), tf.Session() as session:
        raised, both = (
            session.run(widen_playing(tf.constant(cells), {**OWN_HPARAMS, "raise_full_velocities": 0.1, **levers}))
            for levers in ({}, {"widen_velocities": 0.5})
        )
    expected = cells.copy()
    expected[0, 0, 1, 2] += 0.1
    np.testing.assert_allclose(raised, expected, atol=1e-6)
    mean = velocities[:3].mean()
    np.testing.assert_allclose(
        both[0, :3, 1, 2], velocities[:3] + 0.5 * (velocities[:3] - mean) + [0.1, 0, 0], atol=1e-6
    )


def test_a_silent_window_stays_silent() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.wider_playing import widen_playing

    with tf.Graph().as_default(), tf.Session() as session:
        wider = widen_playing(tf.zeros([2, 4, 3, 9]), dict.fromkeys(PLAYING_LEVERS, 0.5))
        assert not session.run(wider).any()


def test_changed_drums_are_widened_too(starter_notes: Path, tmp_path: Path) -> None:
    """The levers act on the window that the levers of drums have made."""
    name = CONFIGS[0]
    changed = one_batch(name, starter_notes, tmp_path, mix_windows=1.0)
    wider = one_batch(name, starter_notes, tmp_path, mix_windows=1.0, widen_timing=0.4)
    hits, _, offsets = np.split(changed["output_sequence"], 3, axis=-1)
    _, _, now = np.split(wider["output_sequence"], 3, axis=-1)
    means = (offsets * hits).sum((1, 2), keepdims=True) / hits.sum((1, 2), keepdims=True)
    np.testing.assert_allclose(now, offsets + 0.4 * hits * (offsets - means), atol=1e-5)
    np.testing.assert_array_equal(wider["input_sequence"], changed["input_sequence"])


def one_batch(name: str, notes: Path, folder: Path, **levers: float) -> dict[str, Any]:
    """Returns the tensors of some windows of a config in training."""
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import Augmentation

    config = get_config(name)
    split = write_windows(config, notes, folder / "x.tfrecord")
    with tf.Graph().as_default(), tf.Session() as session:
        table: Any = family_of(config).example_table(config, split, frozenset())
        rows = tf.range(WINDOWS, dtype=tf.int64)
        draws = RecordedDraws(tf.constant(1, tf.int64), WINDOWS)
        batch = table.batch(rows, augmentation=Augmentation({**OWN_HPARAMS, **levers}, draws, rows))
        session.run(tf.local_variables_initializer())
        found: dict[str, Any] = session.run({k: v for k, v in batch.arguments().items() if v is not None})
    return found
