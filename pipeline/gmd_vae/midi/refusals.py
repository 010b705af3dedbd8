"""Refusals of MIDI files: the limits, the reasons to count by, and the error.

``midi_io`` and the child process of ``fallback`` refuse with the same reasons.
"""

from __future__ import annotations

from gmd_vae.common.errors import GmdVaeError

MAX_BYTES = 4 << 20  # mido allocates up to 130 bytes for each; GMD's largest file has 156 kB
MAX_TICKS = 100_000_000  # 14 hours at 120 quarter notes per minute and 960 ticks per quarter note
MAX_QUARTERS = 1_000_000  # 138 hours at 120 quarter notes per minute; later stages allocate steps for each
MAX_NOTES = 250_000  # 7 hours at 10 notes per second; later stages take about 20 microseconds and 1 kB for each
MAX_CHANGES = 50_000  # of tempo, time signature and key signature: one on each 16th of 100 minutes
MAX_CONTROLS = 2_000_000  # control changes and pitch bends; instruments of a channel share the early ones
MAX_TRACKS = 10_000  # a hundred times those of an orchestra; reading takes time for each, even if it is empty

EMPTY = "empty file"
TOO_LARGE = "too large"
NOT_MIDI = "not MIDI"
CUT_SHORT = "cut short"
DAMAGED = "damaged"
NO_EVENTS = "track without events"
TOO_LONG = "impossibly long"
TOO_MANY = "too many events"
BAD_TIME_SIGNATURE = "invalid time signature"
BAD_KEY_SIGNATURE = "invalid key signature"
BAD_TEMPO = "invalid tempo"
TOO_SLOW = "takes too long to read"
TOO_MUCH_MEMORY = "needs too much memory"
UNREADABLE = "cannot be opened"
SMPTE = "SMPTE time division"
PATTERNS = "separate patterns (format 2)"

_EXPORT_AGAIN = "Export it again from the program that made it."
_WITHOUT_STOCK = "Leave out --stock: only that event is then lost."
ACTIONS = {  # by reason: the user's next action
    EMPTY: _EXPORT_AGAIN,
    TOO_LARGE: "Cut it into shorter files, and leave out system exclusive data.",
    NOT_MIDI: "Export it as a Standard MIDI File (.mid) from the program that made it.",
    CUT_SHORT: "Copy or download it again.",
    DAMAGED: "Open it in a sequencer and export it again.",
    NO_EVENTS: _EXPORT_AGAIN,
    TOO_LONG: "Cut it to the music: an event lies far behind the last note.",
    TOO_MANY: "Cut it into shorter files.",
    BAD_TIME_SIGNATURE: _WITHOUT_STOCK,
    BAD_KEY_SIGNATURE: _WITHOUT_STOCK,
    BAD_TEMPO: _WITHOUT_STOCK,
    TOO_SLOW: "Leave out --stock, or cut it into shorter files.",
    TOO_MUCH_MEMORY: "Leave out --stock, or cut it into shorter files.",
    UNREADABLE: "Check its permissions.",
    SMPTE: "It counts frames, not beats: export it with ticks per quarter note (PPQ), for example 480.",
    PATTERNS: "Save each pattern as a file of its own, or as format 1.",
}
REASONS = tuple(ACTIONS)


class MidiError(GmdVaeError):
    """A file that cannot be read as MIDI.

    Args:
        reason: One of ``REASONS``, to count by.
        filename: Name of the file for the user.
        detail: Explanation for the user; may be empty.
    """

    def __init__(self, reason: str, filename: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        problem = f"'{filename}' cannot be read as MIDI: {reason}" + (f" ({detail})" if detail else "")
        super().__init__(problem, ACTIONS.get(reason, ""))
        self.args = (reason, filename, detail)  # pickle calls the class with them in another process


def check_count(count: int, limit: int, things: str) -> None:
    """Refuses files with more events than any music. The error names no file.

    Args:
        count: Number of events.
        limit: Maximum number.
        things: Name of the events in the plural, for the error.

    Raises:
        MidiError: There are more; the reason is ``TOO_MANY``.
    """
    if count > limit:
        raise MidiError(TOO_MANY, "", f"more than {limit:,} {things}")


def check_length(last_tick: int, resolution: int, filename: str) -> None:
    """Refuses files that are longer than any music.

    Args:
        last_tick: Tick of the last event.
        resolution: Ticks per quarter note; below 0 for SMPTE time.
        filename: Name of the file for the error.

    Raises:
        MidiError: The file is too long; the reason is ``TOO_LONG``.
    """
    if last_tick > min(MAX_TICKS, MAX_QUARTERS * abs(resolution)):
        raise MidiError(TOO_LONG, filename, f"more than {MAX_TICKS:,} ticks or {MAX_QUARTERS:,} quarter notes")
