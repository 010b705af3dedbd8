"""Rhythmic features of drum windows on a grid of steps.

All features take ``hits``, bool ``[n, steps, classes]`` of whole bars, and ``steps_per_bar``. All return one row of
float64 for each window. They raise ``ValueError`` if the steps are not whole bars.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Hits

_NEVER = -100  # below all metrical weights
_STEPS_PER_BEAT = 4  # sixteenth notes of a quarter note, where nothing else is given


def hits_per_bar(hits: Hits, steps_per_bar: int) -> Floats:
    """Counts the hits per bar of all drum classes together, as the mean over a window's bars.

    Returns:
        ``[n]``, from 0 to ``steps_per_bar * classes``.
    """
    return np.asarray(voice_densities(hits, steps_per_bar).sum(axis=1))


def voice_densities(hits: Hits, steps_per_bar: int) -> Floats:
    """Counts the hits per bar of each drum class, as the mean over a window's bars.

    Returns:
        ``[n, classes]``, from 0 to ``steps_per_bar``.
    """
    return np.asarray(_bars(hits, steps_per_bar).sum(axis=2).mean(axis=1), np.float64)


def voice_shares(hits: Hits, steps_per_bar: int) -> Floats:
    """Returns the share of each drum class in a window's hits.

    Returns:
        ``[n, classes]``; each row sums to 1. Rows of silent windows are 0.
    """
    by_voice = voice_densities(hits, steps_per_bar)
    total = by_voice.sum(axis=1, keepdims=True)
    return np.asarray(by_voice / np.where(total > 0, total, 1.0))


def density(hits: Hits, steps_per_bar: int) -> Floats:
    """Counts the hits at each metrical position, all drum classes together, as the mean over a window's bars.

    Returns:
        ``[n, steps_per_bar]``, from 0 to ``classes``.
    """
    return np.asarray(_bars(hits, steps_per_bar).sum(axis=3).mean(axis=1), np.float64)


def groove_consistency(hits: Hits, steps_per_bar: int) -> Floats:
    """Returns the similarity of neighbouring bars: the share of positions where both or neither have a hit.

    This is the "grooving pattern similarity" of Wu & Yang 2020, "The Jazz Transformer on the Front Line" (ISMIR):
    ``1 - XOR / size`` of two bars' grooving patterns. A pattern marks the positions at which any note begins, so
    another drum at the same step makes no difference. The paper takes the mean over all pairs of bars; here it is over
    neighbours, as in MusPy (Dong et al. 2020, ``groove_consistency``).

    Returns:
        ``[n]``, from 0 to 1; 1 for windows of one bar.
    """
    patterns: Hits = np.any(_bars(hits, steps_per_bar), axis=3)
    if patterns.shape[1] == 1:
        return np.ones(len(hits))
    return 1.0 - np.asarray((patterns[:, 1:] ^ patterns[:, :-1]).mean(axis=(1, 2)), np.float64)


def swing(hits: Hits, steps_per_bar: int, steps_per_beat: int = _STEPS_PER_BEAT) -> Floats:
    """Estimates swing from quantised hits, as the share of late off-beats.

    A swung eighth note lies at two thirds to three quarters of the beat; of four sixteenths, it is quantised to the
    last. A straight one lies in the middle. The feature is the share of the late positions in the hits on both. This
    definition is our own. It cannot distinguish swung eighths from straight sixteenths: that needs the timing before
    quantisation.

    Returns:
        ``[n]``, from 0 (straight) to 1 (swung); 0 where the positions are silent, and where a beat has no middle
        step or a bar is not whole beats.
    """
    bars = _bars(hits, steps_per_bar)
    if steps_per_bar % steps_per_beat or steps_per_beat % 2:
        return np.zeros(len(hits))
    beats = steps_per_bar // steps_per_beat
    by_position = bars.sum(axis=(1, 3)).reshape(len(hits), beats, steps_per_beat).sum(axis=1)
    straight = by_position[:, steps_per_beat // 2]
    late = by_position[:, round(2 * steps_per_beat / 3) : 3 * steps_per_beat // 4 + 1].sum(axis=1)
    return np.asarray(late / np.maximum(straight + late, 1), np.float64)


def syncopation(hits: Hits, steps_per_bar: int, steps_per_beat: int = _STEPS_PER_BEAT) -> Floats:
    """Measures syncopation by Longuet-Higgins & Lee, summed over the drum classes, per bar.

    A hit and a rest before the class's next hit are a syncopation if the rest lies on a stronger position than the
    hit. Its strength is the difference of their metrical weights (Longuet-Higgins & Lee 1984, "The Rhythmic
    Interpretation of Monophonic Music", Music Perception 1(4)). Weights in a 4/4 bar of sixteenths: 0 on the first
    beat, -1 on the third, -2 on the second and fourth, -3 on the other eighths, -4 on the other sixteenths. Of the
    rests after one hit the strongest counts.

    The paper measures one melody. Here every drum class is one, and the strengths are added: in a merged pattern, a
    hi-hat on all eighths would hide the rests of the kick. Unlike Witek et al. 2014 this needs no weights of the
    instruments, so it works for any drum classes. A plain rock beat does not score 0: a snare on the second and fourth
    beats scores 1 + 2 in a bar. Rests after the window are not counted.

    Returns:
        ``[n]``, at least 0: the sum of strengths divided by the window's bars.
    """
    bars = _bars(hits, steps_per_bar).shape[1]
    weights = np.tile(metrical_weights(steps_per_bar, steps_per_beat), bars)
    strongest = np.full(hits[:, 0].shape, _NEVER)  # [n, classes]: strongest rest before the next hit
    total = np.zeros(len(hits))
    for step in reversed(range(hits.shape[1])):
        strength = np.maximum(strongest - weights[step], 0)
        total += np.where(hits[:, step], strength, 0).sum(axis=1)
        strongest = np.where(hits[:, step], _NEVER, np.maximum(strongest, weights[step]))
    return total / bars


def metrical_weights(steps_per_bar: int, steps_per_beat: int = _STEPS_PER_BEAT) -> npt.NDArray[np.int64]:
    """Returns the metrical weight of each position: minus the number of divisions of the bar that reach it.

    The beats of a bar, then the steps of a beat are divided by their prime factors, the largest first: 16 steps are
    halved four times; 12 steps are divided into three beats, which are halved twice (3/4 in sixteenths); or into two
    beats of three eighths (6/8), or four beats of three steps (4/4 in triplets).

    Returns:
        int64 ``[steps_per_bar]``.
    """
    weights = np.zeros(steps_per_bar, np.int64)
    whole_beats = steps_per_bar % steps_per_beat == 0
    beat = steps_per_beat if whole_beats else 1
    length = steps_per_bar
    for level, factor in enumerate([*_factors(steps_per_bar // beat), *_factors(beat)], start=1):
        length //= factor
        reached = np.arange(0, steps_per_bar, length)
        weights[reached[1:]] = np.where(weights[reached[1:]] == 0, -level, weights[reached[1:]])
    return weights


def _factors(number: int) -> list[int]:
    """Returns the prime factors of a number, the largest first."""
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors[::-1]


def _bars(hits: Hits, steps_per_bar: int) -> Hits:
    """Splits windows into bars, ``[n, bars, steps_per_bar, classes]``."""
    count, steps, classes = hits.shape
    if steps_per_bar < 1 or not steps or steps % steps_per_bar:
        raise ValueError(f"{steps} steps are not whole bars of {steps_per_bar}")
    return hits.reshape(count, steps // steps_per_bar, steps_per_bar, classes)
