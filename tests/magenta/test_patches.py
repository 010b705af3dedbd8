"""Expiry tests of the patches: each fault is repaired, and the installed Magenta still has it without the patch."""

from __future__ import annotations

import importlib.util
import inspect
import re
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

EXPIRED = "Magenta no longer has this fault: remove the patch from pipeline/gmd_vae/magenta/patches.py"


def unpatched(module: types.ModuleType) -> Any:
    """Loads another copy of a module, as it is installed."""
    assert module.__file__
    spec = importlib.util.spec_from_file_location(f"unpatched.{module.__name__}", module.__file__)
    assert spec
    assert spec.loader
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return again


def shared_objects(configs: Any) -> list[str]:
    """Returns the names of the configs that share a model, hyperparameters or a converter with another one."""
    holders: dict[int, list[str]] = {}
    for name, config in configs.CONFIG_MAP.items():
        for part in (config.model, config.hparams, config.data_converter):
            holders.setdefault(id(part), []).append(name)
    return [name for names in holders.values() if len(names) > 1 for name in names]


def test_configs_share_no_objects(magenta: Any) -> None:
    assert shared_objects(unpatched(magenta.configs)), EXPIRED
    assert shared_objects(magenta.configs) == []


def test_hyperparameters_are_preserved_in_evaluation(magenta: Any) -> None:
    def after(lstm_utils: Any) -> tuple[str, float, float]:
        hparams = magenta.build_config(get_config("cat-mel_2bar_big")).hparams
        with magenta.tf.Graph().as_default(), magenta.tf.Session() as session:
            magenta.tf.train.get_or_create_global_step()
            probability = session.run(lstm_utils.get_sampling_probability(hparams, False))
        return hparams.sampling_schedule, hparams.sampling_rate, float(probability)

    schedule, rate, probability = after(unpatched(magenta.lstm_utils))
    assert (schedule, rate) == ("constant", 1.0), EXPIRED
    assert after(magenta.lstm_utils) == ("inverse_sigmoid", 1000, probability)


def test_tensorflow_still_crashes_on_unbatch_of_size_0() -> None:
    code = "import tensorflow as tf; print([*tf.data.Dataset.from_tensors(tf.zeros([2, 3, 0])).unbatch()])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode < 0, EXPIRED


def test_magentas_dataset_has_the_tensors_of_its_converter(magenta: Any, starter_notes: Path) -> None:
    """Without the patch this ends the test run with exit code 139."""
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


def test_tracks_of_different_lengths_with_chords_are_converted(magenta: Any, duet: NoteSequence) -> None:
    def converted(module: Any) -> Any:
        from note_seq import chords_encoder_decoder

        chords = chords_encoder_decoder.MajorMinorChordOneHotEncoding()
        return module.MultiInstrumentPerformanceConverter(num_velocity_bins=8, chord_encoding=chords).to_tensors(duet)

    with pytest.raises(ValueError, match="inhomogeneous"):  # if not: EXPIRED
        converted(unpatched(magenta.data_hierarchical))
    tensors = converted(magenta.data_hierarchical)
    assert len(tensors.inputs) == 1
    (controls,), (lengths,) = tensors.controls, tensors.lengths
    assert controls.shape == (len(tensors.outputs[0]), 25)
    # 22 is A minor, after "no chord" and twelve major chords; the first step of a track is its program
    assert controls[: lengths[0]].argmax(axis=1).tolist() == [0] + [22] * (lengths[0] - 1)


@pytest.mark.parametrize("apart", [0.0, 1.0])
def test_interpolation_between_equal_sequences(magenta: Any, apart: float) -> None:
    means = np.array([[2.0, 0.0, 0.0, 0.0], [2.0, 0.0, apart, 0.0]], np.float32)

    def path(module: Any) -> Any:
        model = object.__new__(module.TrainedModel)
        model.encode = lambda sequences, assert_same_length: (None, means, None)
        model.decode = lambda z, length, temperature: (z, length, temperature)
        z, *others = model.interpolate("a", "b", 5, length=64, temperature=0.5)
        assert others == [64, 0.5]
        return z

    with np.errstate(invalid="ignore"):
        before = path(unpatched(magenta.trained_model))
    after = path(magenta.trained_model)
    if apart:
        np.testing.assert_allclose(after, before, atol=1e-6)
    else:
        assert np.isnan(before).all(), EXPIRED
        np.testing.assert_array_equal(after, np.repeat(means[:1], 5, axis=0))


def test_another_version_of_get_dataset_is_not_rewritten() -> None:
    from gmd_vae.magenta.patches import replace_unbatch

    module = types.ModuleType("another")
    module.get_dataset = lambda config: config  # type: ignore[attr-defined]
    before = module.get_dataset
    replace_unbatch(module)
    assert module.get_dataset is before


def test_each_patch_names_its_fault_its_line_and_its_expiry_test() -> None:
    from gmd_vae.magenta import patches

    called = [name for name in patches.repair.__code__.co_names if callable(getattr(patches, name))]
    assert len(called) == 5
    for name in called:
        described = inspect.getdoc(getattr(patches, name)) or ""
        assert re.search(r"^Fault: .+^Magenta: ``\w+\.py``, lines? \d+", described, re.S | re.M), name
        [expiry_test] = re.findall(r"^Expiry test: ``(\w+)``\.$", described, re.M)
        assert expiry_test in globals(), name
