"""Groups of files with nearly the same music, so that one group lies in one split.

Finds the same performance rendered again: hits a few ticks off, other velocities, another tempo, another drum kit
with drums of the same classes, silence before it. The method is MinHash with locality-sensitive hashing:

1. Shingles (``fingerprint``): each hit is a drum class, or the pitch of another instrument, on a step of a sixteenth
   note. The notes of the eight steps from each onset on make one shingle. Two grids are laid under the music, with the
   borders between their steps where the fewest notes begin, so that a few ticks rarely move a note to another step.
2. MinHash (Broder, "On the resemblance and containment of documents", 1997): 64 minima of hashes of the shingles. The
   share of equal minima estimates the Jaccard similarity of two sets of shingles.
3. Locality-sensitive hashing with bands (Indyk and Motwani, "Approximate nearest neighbors", 1998): files are compared
   only where two neighbouring minima are equal. Files of a similarity of 0.4 or more are in one group, and so are files
   that a chain of such files connects (union-find).

The time is proportional to the number of files; the memory is 256 bytes a file. The groups do not depend on the order
of the files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.note_arrays import read_notes
from gmd_vae.midi.quarter_positions import TempoMap

VERSION = 2  # of the fingerprints, for work that is resumed
_MINIMA = 64  # of each grid
_GRIDS = 2
FINGERPRINT_BYTES = 2 * _GRIDS * _MINIMA
_BAND = 2  # minima that must be equal for a comparison
_NEIGHBOURS = 8  # files that each file of a band is compared with at most
_SIMILAR = 0.4  # Jaccard similarity from which two files are near-duplicates
_STEPS_PER_QUARTER = 4
_SHINGLE_STEPS = 8
_MAX_ONSETS = 4096  # the first of a file: about 20 minutes of music
_PHASES = 60  # positions within a step at which the border of a step may lie
_BORDER_WIDTH = 5  # standard deviation of the smoothing, in phases
_OTHER_BORDER = 12  # least distance of the second grid's border, in phases

# General MIDI's percussion key map: keys of one class sound alike and replace each other between drum kits
_DRUM_CLASSES = (
    (35, 36), (37, 38, 39, 40), (42, 44, 54, 69, 70, 82, 22), (46, 26), (41, 43, 58), (45, 47, 61, 64),
    (48, 50, 60, 62, 63), (49, 52, 55, 57), (51, 53, 56, 59),
)  # fmt: skip
_VOICES = 256  # 128 pitches of drums, 128 of other instruments


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Returns the finaliser of SplitMix64 (Steele, Lea and Flood, 2014) of each value."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _constants(count: int, stream: int) -> npt.NDArray[np.uint64]:
    """Returns odd 64-bit constants, the same ones for ever."""
    numbers = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)
    return _mixed(numbers * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


_VOICE_CODES = _constants(_VOICES, 1)
_STEP_CODES = _constants(_SHINGLE_STEPS, 2)
_FACTORS, _SUMMANDS = _constants(_MINIMA, 3), _constants(_MINIMA, 4)
_DRUM_VOICES = np.arange(128)
for _keys in _DRUM_CLASSES:
    _DRUM_VOICES[list(_keys)] = _keys[0]
_CIRCLE = np.minimum(np.arange(_PHASES), _PHASES - np.arange(_PHASES))
_SMOOTHING = np.fft.rfft(np.exp(-0.5 * (_CIRCLE / _BORDER_WIDTH) ** 2))


def fingerprint(record: bytes) -> bytes:
    """Returns the minima of a NoteSequence for both grids: 256 bytes, or none for music without notes or with an
    impossible tempo.

    Args:
        record: NoteSequence in protobuf wire format, with times in seconds.
    """
    sequence, notes = read_notes(record)
    tempos = TempoMap.of(sequence)
    if tempos is None:
        return b""
    quarters = tempos.to_quarters(notes.start)
    is_usable = np.isfinite(quarters) & (np.abs(quarters) < 2**40) & (notes.pitch >= 0) & (notes.pitch < 128)
    steps = quarters[is_usable] * _STEPS_PER_QUARTER
    if not len(steps):
        return b""
    pitch = notes.pitch[is_usable]
    voices = np.where(notes.is_drum[is_usable], _DRUM_VOICES[pitch], pitch + 128)
    minima = np.concatenate([_minima(_shingles(steps, voices, border)) for border in _borders(steps)])
    return minima.astype("<u2").tobytes()


def _borders(steps: npt.NDArray[np.float64]) -> list[float]:
    """Returns the two phases of a step, from 0 to 1, around which the fewest notes begin."""
    phases = np.floor(np.mod(steps, 1) * _PHASES).astype(np.int64) % _PHASES
    density = np.fft.irfft(np.fft.rfft(np.bincount(phases, minlength=_PHASES)) * _SMOOTHING, _PHASES).round(6)
    first = int(density.argmin())
    density[(first + np.arange(-_OTHER_BORDER, _OTHER_BORDER + 1)) % _PHASES] = np.inf
    return [first / _PHASES, int(density.argmin()) / _PHASES]


def _shingles(steps: npt.NDArray[np.float64], voices: npt.NDArray[np.int64], border: float) -> npt.NDArray[np.uint64]:
    """Returns the hash of the notes in the eight steps from each onset on."""
    whole = np.floor(steps - border).astype(np.int64)
    hits = np.unique((whole - whole.min()) * _VOICES + voices)
    onsets, firsts = np.unique(hits // _VOICES, return_index=True)
    chords = np.add.reduceat(_VOICE_CODES[hits % _VOICES], firsts)[:_MAX_ONSETS]
    onsets = onsets[:_MAX_ONSETS]
    padded = np.concatenate([onsets, np.full(_SHINGLE_STEPS - 1, np.iinfo(np.int64).max)])
    distance = np.lib.stride_tricks.sliding_window_view(padded, _SHINGLE_STEPS) - onsets[:, None]
    padded_chords = np.concatenate([chords, np.zeros(_SHINGLE_STEPS - 1, np.uint64)])
    following = np.lib.stride_tricks.sliding_window_view(padded_chords, _SHINGLE_STEPS)
    is_within = distance < _SHINGLE_STEPS
    codes = _mixed(following * _STEP_CODES[np.where(is_within, distance, 0)])
    return _mixed(np.where(is_within, codes, np.uint64(0)).sum(axis=1, dtype=np.uint64))


def _minima(shingles: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Returns the MinHash values: 16 bits of the least hash for each of 64 hash functions."""
    least = np.full(_MINIMA, np.iinfo(np.uint64).max)
    for begin in range(0, len(shingles), 512):  # bounds the memory
        hashes = shingles[begin : begin + 512, None] * _FACTORS + _SUMMANDS
        least = np.minimum(least, hashes.min(axis=0))
    return _mixed(least) >> np.uint64(48)


