"""Two training steps of every system, with every lever that fits its music, by our layers in fp32."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from fixtures.band import band
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import as_typed, resolve
from gmd_vae.configuration.own_hparams import FULL_VELOCITY, INPUT_LEVERS, LEVERS
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.families import family_of
from gmd_vae.midi.tfrecord import create, write_record
from gmd_vae.training.examples import Split
from gmd_vae.training.run.folder import Run
from gmd_vae.windows.storage.records import example_record, pack_windows, unpack_features

pytestmark = pytest.mark.tensorflow

ROWS = 4
TINY = {"enc_rnn_size": [8], "dec_rnn_size": [8], "z_size": 4, "batch_size": ROWS, "free_bits": 3.0}
ON = {
    "average_decay": 0.9,
    "warm_up_steps": 2,
    "learning_rate_schedule": "cooldown",
    "beta_warm_up_steps": 4,
    "free_bits_until": 5,
    "best_by": "objective",
    "mix_windows": 0.5,
    "mix_bars": 0.4,
    "replace_bars": 0.3,
    "drop_voices": 0.3,
    "swap_voices": 0.2,
    "transpose": 5,
    "blank_inputs": 0.3,
    "widen_velocities": 0.5,
    "raise_full_velocities": 0.2,
    "widen_timing": 0.5,
    "full_velocity_from": 0.9,
    "prior_components": 2,
}
# One config of each system; of those with hierarchical and flat decoders the one that is built faster
SYSTEMS = (
    "hierdec-drum_2bar_small",
    "nade-drums_2bar_reduced_small",
    "cat-mel_2bar_laptop",
    "cat-mel_2bar_small_chords",
    "flat-trio_16bar_small",
    "hier-multiperf_vel_1bar_small",
    "hier-multiperf_vel_1bar_small_chords",
    "groovae_4bar_small",
    "groovae_2bar_humanize_small",
    "groovae_2bar_humanize_hits_small",
    "groovae_2bar_tap_fixed_velocity_small",
    "groovae_2bar_tap_fixed_velocity_note_dropout",
    "groovae_2bar_add_closed_hh_small",
    "groovae_2bar_hits_control_small",
)


def split_of(config: Config, folder: Path) -> Split:
    """Cuts a window of a melody, a bass and drums, and returns examples for one batch."""
    extractor = family_of(config).extractor(config)
    music = band(max(config.windows.bars, 2), chords=family_of(config).output(config).controls == "chords")
    packed = pack_windows(extractor.layout, extractor(music.SerializeToString()).windows[:1])
    (features,) = unpack_features(extractor.layout, packed)
    path = folder / "windows.tfrecord"
    with create(path) as stream:
        for _ in range(ROWS):
            write_record(stream, example_record(features, [b"band"]))
    return Split([path], ROWS, extractor.layout)


def test_every_lever_and_every_family_is_tried() -> None:
    assert ON.keys() == LEVERS.keys()
    assert all(value != LEVERS[name].off for name, value in ON.items())
    tried = {get_config(name).family for name in SYSTEMS}
    assert tried == {config.family for config in all_configs().values()}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_trained_with_every_lever_that_fits(name: str, tmp_path: Path) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.models.accelerated.select_layers import select_layers
    from gmd_vae.models.sessions import session_config
    from gmd_vae.training import graph
    from gmd_vae.training.execution import SingleProcess

    config = get_config(name)
    unfit = {lever for lever in (*INPUT_LEVERS, FULL_VELOCITY) if family_of(config).unfit_lever(config, lever)}
    levers = {lever: value for lever, value in ON.items() if lever not in unfit}
    assert "blank_inputs" in levers
    hparams = resolve(config, ",".join(as_typed({**TINY, **levers})))
    run = Run(tmp_path / "run", config, hparams, 1, tmp_path, "", schedule_steps=2)
    session_options = session_config(select_layers(config, hparams, run.layers))
    with tf.Graph().as_default(), tf.Session(config=session_options) as session:
        built = graph.build(run, split_of(config, tmp_path), SingleProcess())
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        for step in (1, 2):
            _, done, figures = session.run([built.train_op, built.step, built.figures])
            assert done == step
            assert {tag for tag, value in figures.items() if not math.isfinite(value)} == set()
            assert figures["global_norm"] > 0
