"""Rhythmic features of drum windows on a grid of sixteenth notes.

All features take ``hits``, bool ``[n, steps, classes]`` of whole bars, and ``steps_per_bar``. All return one row of
float64 for each window. They raise ``ValueError`` if the steps are not whole bars.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Hits

_NEVER = -100  # below all metrical weights
_STEPS_PER_BEAT = 4  # sixteenth notes of a quarter note


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


def swing(hits: Hits, steps_per_bar: int) -> Floats:
    """Estimates swing from quantised hits, as the share of late off-beats.

    A swung eighth note lies at about two thirds of the beat and is quantised to the last of its four sixteenths; a
    straight one to the third. The feature is the share of the last position in the hits on both. This definition is
    our own. It cannot distinguish swung eighths from straight sixteenths: that needs the timing before quantisation.

    Returns:
        ``[n]``, from 0 (straight) to 1 (swung); 0 where both positions are silent, or where a bar is not whole beats
        of four steps.
    """
    bars = _bars(hits, steps_per_bar)
    if steps_per_bar % _STEPS_PER_BEAT:
        return np.zeros(len(hits))
    beats = steps_per_bar // _STEPS_PER_BEAT
    by_position = bars.sum(axis=(1, 3)).reshape(len(hits), beats, _STEPS_PER_BEAT).sum(axis=1)
    straight, late = by_position[:, 2], by_position[:, 3]
    return np.asarray(late / np.maximum(straight + late, 1), np.float64)


def syncopation(hits: Hits, steps_per_bar: int) -> Floats:
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
    weights = np.tile(metrical_weights(steps_per_bar), bars)
    strongest = np.full(hits[:, 0].shape, _NEVER)  # [n, classes]: strongest rest before the next hit
    total = np.zeros(len(hits))
    for step in reversed(range(hits.shape[1])):
        strength = np.maximum(strongest - weights[step], 0)
        total += np.where(hits[:, step], strength, 0).sum(axis=1)
        strongest = np.where(hits[:, step], _NEVER, np.maximum(strongest, weights[step]))
    return total / bars


def metrical_weights(steps_per_bar: int) -> npt.NDArray[np.int64]:
    """Returns the metrical weight of each position: minus the number of divisions of the bar that reach it.

    A bar is divided by its prime factors, the largest first: 16 steps are halved four times; 12 steps (3/4 in
    sixteenths) are divided into three beats, which are halved twice.

    Returns:
        int64 ``[steps_per_bar]``.
    """
    weights = np.zeros(steps_per_bar, np.int64)
    length, level = steps_per_bar, 0
    while length > 1:
        length //= max(factor for factor in range(2, length + 1) if length % factor == 0 and _is_prime(factor))
        level += 1
        reached = np.arange(0, steps_per_bar, length)
        weights[reached[1:]] = np.where(weights[reached[1:]] == 0, -level, weights[reached[1:]])
    return weights


def _is_prime(number: int) -> bool:
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _bars(hits: Hits, steps_per_bar: int) -> Hits:
    """Splits windows into bars, ``[n, bars, steps_per_bar, classes]``."""
    count, steps, classes = hits.shape
    if steps_per_bar < 1 or not steps or steps % steps_per_bar:
        raise ValueError(f"{steps} steps are not whole bars of {steps_per_bar}")
    return hits.reshape(count, steps // steps_per_bar, steps_per_bar, classes)