def groups_of(fingerprints: Sequence[bytes]) -> list[int]:
    """Returns the number of each file's group: the smallest index of a file in it.

    The groups do not depend on the order if equal fingerprints are in the order of their files' digests.

    Args:
        fingerprints: Fingerprint of each file; files with an empty one are alone.
    """
    first_of: dict[bytes, int] = {}
    parents = np.array([first_of.setdefault(data, index) if data else index for index, data in enumerate(fingerprints)])
    rows = np.frombuffer(b"".join(first_of), "<u2").reshape(-1, _MINIMA)
    owners = np.repeat(np.array(list(first_of.values()), np.int64), _GRIDS)
    for band in range(0, _MINIMA, _BAND):
        # neighbours in this order have equal minima from the band on
        order = np.lexsort([rows[:, (band + place) % _MINIMA] for place in reversed(range(2 * _BAND))])
        keys = rows[order, band : band + _BAND]
        for distance in range(1, min(_NEIGHBOURS + 1, len(order))):
            places = np.flatnonzero((keys[distance:] == keys[:-distance]).all(axis=1))
            left, right = order[places], order[places + distance]
            is_new = parents[owners[left]] != parents[owners[right]]
            _unite(parents, *_similar(rows, left[is_new], right[is_new], owners))
    return parents.tolist()  # type: ignore[no-any-return]


def _unite(parents: npt.NDArray[np.int64], first: list[int], second: list[int]) -> None:
    """Joins the groups of each pair of files; ``parents`` holds the number of each file's group before and after."""
    if not first:
        return

    def root(index: int) -> int:
        while parents[index] != index:
            index = int(parents[index])
        return index

    for one, other in zip(first, second, strict=True):
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    while (parents[parents] != parents).any():
        parents[:] = parents[parents]


def _similar(
    rows: npt.NDArray[np.uint16],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
) -> tuple[list[int], list[int]]:
    """Returns the files of those pairs of rows that are similar."""
    first: list[int] = []
    second: list[int] = []
    for begin in range(0, len(left), 1 << 16):  # bounds the memory
        one, other = left[begin : begin + (1 << 16)], right[begin : begin + (1 << 16)]
        is_similar = (rows[one] == rows[other]).mean(axis=1) >= _SIMILAR
        first += owners[one[is_similar]].tolist()
        second += owners[other[is_similar]].tolist()
    return first, second
