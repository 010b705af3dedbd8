"""Levers of the training input: where they fit, and where they act."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.own_hparams import INPUT_LEVERS, check_levers
from gmd_vae.configuration.registry import get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run

SMALL = get_config("hierdec-drum_4bar_small")


@pytest.mark.parametrize(
    ("name", "levers", "reason"),
    [
        ("cat-mel_2bar_laptop", "drop_voices=0.2", "its music is not drums"),
        ("hierdec-trio_16bar_small", "mix_windows=0.2", "its music is not drums"),
        ("hierdec-drum_4bar_small", "transpose=3", "drums are not transposed"),
        ("groovae_2bar_humanize_small", "transpose=3", "drums are not transposed"),
        ("flat-drum_1bar_small", "replace_bars=0.2", "its windows have one bar"),
        ("flat-drum_1bar_small", "mix_bars=0.2", "its windows have one bar"),
        ("groovae_2bar_tap_fixed_velocity_note_dropout", "mix_windows=0.5", "lack notes of the input at random"),
        ("hierdec-drum_4bar_small", "widen_timing=0.3", "its drums have no velocities and no timing"),
        ("nade-drums_2bar_reduced_small", "widen_velocities=0.3", "its drums have no velocities and no timing"),
        ("cat-mel_2bar_laptop", "widen_velocities=0.3", "its music is not drums"),
        ("groovae_4bar_small", "widen_timing=3", "must be a number from 0 to 2"),
        ("hierdec-drum_4bar_small", "blank_inputs=1.5", "must be a number from 0 to 1"),
        ("cat-mel_2bar_laptop", "transpose=-1", "must be a whole number from 0 to 24"),
    ],
)
def test_a_lever_that_does_not_fit_is_refused_in_one_line(name: str, levers: str, reason: str) -> None:
    with pytest.raises(UsageError, match=f"Hyperparameter {levers.partition('=')[0]}.*{reason}") as caught:
        resolve(get_config(name), levers)
    assert "\n" not in str(caught.value)


def test_voices_that_do_not_exist_cannot_be_swapped() -> None:
    kick_and_snare = SMALL.replace(name="two", windows=dataclasses.replace(DrumWindows(), pitch_classes=((36,), (38,))))
    with pytest.raises(ValueError, match=r"swap_voices=0\.5 does not fit config 'two'"):
        check_levers(kick_and_snare, {**kick_and_snare.hparams, "swap_voices": 0.5})


def test_levers_fit_their_music() -> None:
    drums = "mix_windows=0.5,mix_bars=0.4,replace_bars=0.3,drop_voices=0.3,swap_voices=0.2,blank_inputs=0.4"
    for name in ("hierdec-drum_4bar_small", "nade-drums_2bar_reduced_small", "groovae_4bar_small"):
        assert resolve(get_config(name), drums)["swap_voices"] == 0.2
    for name in ("groovae_2bar_tap_fixed_velocity_note_dropout", "groovae_4bar_small"):
        assert resolve(get_config(name), "widen_velocities=0.1,widen_timing=0.4")["widen_timing"] == 0.4
    for name in ("cat-mel_2bar_small_chords", "hierdec-trio_16bar_small", "hier-multiperf_vel_1bar_small_chords"):
        assert resolve(get_config(name), "transpose=3,blank_inputs=0.4")["transpose"] == 3


@pytest.mark.tensorflow
def test_only_a_training_graph_with_a_lever_draws(
    short_examples: Path, short_model: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training import graph
    from gmd_vae.training.execution import SingleProcess

    class Drew(Exception):
        """Random numbers were drawn."""

    def draws(*arguments: Any) -> None:
        raise Drew

    monkeypatch.setattr(graph, "BatchDraws", draws)
    examples = open_examples(short_examples, short_model)

    def build(one_batch: bool = False, **levers: float) -> None:
        hparams = {**short_model.hparams, **levers}
        run = Run(tmp_path, short_model, hparams, 0, examples.folder, examples.digest)
        with tf.Graph().as_default():
            graph.build(run, examples.train, SingleProcess(), one_batch=one_batch)

    build(**dict.fromkeys(INPUT_LEVERS, 0))
    for name in ("mix_windows", "blank_inputs"):
        with pytest.raises(Drew):
            build(**{name: 0.5})
    build(one_batch=True, mix_windows=0.5, blank_inputs=0.5)  # the smoke test memorises its batch


@pytest.mark.tensorflow
def test_two_processes_train_on_the_rows_of_one(short_examples: Path, short_model: Config) -> None:
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import Augmentation
    from gmd_vae.training.input import LabelTable

    examples = open_examples(short_examples, short_model)
    levers = {"mix_windows": 0.8, "mix_bars": 0.5, "replace_bars": 0.0, "swap_voices": 0.5, "drop_voices": 0.5}
    with tf.Graph().as_default(), tf.Session() as session:
        table, step = LabelTable(examples.train, short_model.drum_windows), tf.placeholder(tf.int64, [])
        rows = tf.range(8, dtype=tf.int64)

        def batch(first_row: int, share: int, **changed: float) -> Any:
            augmentation = Augmentation({**levers, **changed}, RecordedDraws(step, 8, first_row, share), rows)
            return table.batch(rows[first_row : first_row + share], augmentation=augmentation).output_sequence

        graphs = [batch(0, 8), batch(0, 4), batch(4, 4), table.batch(rows).output_sequence]
        session.run(tf.local_variables_initializer())
        whole, first, second, stored = session.run(graphs, {step: 3})
        again = session.run(graphs[0], {step: 3})
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(again, whole)
    assert not np.array_equal(whole, stored)
