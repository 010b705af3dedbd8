"""Each fault of the installed Magenta is repaired, and is still there without the repair."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.registry import get_config
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records

pytestmark = pytest.mark.tensorflow

NEEDLESS = "Magenta no longer has this fault: remove the repair from pipeline/gmd_vae/magenta/patches.py"


def unrepaired(module: types.ModuleType) -> Any:
    """The module as it is installed, loaded once more."""
    assert module.__file__
    spec = importlib.util.spec_from_file_location(f"unrepaired.{module.__name__}", module.__file__)
    assert spec
    assert spec.loader
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return again


def in_two(configs: Any) -> list[str]:
    """The objects that more than one of Magenta's own configs holds."""
    holders: dict[int, list[str]] = {}
    for name, config in configs.CONFIG_MAP.items():
        for part in (config.model, config.hparams, config.data_converter):
            holders.setdefault(id(part), []).append(name)
    return [name for names in holders.values() if len(names) > 1 for name in names]


def test_no_two_configs_share_anything(magenta: Any) -> None:
    assert in_two(unrepaired(magenta.configs)), NEEDLESS
    assert in_two(magenta.configs) == []


def test_hyperparameters_stay_as_they_are_when_a_model_is_built_to_be_evaluated(magenta: Any) -> None:
    def after(lstm_utils: Any) -> tuple[str, float, float]:
        hparams = magenta.build_config(get_config("cat-mel_2bar_big")).hparams
        with magenta.tf.Graph().as_default(), magenta.tf.Session() as session:
            magenta.tf.train.get_or_create_global_step()
            probability = session.run(lstm_utils.get_sampling_probability(hparams, False))
        return hparams.sampling_schedule, hparams.sampling_rate, float(probability)

    schedule, rate, probability = after(unrepaired(magenta.lstm_utils))
    assert (schedule, rate) == ("constant", 1.0), NEEDLESS
    assert after(magenta.lstm_utils) == ("inverse_sigmoid", 1000, probability)


def test_tensorflow_still_dies_of_unbatching_what_is_zero_wide() -> None:
    code = "import tensorflow as tf; print([*tf.data.Dataset.from_tensors(tf.zeros([2, 3, 0])).unbatch()])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode < 0, NEEDLESS


def test_magentas_dataset_gives_what_its_converter_makes(magenta: Any, starter_notes: Path) -> None:
    """Without the repair this ends the test run: exit code 139."""
    assert "unbatch" not in magenta.data.get_dataset.__code__.co_names
    path = next(iter(sorted(starter_notes.glob("*.tfrecord"))))
    config = magenta.build_config(get_config("groovae_2bar_humanize"))
    config.hparams.batch_size = 1
    config = config._replace(eval_examples_path=str(path))
    with magenta.tf.Graph().as_default(), magenta.tf.Session() as session:
        batch = magenta.tf.data.make_one_shot_iterator(magenta.data.get_dataset(config)).get_next()
        inputs, outputs, controls, lengths = session.run(batch)
    sequence = NoteSequence.FromString(next(iter(read_records(path))))
    expected = config.data_converter.to_tensors(sequence)
    assert lengths.tolist() == [32]
    assert controls.shape == (1, 32, 0)
    np.testing.assert_array_equal(inputs[0], np.float32(expected.inputs[0]))
    np.testing.assert_array_equal(outputs[0], np.float32(expected.outputs[0]))


@pytest.fixture(scope="module")
def duet() -> NoteSequence:
    """A bar of two instruments with a chord."""
    sequence = NoteSequence(ticks_per_quarter=220)
    sequence.tempos.add(qpm=120)
    sequence.time_signatures.add(numerator=4, denominator=4)
    for instrument, program in enumerate((0, 33)):
        for beat in range(2 + 2 * instrument):
            sequence.notes.add(
                instrument=instrument,
                program=program,
                pitch=48 + beat,
                velocity=80,
                start_time=beat * 0.5,
                end_time=beat * 0.5 + 0.4,
            )
    symbol = sequence.text_annotations.add(text="Am")
    symbol.annotation_type = NoteSequence.TextAnnotation.CHORD_SYMBOL
    sequence.total_time = 2.0
    return sequence


def test_tracks_of_different_lengths_with_chords_are_windows(magenta: Any, duet: NoteSequence) -> None:
    def converted(module: Any) -> Any:
        from note_seq import chords_encoder_decoder

        chords = chords_encoder_decoder.MajorMinorChordOneHotEncoding()
        return module.MultiInstrumentPerformanceConverter(num_velocity_bins=8, chord_encoding=chords).to_tensors(duet)

    with pytest.raises(ValueError, match="inhomogeneous"):  # or else: NEEDLESS
        converted(unrepaired(magenta.data_hierarchical))
    tensors = converted(magenta.data_hierarchical)
    assert len(tensors.inputs) == 1
    (controls,), (lengths,) = tensors.controls, tensors.lengths
    assert controls.shape == (len(tensors.outputs[0]), 25)
    # A minor, after "no chord" and twelve major ones; a track's program comes before its music
    assert controls[: lengths[0]].argmax(axis=1).tolist() == [0] + [22] * (lengths[0] - 1)


@pytest.mark.parametrize("apart", [0.0, 1.0])
def test_magentas_interpolation_between_two_sequences(magenta: Any, apart: float) -> None:
    means = np.array([[2.0, 0.0, 0.0, 0.0], [2.0, 0.0, apart, 0.0]], np.float32)

    def path(module: Any) -> Any:
        model = object.__new__(module.TrainedModel)
        model.encode = lambda sequences, assert_same_length: (None, means, None)
        model.decode = lambda z, length, temperature: (z, length, temperature)
        z, *others = model.interpolate("a", "b", 5, length=64, temperature=0.5)
        assert others == [64, 0.5]
        return z

    with np.errstate(invalid="ignore"):
        before = path(unrepaired(magenta.trained_model))
    after = path(magenta.trained_model)
    if apart:
        np.testing.assert_allclose(after, before, atol=1e-6)
    else:
        assert np.isnan(before).all(), NEEDLESS
        np.testing.assert_array_equal(after, np.repeat(means[:1], 5, axis=0))


def test_another_magenta_is_left_as_it_is() -> None:
    from gmd_vae.magenta.patches import unbatch_without_a_crash

    module = types.ModuleType("another")
    module.get_dataset = lambda config: config  # type: ignore[attr-defined]
    before = module.get_dataset
    unbatch_without_a_crash(module)
    assert module.get_dataset is before
