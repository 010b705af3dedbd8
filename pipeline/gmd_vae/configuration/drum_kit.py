"""Voices of drum classes that drummers play in each other's place, by their General MIDI pitches."""

from __future__ import annotations

from collections.abc import Sequence

from gmd_vae.configuration.window_specs import DrumWindows

_CLOSED_HI_HAT, _RIDE = 42, 51  # both keep the time
_OPEN_HI_HAT, _CRASH = 46, 49  # both accent it
_TOMS = (41, 43, 45, 47, 48, 50)


def pairs_to_swap(pitch_classes: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Returns the numbers of two classes each: closed hi-hat and ride, open hi-hat and crash, where both exist."""
    classes = _class_of_pitch(pitch_classes)
    pairs = ((classes.get(one), classes.get(other)) for one, other in ((_CLOSED_HI_HAT, _RIDE), (_OPEN_HI_HAT, _CRASH)))
    return [(one, other) for one, other in pairs if one is not None and other is not None and one != other]


def toms(pitch_classes: Sequence[Sequence[int]]) -> list[int]:
    """Returns the numbers of the classes of toms; none if they are fewer than two."""
    classes = _class_of_pitch(pitch_classes)
    found = sorted({classes[pitch] for pitch in _TOMS if pitch in classes})
    return found if len(found) > 1 else []


def unfit_drum_lever(name: str, windows: DrumWindows) -> str:
    """Returns the reason why a lever of the training input or of playing cannot be on for drums; empty if it can.

    Args:
        name: One of ``own_hparams.INPUT_LEVERS``, or ``FULL_VELOCITY``.
        windows: Drum classes and bars of the windows.
    """
    if name == "transpose":
        return "drums are not transposed"
    if name in ("mix_bars", "replace_bars") and windows.bars < 2:
        return "its windows have one bar"
    if name == "swap_voices" and not pairs_to_swap(windows.pitch_classes) and not toms(windows.pitch_classes):
        return "it has no two drum classes that are swapped"
    return ""


def _class_of_pitch(pitch_classes: Sequence[Sequence[int]]) -> dict[int, int]:
    """Returns the number of the class of each pitch; of several, the last one, as in Magenta's converters."""
    return {pitch: number for number, pitches in enumerate(pitch_classes) for pitch in pitches}
