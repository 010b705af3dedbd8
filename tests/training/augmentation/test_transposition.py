"""Transposed windows are those that Magenta cuts from transposed music."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.band import band
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import DRUM_LEVERS
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.midi.tfrecord import create, write_record
from gmd_vae.training.examples import Split
from gmd_vae.windows.extraction import Tensors
from gmd_vae.windows.storage.records import tensor_example

pytestmark = pytest.mark.tensorflow

OCTAVE = 12  # semitones, the largest shift in these tests


def windows_of(config: Config, sequence: Any) -> list[Tensors]:
    windows = family_of(config).extractor(config)(sequence.SerializeToString()).windows
    return list(windows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "bars"),
    [("cat-mel_2bar_med_chords", 2), ("hierdec-trio_16bar", 16), ("hier-multiperf_vel_1bar_med", 1)],
)
def test_shifted_classes_are_those_of_transposed_music(name: str, bars: int, tmp_path: Path) -> None:
    import note_seq
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import Augmentation

    config = get_config(name)
    sequence = band(max(bars, 2), chords="chords" in name)
    window = windows_of(config, sequence)[0]
    family = family_of(config)
    layout = family.extractor(config).layout
    with create(tmp_path / "x.tfrecord") as stream:
        for _ in range(8):
            write_record(stream, tensor_example(layout, window, ["x"]))
    with tf.Graph().as_default(), tf.Session() as session:
        table: Any = family.example_table(config, Split([tmp_path / "x.tfrecord"], 8, layout), frozenset())
        step, rows = tf.placeholder(tf.int64, []), tf.range(8, dtype=tf.int64)
        draws = RecordedDraws(step, 8)
        levers = dict.fromkeys(DRUM_LEVERS, 0.0)
        batch = table.batch(rows, augmentation=Augmentation({**levers, "transpose": OCTAVE}, draws, rows))
        session.run(tf.local_variables_initializer())
        arguments = {key: values for key, values in batch.arguments().items() if values is not None}
        # our layers of a hierarchical encoder need the number of windows while the graph is built
        assert {int(values.shape[0]) for values in arguments.values()} == {8}
        found = [session.run([arguments, draws.drawn], {step: number}) for number in range(4)]
    seen = set()
    for arrays, (uniform,) in found:
        for row, number in enumerate(uniform):
            down, up = room(window.outputs, config)
            shift = int(number * (down + up + 1)) - down
            seen.add(shift)
            moved = note_seq.sequences_lib.transpose_note_sequence(sequence, shift, in_place=False)[0]
            expected = windows_of(config, moved)[0]
            np.testing.assert_array_equal(arrays["input_sequence"][row], expected.inputs)
            np.testing.assert_array_equal(arrays["output_sequence"][row], expected.outputs)
            if config.windows.controls:  # type: ignore[union-attr]
                np.testing.assert_array_equal(arrays["control_sequence"][row], expected.controls)
    assert min(seen) < 0 < max(seen)
    assert len(seen) > 5


def room(outputs: npt.NDArray[Any], config: Config) -> tuple[int, int]:
    """Returns the semitones, at most an octave, by which all notes can be moved down and up."""
    parts, classes = config.magenta_windows.parts, outputs.argmax(axis=1)
    if parts == ("events",):
        pitches = [number for number in classes[: 64 * 2] if 0 < number < 128]  # the melody and the bass
        return min(OCTAVE, min(pitches)), min(OCTAVE, 127 - max(pitches))
    starts = {"melody": 0, "bass": 90}
    pitches = [outputs[:, starts[part] + 2 : starts[part] + 90].any(axis=0).nonzero()[0] for part in parts[:2]]
    return min(OCTAVE, min(p.min() for p in pitches)), min(OCTAVE, 87 - max(p.max() for p in pitches))
