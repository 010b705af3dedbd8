"""Accuracy of drum windows, with values computed by hand."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics import label_accuracy
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction, compare_labels
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

KICK, SNARE, HAT = 1, 2, 4


def compared(truth: Any, predicted: Any, *, classes: int = 3, steps_per_bar: int = 2) -> LabelReconstruction:
    """Compares windows that each come from their own file."""
    true = np.asarray(truth)
    return compare_labels(
        true,
        np.asarray(predicted),
        classes=classes,
        steps_per_bar=steps_per_bar,
        resampler=FileResampler(np.arange(len(true)), resamples=100),
    )


# Two windows of two bars of two steps. True hits: 3 kicks, 3 snares, 4 hats. Of the eight steps, four are right.
TRUTH = [
    [KICK | HAT, HAT, SNARE | HAT, 0],
    [KICK, SNARE, KICK, SNARE | HAT],
]
PREDICTED = [
    [KICK | HAT, 0, SNARE | HAT, 0],  # step 2: the hat is missed, nothing instead
    [SNARE | HAT, SNARE, HAT, SNARE | KICK],  # 1: kick → snare and hat; 3: kick → hat; 4: hat → kick
]


def test_steps_windows_and_bars_by_hand() -> None:
    result = compared(TRUTH, PREDICTED)
    # right: steps 1, 3 and 4 of the first window, step 2 of the second
    assert result.step_accuracy.value == 4 / 8
    assert result.window_accuracy.value == 0
    # of 24 cells (step and class), the 4 missed and the 4 invented hits are wrong
    assert result.cell_accuracy is not None
    assert result.cell_accuracy.value == 16 / 24
    assert [bar.value for bar in result.bars] == [2 / 4, 2 / 4]
    # window 1: 3 of 4 right; window 2: 1 of 4
    assert (result.step_accuracy.low, result.step_accuracy.high) == (1 / 4, 3 / 4)


def test_bars_come_in_order() -> None:
    result = compared([[KICK, SNARE, KICK, SNARE, KICK, SNARE]], [[KICK, SNARE, KICK, HAT, HAT, HAT]])
    assert [bar.value for bar in result.bars] == [2 / 2, 1 / 2, 0 / 2]
    assert result.accuracy_drop.value == -1


def test_voices_by_hand() -> None:
    """tp, fp, fn: kick 1, 1, 2; snare 3, 1, 0; hat 2, 2, 2."""
    result = compared(TRUTH, PREDICTED)
    figures = [(v.precision.value, v.recall.value, v.f1.value, v.hits) for v in result.voices]
    assert figures == [(1 / 2, 1 / 3, 2 / 5, 3), (3 / 4, 1, 6 / 7, 3), (2 / 4, 2 / 4, 4 / 8, 4)]
    assert result.hits_f1.value == 12 / 20  # all together: tp 6, fp 4, fn 4


def test_confusion_by_hand() -> None:
    """Of the three kicks: one found; one shared by snare and hat; one became a hat. Columns: k, s, h, nothing."""
    kick, snare, hat = compared(TRUTH, PREDICTED).confusion
    assert kick == pytest.approx((1 / 3, 0.5 / 3, 1.5 / 3, 0))
    assert snare == (0, 1, 0, 0)
    assert hat == (1 / 4, 0, 2 / 4, 1 / 4)


def test_a_true_hit_does_not_replace_a_missed_one() -> None:
    """A kick and a snare are true, the snare alone is written: the kick is missed, the snare has not replaced it."""
    kick, snare, _ = compared([[KICK | SNARE, 0]], [[SNARE, 0]]).confusion
    assert kick == (0, 0, 0, 1)
    assert snare == (0, 1, 0, 0)


def test_perfect_predictions() -> None:
    result = compared(TRUTH, TRUTH)
    one = Estimate(1, 1, 1)
    assert (result.step_accuracy, result.hits_f1, result.window_accuracy, *result.bars) == (one,) * 5
    assert all(voice.precision == voice.recall == voice.f1 == one for voice in result.voices)
    assert result.confusion == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0))


def test_a_class_without_hits_has_no_figures() -> None:
    """The snare is nowhere; the hat is true but never written; the kick is written but not true."""
    result = compared([[HAT, HAT]], [[KICK, 0]])
    kick, snare, hat = result.voices
    assert kick.precision.value == 0
    assert math.isnan(kick.recall.value)
    assert kick.f1.value == 0
    assert all(math.isnan(figure.value) for figure in (snare.precision, snare.recall, snare.f1))
    assert math.isnan(hat.precision.value)
    assert hat.recall.value == hat.f1.value == 0
    assert all(math.isnan(share) for row in result.confusion[:2] for share in row)
    assert result.confusion[2] == (1 / 2, 0, 0, 1 / 2)


def test_silence_reconstructed_as_silence() -> None:
    """Every step is right; there are no hits to find."""
    result = compared(np.zeros((3, 4), np.uint16), np.zeros((3, 4), np.int64))
    assert result.step_accuracy == result.window_accuracy == Estimate(1, 1, 1)
    assert math.isnan(result.hits_f1.value)


def test_one_file_has_no_interval() -> None:
    truth = np.array(TRUTH)
    result = compare_labels(truth, truth, classes=3, steps_per_bar=4, resampler=FileResampler(np.zeros(2, np.int64)))
    assert result.step_accuracy.value == 1
    assert math.isnan(result.step_accuracy.low)
    assert math.isnan(result.voices[0].f1.high)


def test_intervals_are_over_files() -> None:
    """Five of ten windows are right: ten files give a narrower interval than two."""
    truth, predicted = np.full((10, 4), KICK), np.full((10, 4), KICK)
    predicted[5:] = SNARE
    ends = []
    for files in (np.arange(10), np.arange(10) // 5):
        result = compare_labels(truth, predicted, classes=2, steps_per_bar=4, resampler=FileResampler(files))
        ends.append((result.step_accuracy.low, result.step_accuracy.high))
    assert ends[0][0] > 0.1
    assert ends[0][1] < 0.9
    assert ends[1] == (0, 1)


def test_chunks_give_the_figures_of_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.integers(0, 512, (2, 23, 32))
    whole = compared(truth, predicted, classes=9, steps_per_bar=16)
    monkeypatch.setattr(label_accuracy, "_CHUNK", 5 * 32)
    in_parts = compared(truth, predicted, classes=9, steps_per_bar=16)
    np.testing.assert_allclose(in_parts.confusion, whole.confusion)
    assert dataclasses.replace(in_parts, confusion=()) == dataclasses.replace(whole, confusion=())


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 2\) for windows \(1, 4\)"):
        compared([[0, 0, 0, 0]], [[0, 0]])
    with pytest.raises(ValueError, match="3 steps are no whole number of bars of 2"):
        compared([[0, 0, 0]], [[0, 0, 0]])


labels = arrays(np.int64, (3, 4), elements=st.integers(0, 7))


@settings(max_examples=50)
@given(labels, labels)
def test_bounds_and_symmetry(truth: Labels, predicted: Labels) -> None:
    there, back = compared(truth, predicted), compared(predicted, truth)
    assert there.step_accuracy == back.step_accuracy
    assert there.window_accuracy.value <= there.step_accuracy.value <= 1
    assert np.mean([bar.value for bar in there.bars]) == pytest.approx(there.step_accuracy.value)
    assert there.accuracy_drop.value == pytest.approx(there.bars[-1].value - there.bars[0].value)
    assert there.accuracy_drop.low <= there.accuracy_drop.value <= there.accuracy_drop.high or np.isnan(
        there.accuracy_drop.low
    )
    for one, other, row in zip(there.voices, back.voices, there.confusion, strict=True):
        np.testing.assert_equal(dataclasses.astuple(one.precision), dataclasses.astuple(other.recall))
        np.testing.assert_equal(dataclasses.astuple(one.f1), dataclasses.astuple(other.f1))
        if one.hits:
            assert sum(row) == pytest.approx(1)
            assert min(row) >= 0
    recalls = [voice.recall.value for voice in there.voices]
    np.testing.assert_equal([there.confusion[number][number] for number in range(3)], recalls)
