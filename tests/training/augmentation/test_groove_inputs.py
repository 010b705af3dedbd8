"""The input of a GrooVAE is made again from its output, as Magenta's converter made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.groove_windows import WINDOWS, write_windows
from gmd_vae.configuration.own_hparams import INPUT_LEVERS
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of

pytestmark = pytest.mark.tensorflow

NAMES = (
    "groovae_4bar",
    "groovae_2bar_humanize",
    "groovae_2bar_tap_fixed_velocity",
    "groovae_2bar_add_closed_hh",
    "groovae_2bar_hits_control_tfds",
    "groovae_2bar_humanize_hits_small",
)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_controls_follow_the_changed_output(name: str, starter_notes: Path, tmp_path: Path) -> None:
    """The input made from an unchanged output is Magenta's; that of a changed output belongs to the change."""
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import Augmentation

    config = get_config(name)
    split = write_windows(config, starter_notes, tmp_path / "x.tfrecord")
    off: dict[str, float] = dict.fromkeys(INPUT_LEVERS, 0)
    with tf.Graph().as_default(), tf.Session() as session:
        table: Any = family_of(config).example_table(config, split, frozenset())
        rows = tf.range(WINDOWS, dtype=tf.int64)

        def batch(**levers: float) -> dict[str, Any]:
            draws = RecordedDraws(tf.constant(1, tf.int64), WINDOWS)
            augmentation = Augmentation({**off, **levers}, draws, rows) if levers else None
            arguments = table.batch(rows, augmentation=augmentation).arguments()
            return {key: values for key, values in arguments.items() if values is not None}

        graphs = [batch(), batch(mix_windows=1.0), batch(swap_voices=1.0), batch(drop_voices=1e-9)]
        session.run(tf.local_variables_initializer())
        stored, mixed, swapped, same = session.run(graphs)
    assert set(stored) == set(mixed)
    for key, values in stored.items():
        np.testing.assert_array_equal(same[key], values)
    assert not np.array_equal(mixed["output_sequence"], stored["output_sequence"])
    hits, velocities, offsets = np.split(swapped["output_sequence"], 3, axis=-1)
    before = np.split(stored["output_sequence"], 3, axis=-1)
    for values, old in zip((hits, velocities, offsets), before, strict=True):
        np.testing.assert_array_equal(values[..., [0, 1, 8, 7, 3, 2]], old[..., [0, 1, 2, 3, 7, 8]])
    if config.magenta_windows.controls:
        np.testing.assert_array_equal(swapped["control_sequence"], hits)
    if config.magenta_windows.task == "humanize":
        np.testing.assert_array_equal(swapped["input_sequence"], np.concatenate([hits, 0 * hits, 0 * hits], axis=-1))
