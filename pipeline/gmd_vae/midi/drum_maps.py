"""Drum maps: tables from the pitches of a drum kit or a drum program to General MIDI's percussion key map.

A file is a CSV table with two columns, separated by a comma, a semicolon or a tab: the pitch in the file, and the drum
as General MIDI's pitch or name. A header, empty lines and lines that begin with ``#`` are allowed.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError, UsageError, nearest
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import read_regular

MAX_MAP_BYTES = 64 << 10
_SEPARATORS = ",;\t"
_FIELDS = 2
_MAX_PITCH = 127

# General MIDI Level 1 percussion key map (MIDI Manufacturers Association, General MIDI System Level 1, 1991)
GENERAL_MIDI = {
    35: "acoustic bass drum", 36: "bass drum 1", 37: "side stick", 38: "acoustic snare", 39: "hand clap",
    40: "electric snare", 41: "low floor tom", 42: "closed hi-hat", 43: "high floor tom", 44: "pedal hi-hat",
    45: "low tom", 46: "open hi-hat", 47: "low-mid tom", 48: "hi-mid tom", 49: "crash cymbal 1", 50: "high tom",
    51: "ride cymbal 1", 52: "chinese cymbal", 53: "ride bell", 54: "tambourine", 55: "splash cymbal", 56: "cowbell",
    57: "crash cymbal 2", 58: "vibraslap", 59: "ride cymbal 2", 60: "hi bongo", 61: "low bongo", 62: "mute hi conga",
    63: "open hi conga", 64: "low conga", 65: "high timbale", 66: "low timbale", 67: "high agogo", 68: "low agogo",
    69: "cabasa", 70: "maracas", 71: "short whistle", 72: "long whistle", 73: "short guiro", 74: "long guiro",
    75: "claves", 76: "hi wood block", 77: "low wood block", 78: "mute cuica", 79: "open cuica", 80: "mute triangle",
    81: "open triangle",
}  # fmt: skip
_SHORT_NAMES = {
    "kick": 36, "bass drum": 36, "snare": 38, "rimshot": 40, "side stick": 37, "hi-hat": 42, "open hat": 46,
    "closed hat": 42, "pedal hat": 44, "floor tom": 43, "mid tom": 47, "crash": 49, "ride": 51, "china": 52,
    "splash": 55, "clap": 39,
}  # fmt: skip

# Roland TD-11: the table "Drum mapping" of the Groove MIDI Dataset, https://magenta.tensorflow.org/datasets/groove
# (columns Pitch and Paper Mapping); in Magenta, music_vae.data.ROLAND_DRUM_PITCH_CLASSES
_ROLAND_TD = {
    36: 36, 38: 38, 40: 38, 37: 38, 48: 50, 50: 50, 45: 47, 47: 47, 43: 43, 58: 43, 46: 46, 26: 46, 42: 42, 22: 42,
    44: 42, 49: 49, 55: 49, 57: 49, 52: 49, 51: 51, 59: 51, 53: 51,
}  # fmt: skip
READY_MAPS = {"general-midi": {pitch: pitch for pitch in GENERAL_MIDI}, "roland-td": _ROLAND_TD}


def read_drum_map(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Returns the name and the pairs of a drum map.

    Args:
        text: Name of a ready map (``READY_MAPS``), or path of a file.

    Raises:
        UsageError: There is neither.
        GmdVaeError: The file is damaged, or its table has a fault; names the line.
    """
    path = Path(text)
    if text in READY_MAPS:
        return text, tuple(sorted(READY_MAPS[text].items()))
    if not path.exists():
        raise UsageError(
            f"There is no drum map '{printable(text)}', neither a file nor a ready one",
            f"Ready maps: {', '.join(READY_MAPS)}. A file has two columns: pitch, General MIDI pitch or name.",
        )
    try:
        data = read_regular(path, MAX_MAP_BYTES)
    except OSError as error:
        raise GmdVaeError(f"'{printable(text)}' cannot be read ({error.strerror})", "Check the path.") from None
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "map", parse_drum_map(data, text)


def parse_drum_map(data: bytes, source: str) -> tuple[tuple[int, int], ...]:
    """Returns the pairs of a table, by pitch.

    Args:
        data: Content of the file, in UTF-8.
        source: Name of the file, for errors.

    Raises:
        GmdVaeError: The table has a fault, or no line; names the line.
    """
    shown = printable(source)
    action = "Write two columns in each line: a pitch from 0 to 127, and a General MIDI pitch or name (36 or kick)."
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise GmdVaeError(f"'{shown}' is not UTF-8 text", action) from None
    pairs: dict[int, int] = {}
    is_first = True
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        separator = max(_SEPARATORS, key=line.count)
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
            is_header = is_first and not cells[0].isdigit()
            is_first = False
            if is_header:
                continue
            pitch, drum = _pair(cells)
            if pitch in pairs:
                raise ValueError(f"has pitch {pitch} again")
        except (ValueError, csv.Error) as error:
            raise GmdVaeError(f"'{shown}' line {number} {error}", action) from None
        pairs[pitch] = drum
    if not pairs:
        raise GmdVaeError(f"'{shown}' maps no pitch", action)
    return tuple(sorted(pairs.items()))


def _pair(cells: list[str]) -> tuple[int, int]:
    """Returns a line as a pair. Raises ValueError with the fault as the end of a sentence."""
    if len(cells) < _FIELDS or not all(cells[:_FIELDS]):
        raise ValueError("has fewer than two columns")
    pitch, drum = cells[:_FIELDS]
    names = {name: number for number, name in GENERAL_MIDI.items()} | _SHORT_NAMES
    name = " ".join(drum.lower().split())
    number = names.get(name, int(drum) if drum.isascii() and drum.isdigit() else None)
    if not (pitch.isascii() and pitch.isdigit() and int(pitch) <= _MAX_PITCH):
        raise ValueError(f"has the pitch '{printable(pitch, 40)}', not a number from 0 to 127")
    if number is None:
        raise ValueError(f"has the drum '{printable(drum, 40)}'. {nearest(name, sorted(names)).rstrip('.')}")
    if number > _MAX_PITCH:
        raise ValueError(f"has the drum {printable(drum, 40)}, not a pitch from 0 to 127")
    return int(pitch), number
