"""GrooVAEs whose converter none of Magenta's configs has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.families.groovae import GROOVAE
from gmd_vae.families.groove_columns import DRUMS
from gmd_vae.generation.inputs.groove_reader import groove_window
from gmd_vae.midi.tfrecord import read_records

OWN = "groovae_2bar_humanize_hits_small"
# Attributes of a GrooveConverter that do not come from the config: what a model writes for inference, and the limit
# that build_config removes
OTHER = ("_max_tensors_per_input", "_max_note_dropout_probability", "_note_dropout")


def test_the_decoder_is_given_the_hits_and_the_encoder_nothing_else() -> None:
    config = get_config(OWN)
    values = np.random.default_rng(0).random((32, 3 * DRUMS)).astype(np.float32)
    values[:, :DRUMS] = values[:, :DRUMS] > 0.5
    window = groove_window(values, GROOVAE.groove(config))
    np.testing.assert_array_equal(window.inputs[:, :DRUMS], values[:, :DRUMS])
    assert not window.inputs[:, DRUMS:].any()
    np.testing.assert_array_equal(window.controls, values[:, :DRUMS])
    np.testing.assert_array_equal(window.given_hits, values[:, :DRUMS])
    assert GROOVAE.humanizes(config)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"converter": "groovae_4bar"}, "must have its own name"),
        ({"task": ""}, "need a task"),
        ({"controls": "chords"}, "neither chords nor parts"),
        ({"steps": 64}, "2 bars have 32 steps"),
        ({"task": "add"}, "'added' lists"),
        ({"task": "add", "added": (9,)}, "'added' lists"),
        ({"added": (1,)}, "'added' lists"),
    ],
)
def test_windows_that_cannot_be_built_are_refused(changes: dict[str, Any], said: str) -> None:
    config = get_config(OWN)
    with pytest.raises(ValueError, match=said):
        family_of(config).check(config.replace(windows=dataclasses.replace(config.magenta_windows, **changes)))


def test_a_hierarchy_is_refused_and_other_families_have_no_models_of_their_own() -> None:
    config = get_config(OWN)
    with pytest.raises(ValueError, match="one level"):
        family_of(config).check(config.replace(levels=(2, 16)))
    melody = get_config("cat-mel_2bar_small")
    with pytest.raises(ValueError, match="needs the field 'magenta'"):
        family_of(melody).check(melody.replace(magenta=""))


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "stock", [each for each in MAGENTA_CONFIGS if each.family == "groovae"], ids=lambda stock: stock.name
)
def test_models_built_from_the_fields_are_magentas(stock: Any) -> None:
    """All settings of the converter are those of Magenta's config with the task; the layers are of the same classes."""
    from gmd_vae.magenta.api import configs

    built, theirs = GROOVAE.build(stock), configs.CONFIG_MAP[stock.name]
    ours = {name: value for name, value in vars(built.data_converter).items() if name not in OTHER}
    assert ours == {name: value for name, value in vars(theirs.data_converter).items() if name not in OTHER}
    for part in ("encoder", "decoder"):
        assert type(getattr(built.model, part)) is type(getattr(theirs.model, part))
    assert built.hparams.values() == theirs.hparams.values()


@pytest.mark.tensorflow
def test_its_windows_are_those_of_the_humanizer_with_the_hits_beside(starter_notes: Path) -> None:
    """Magenta's two converters, each with one of the settings, cut the same windows."""
    records = list(read_records(starter_notes / "train.tfrecord"))[:20]
    count = 0
    for record in records:
        own, inputs, controls = (
            family_of(get_config(name)).extractor(get_config(name))(record).windows
            for name in (OWN, "groovae_2bar_humanize", "groovae_2bar_hits_control_tfds")
        )
        assert len(own) == len(inputs) == len(controls)
        count += len(own)
        for window, without, beside in zip(own, inputs, controls, strict=True):
            np.testing.assert_array_equal(window.inputs, without.inputs)
            np.testing.assert_array_equal(window.outputs, without.outputs)
            np.testing.assert_array_equal(window.controls, beside.controls)
            np.testing.assert_array_equal(window.controls, window.outputs[:, :DRUMS] > 0)
    assert count
