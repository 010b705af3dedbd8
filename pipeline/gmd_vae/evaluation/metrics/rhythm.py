"""What a drum pattern is like: features of windows on a grid of sixteenths.

All take ``hits``, bool ``[n, steps, classes]`` of whole bars, and ``steps_per_bar``; all give one row a window,
float64. They raise ``ValueError`` where the steps are not whole bars.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats, Hits

_NEVER = -100  # below every metrical weight
_STEPS_PER_BEAT = 4  # of a grid of sixteenths


def hits_per_bar(hits: Hits, steps_per_bar: int) -> Floats:
    """Drum hits in a bar, all voices together: the mean over the window's bars.

    Returns:
        ``[n]``, from 0 to ``steps_per_bar * classes``.
    """
    return np.asarray(voice_densities(hits, steps_per_bar).sum(axis=1))


def voice_densities(hits: Hits, steps_per_bar: int) -> Floats:
    """Hits of each voice in a bar: the mean over the window's bars.

    Returns:
        ``[n, classes]``, from 0 to ``steps_per_bar``.
    """
    return np.asarray(_bars(hits, steps_per_bar).sum(axis=2).mean(axis=1), np.float64)


def voice_shares(hits: Hits, steps_per_bar: int) -> Floats:
    """The share of the window's hits that each voice has.

    Returns:
        ``[n, classes]``; each row sums to 1. A silent window is all 0.
    """
    by_voice = voice_densities(hits, steps_per_bar)
    total = by_voice.sum(axis=1, keepdims=True)
    return np.asarray(by_voice / np.where(total > 0, total, 1.0))


def density(hits: Hits, steps_per_bar: int) -> Floats:
    """Hits, all voices together, at each position in the bar: the mean over the window's bars.

    Returns:
        ``[n, steps_per_bar]``, from 0 to ``classes``.
    """
    return np.asarray(_bars(hits, steps_per_bar).sum(axis=3).mean(axis=1), np.float64)


def groove_consistency(hits: Hits, steps_per_bar: int) -> Floats:
    """How alike neighbouring bars are: the share of positions where both have a hit or neither has one.

    This is the "grooving pattern similarity" of Wu & Yang 2020, "The Jazz Transformer on the Front Line"
    (ISMIR; the section of that name): ``1 - XOR / size`` of two bars' grooving patterns. A pattern says at
    which positions any note begins, so another drum at the same step is no difference. The paper takes the
    mean over all pairs of bars; here it is over neighbours, as in MusPy (Dong et al. 2020,
    ``groove_consistency``).

    Returns:
        ``[n]``, from 0 to 1. A window of one bar has no neighbours, and counts as 1.
    """
    patterns: Hits = np.any(_bars(hits, steps_per_bar), axis=3)
    if patterns.shape[1] == 1:
        return np.ones(len(hits))
    return 1.0 - np.asarray((patterns[:, 1:] ^ patterns[:, :-1]).mean(axis=(1, 2)), np.float64)


def swing(hits: Hits, steps_per_bar: int) -> Floats:
    """How much of the second half of the beats is played late, as far as a grid of sixteenths can say.

    A swung eighth falls on about two thirds of the beat, and is quantised to the last of its four
    sixteenths; a straight one to the third. The feature is the share of the hits on those two positions
    that lie on the last. It is a definition of ours, and does not tell swung eighths from straight
    sixteenths: for that one needs the timing before quantisation.

    Returns:
        ``[n]``, from 0 (straight) to 1 (swung); 0 also where both positions are silent, and where a bar is
        not whole beats of four steps.
    """
    bars = _bars(hits, steps_per_bar)
    if steps_per_bar % _STEPS_PER_BEAT:
        return np.zeros(len(hits))
    beats = steps_per_bar // _STEPS_PER_BEAT
    by_position = bars.sum(axis=(1, 3)).reshape(len(hits), beats, _STEPS_PER_BEAT).sum(axis=1)
    straight, late = by_position[:, 2], by_position[:, 3]
    return np.asarray(late / np.maximum(straight + late, 1), np.float64)


def syncopation(hits: Hits, steps_per_bar: int) -> Floats:
    """Syncopation by Longuet-Higgins & Lee 1984, summed over the voices, in a bar.

    A hit and a rest that follows it before the voice's next hit are a syncopation if the rest lies on a
    stronger position than the hit; its strength is the difference of their metrical weights
    (Longuet-Higgins & Lee 1984, "The Rhythmic Interpretation of Monophonic Music", Music Perception 1(4)).
    Weights in a 4/4 bar of sixteenths: 0 on the first beat, -1 on the third, -2 on the second and fourth,
    -3 on the other eighths, -4 on the other sixteenths. Of the rests after one hit the strongest counts.

    The paper has one melody; here every voice is one, and their strengths are added, since a hi-hat on all
    eighths would hide what the kick leaves out if the voices were merged. It needs no opinion about which
    drum weighs more, as Witek et al. 2014 does, and so works for any classes. Its zero is not "plain rock":
    a snare on the second and fourth beats scores 1 + 2 in a bar. What follows the window is not known, and is
    not counted.

    Returns:
        ``[n]``, 0 or more: the sum of strengths divided by the window's bars.
    """
    bars = _bars(hits, steps_per_bar).shape[1]
    weights = np.tile(metrical_weights(steps_per_bar), bars)
    strongest = np.full(hits[:, 0].shape, _NEVER)  # [n, classes]: of the rests up to the voice's next hit
    total = np.zeros(len(hits))
    for step in reversed(range(hits.shape[1])):
        strength = np.maximum(strongest - weights[step], 0)
        total += np.where(hits[:, step], strength, 0).sum(axis=1)
        strongest = np.where(hits[:, step], _NEVER, np.maximum(strongest, weights[step]))
    return total / bars


def metrical_weights(steps_per_bar: int) -> npt.NDArray[np.int64]:
    """The weight of each position: 0 for the bar, one less for each time that the bar is divided to reach it.

    A bar is divided by its prime factors, the largest first: 16 steps are halved four times; 12 (3/4 in
    sixteenths) are divided into three beats, and those are halved twice.

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
    """``[n, bars, steps_per_bar, classes]``."""
    count, steps, classes = hits.shape
    if steps_per_bar < 1 or not steps or steps % steps_per_bar:
        raise ValueError(f"{steps} steps are not whole bars of {steps_per_bar}")
    return hits.reshape(count, steps // steps_per_bar, steps_per_bar, classes)
