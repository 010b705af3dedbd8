"""A MIDI file as GrooVAE hears it: the hits of each sixteenth, how loud they are, and how early or late. No TensorFlow.

As Magenta's ``GrooveConverter``, but the whole file, with a last window that need not be full, and with changes of
tempo; pitches that are no drum of the nine classes are counted and left out.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.families import family_of
from gmd_vae.families.groove_columns import OFFSETS, TAPPED, VELOCITIES, Groove
from gmd_vae.families.output_spec import output_of
from gmd_vae.generation.inputs.midi_file import InputWindow, name_of, read_sequence
from gmd_vae.midi.note_sequence import NoteSequence

MAX_BARS = 4_000
_BAR = 16  # sixteenths
_CLASS_OF = {pitch: number for number, pitches in enumerate(NINE_CLASSES) for pitch in pitches}

Values = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class GrooveSong:
    """A whole MIDI file for a GrooVAE, from its beginning to its last bar with a hit.

    Attributes:
        file: where it comes from.
        pieces: windows one behind the other; the last one may go on beyond the file's end.
        bars: of the file.
        tempo: quarters a minute, where it begins.
        missing: what music of the file is in no piece, as sentences without a full stop.
    """

    file: Path
    pieces: tuple[InputWindow, ...]
    bars: int
    tempo: float
    missing: tuple[str, ...]


def read_groove(path: Path, config: Config) -> GrooveSong:
    """A MIDI file as the windows of a GrooVAE: its drums, or of a tapped rhythm the loudest note of each step.

    Raises:
        GmdVaeError: the file cannot be read, is too long, is not in 4/4, or has no note that can be used.
    """
    groove, output = family_of(config).groove(config), output_of(config)
    assert groove is not None
    sequence = read_sequence(path)
    for signature in sequence.time_signatures:
        if (signature.numerator, signature.denominator) != (4, 4):
            raise GmdVaeError(
                f"'{name_of(path)}' is in {signature.numerator}/{signature.denominator}, and GrooVAE plays bars of 4/4",
                "Give a file in 4/4.",
            )
    values, missing = _values(path, sequence, groove)
    bars = len(values) // _BAR
    tempo = sequence.tempos[0].qpm if sequence.tempos else 120.0
    windows = -(-bars // output.bars)
    values = np.pad(values, [(0, windows * output.steps - len(values)), (0, 0)])
    parts = np.split(values, windows)
    pieces = [_window(path, groove, part, windows, number, tempo) for number, part in enumerate(parts, start=1)]
    return GrooveSong(path, tuple(pieces), bars, tempo, missing)


def _values(path: Path, sequence: NoteSequence, groove: Groove) -> tuple[Values, tuple[str, ...]]:
    """Hits, velocities and offsets of each sixteenth, ``[steps, 27]``, whole bars; and what is left out."""
    taps = groove.task == "tap"
    steps_at = _steps_of(sequence)
    found: dict[tuple[int, int], tuple[int, float]] = {}
    unknown = others = 0
    for note in sequence.notes:
        drum = TAPPED if taps else _CLASS_OF.get(note.pitch)
        if not note.is_drum and not taps:
            others += 1
            continue
        if drum is None:
            unknown += 1
            continue
        place = steps_at(note.start_time)
        step = math.floor(place + 0.5)
        known = found.get((step, drum))
        if known is None or note.velocity > known[0]:
            found[step, drum] = note.velocity, 2 * (step - place)
    if not found:
        what = "notes" if taps else "drum notes of the nine kinds"
        raise GmdVaeError(f"'{name_of(path)}' has no {what}", "Put the drums on MIDI channel 10." if others else "")
    bars = max(step for step, _ in found) // _BAR + 1
    if bars > MAX_BARS:
        raise GmdVaeError(f"'{name_of(path)}' has {bars:,} bars", f"At most {MAX_BARS:,} bars can be played.")
    values = np.zeros((bars * _BAR, 3 * VELOCITIES), np.float32)
    for (step, drum), (velocity, offset) in found.items():
        values[step, [drum, VELOCITIES + drum, OFFSETS + drum]] = 1.0, velocity / 127, offset
    return values, (f"drum notes that are no known drum: {unknown:,}",) if unknown else ()


def _steps_of(sequence: NoteSequence) -> Callable[[float], float]:
    """From seconds to sixteenths since the beginning, through all changes of tempo."""
    tempos = sorted((tempo.time, tempo.qpm) for tempo in sequence.tempos if tempo.qpm > 0) or [(0.0, 120.0)]
    times, rates = [0.0, *(time for time, _ in tempos[1:])], [qpm * 4 / 60 for _, qpm in tempos]
    before: list[float] = [0.0]
    for begin, end, rate in zip(times, times[1:], rates, strict=False):
        before.append(before[-1] + (end - begin) * rate)

    def steps(seconds: float) -> float:
        part = max(bisect.bisect_right(times, seconds) - 1, 0)
        return before[part] + float((seconds - times[part]) * rates[part])

    return steps


def _window(path: Path, groove: Groove, values: Values, found: int, number: int, tempo: float) -> InputWindow:
    """One window: what the encoder hears, what steers the decoder, and which hits are kept."""
    inputs, hits = values.copy(), values[:, :VELOCITIES]
    kept = np.full_like(hits, np.nan)
    if groove.task in ("humanize", "tap"):
        inputs[:, VELOCITIES:OFFSETS] = 0
    if groove.task == "humanize":
        inputs[:, OFFSETS:] = 0
    if groove.task == "add":
        inputs.reshape(len(inputs), 3, VELOCITIES)[:, :, groove.added] = 0
        kept[:] = hits
        kept[:, groove.added] = np.nan
    if groove.humanizes or not hits.any():  # where nobody plays, nothing is added
        kept[:] = hits
    controls = hits if groove.task == "follow" else np.zeros((len(values), 0), np.float32)
    return InputWindow(
        path,
        inputs,
        len(inputs),
        found,
        number,
        tempo=tempo,
        controls=controls,
        outputs=None if groove.task == "tap" else values,  # nobody knows the drums that a tapped rhythm means
        kept=kept,
        is_silent=not hits.any(),
    )


def humanizer_window(labels: npt.NDArray[np.int64], groove: Groove) -> InputWindow:
    """The window of a pattern that has nothing but hits: labels ``[steps]`` of the nine classes."""
    values = np.zeros((len(labels), 3 * VELOCITIES), np.float32)
    values[:, :VELOCITIES] = (labels[:, None] >> np.arange(VELOCITIES)) & 1
    return _window(Path(), groove, values, 1, 1, 120.0)
