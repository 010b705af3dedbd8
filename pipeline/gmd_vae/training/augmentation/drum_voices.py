"""Augmentation of drum windows by voices and bars: mixing, replaced bars, swapped and dropped voices.

One implementation serves labels, whose voices have a hit at each step, and GrooVAE, whose voices have a hit, a velocity
and an offset: what belongs to a voice moves together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gmd_vae.configuration.drum_kit import pairs_to_swap, toms
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.magenta.api import tf
from gmd_vae.training.augmentation.batch_draws import BatchDraws

# Of a window that is changed, half of the bars stay: the place of a bar in the phrase (a fill at its end) is part of
# the music. A quarter of the voices goes: of nine voices two, of the three or four that sound in a window one.
_SHARE_OF_BARS = 0.5
_SHARE_OF_VOICES = 0.25


def labels_to_cells(labels: Any, voices: int) -> Any:
    """Converts labels ``[batch, steps]`` to hits of the same dtype, 0 or 1, ``[batch, steps, 1, voices]``."""
    shifted = tf.bitwise.right_shift(labels[:, :, None, None], tf.range(voices, dtype=labels.dtype))
    return tf.bitwise.bitwise_and(shifted, tf.constant(1, labels.dtype))


def cells_to_labels(cells: Any) -> Any:
    """Converts the result of `labels_to_cells` back to labels, ``[batch, steps]``."""
    bits = tf.bitwise.left_shift(cells[:, :, 0], tf.range(int(cells.shape[-1]), dtype=cells.dtype))
    return tf.reduce_sum(bits, axis=-1)


def augment_drums(cells: Any, partners: Any, grid: DrumWindows, levers: Mapping[str, Any], draws: BatchDraws) -> Any:
    """Changes the windows of a batch at random. A window that would become silent stays as it was.

    Args:
        cells: Windows, numbers ``[batch, steps, features, voices]`` of static shape. The first feature is the hit: 0 or
            1. The others are 0 without a hit.
        partners: Windows to mix with, one for each, of the same shape; ``None`` if no lever mixes windows.
        grid: Drum classes and bars of the windows.
        levers: Hyperparameters, with those of ``DRUM_LEVERS``.
        draws: Random numbers of the batch.

    Returns:
        Windows, as ``cells``.
    """
    changed = cells
    if levers["mix_windows"]:
        changed = mix_windows(changed, partners, levers["mix_windows"], draws)
    if levers["mix_bars"]:
        changed = mix_bars(changed, partners, grid.bars, levers["mix_bars"], draws)
    if levers["replace_bars"]:
        changed = replace_bars(changed, grid.bars, levers["replace_bars"], draws)
    if levers["swap_voices"]:
        changed = swap_voices(changed, grid.pitch_classes, levers["swap_voices"], draws)
    if levers["drop_voices"]:
        changed = drop_voices(changed, levers["drop_voices"], draws)
    sounds = tf.reduce_any(changed[:, :, 0] > 0, axis=[1, 2])
    return tf.where_v2(sounds[:, None, None, None], changed, cells)


def mix_windows(cells: Any, partners: Any, probability: float, draws: BatchDraws) -> Any:
    """Mixes windows with others: each voice comes from one or the other, with equal probability."""
    voices = int(cells.shape[-1])
    from_partner = draws.happens(probability)[:, None] & draws.happens(0.5, voices)
    return tf.where_v2(from_partner[:, None, None, :], partners, cells)


def mix_bars(cells: Any, partners: Any, bars: int, probability: float, draws: BatchDraws) -> Any:
    """Replaces half of the bars of some windows, each by a bar of another window, all equally likely."""
    return _replace_bars(cells, partners, bars, probability, draws)


def replace_bars(cells: Any, bars: int, probability: float, draws: BatchDraws) -> Any:
    """Replaces half of the bars of some windows, each by a bar of the same window, all equally likely."""
    return _replace_bars(cells, cells, bars, probability, draws)


def _replace_bars(cells: Any, donors: Any, bars: int, probability: float, draws: BatchDraws) -> Any:
    """Replaces half of the bars of some windows by bars of their donors, windows of the same shape."""
    shape = [int(size) for size in cells.shape]
    is_replaced = draws.happens(probability)[:, None] & draws.happens(_SHARE_OF_BARS, bars)
    by_bar, bars_of_donors = (tf.reshape(windows, [shape[0], bars, -1]) for windows in (cells, donors))
    replacements = tf.gather(bars_of_donors, draws.integers(bars, bars), axis=1, batch_dims=1)
    return tf.reshape(tf.where_v2(is_replaced[:, :, None], replacements, by_bar), shape)


def swap_voices(cells: Any, pitch_classes: Sequence[Sequence[int]], probability: float, draws: BatchDraws) -> Any:
    """Swaps voices: closed hi-hat and ride, open hi-hat and crash, and the toms in any order, each with a probability.

    Of other drum classes than the nine, those that hold the pitches of these voices are swapped (``drum_kit``).
    """
    voices = range(len(pitch_classes))
    sources = tf.tile(tf.range(len(voices))[None, :], [draws.size, 1])
    for one, other in pairs_to_swap(pitch_classes):
        swapped = [{one: other, other: one}.get(voice, voice) for voice in voices]
        is_swapped = draws.happens(probability)[:, None]
        sources = tf.where_v2(is_swapped, tf.gather(sources, swapped, axis=1), sources)
    if tom_voices := toms(pitch_classes):
        order = tf.argsort(draws.uniform(len(tom_voices)), axis=1)  # uniform among all permutations
        permuted = tf.gather(tf.gather(sources, tom_voices, axis=1), order, axis=1, batch_dims=1)
        place = [tom_voices.index(voice) if voice in tom_voices else 0 for voice in voices]
        is_tom = tf.constant([voice in tom_voices for voice in voices])
        is_permuted = draws.happens(probability)[:, None] & is_tom[None, :]
        sources = tf.where_v2(is_permuted, tf.gather(permuted, place, axis=1), sources)
    return tf.gather(cells, sources, axis=3, batch_dims=1)


def drop_voices(cells: Any, probability: float, draws: BatchDraws) -> Any:
    """Drops a quarter of the voices of some windows."""
    is_dropped = draws.happens(probability)[:, None] & draws.happens(_SHARE_OF_VOICES, int(cells.shape[-1]))
    return tf.where_v2(is_dropped[:, None, None, :], tf.zeros_like(cells), cells)
