"""Finds the channels of a MIDI file whose notes look like drums although no drum channel holds them."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from gmd_vae.common.printable import quoted
from gmd_vae.midi.midi_io import standard_midi
from gmd_vae.midi.reader.events import NotProven, read_events
from gmd_vae.midi.reader.note_pairs import pair_notes
from gmd_vae.midi.reading import Reading
from gmd_vae.midi.refusals import MidiError

ON_CHANNEL_10 = "Put the drums on MIDI channel 10, or name their channel with --drum-channel."
_KICKS, _SNARES = (35, 36), (37, 38, 39, 40)
_CYMBALS = (22, 26, 42, 44, 46, 49, 51, 52, 53, 55, 57, 59)
_KIT = {22, 26, *range(35, 60)}
_PERCUSSION = {22, 26, *range(35, 82)}
_NAME = re.compile(r"\b(drum|drums|drumkit|kit|perc|percussion|beat|beats)\b", re.IGNORECASE)
_MIN_NOTES = 8
_MAX_PITCHES = 20
_MOST = 0.95
_CHORD = 4  # notes that begin on one tick: more than two hands and a foot play at most times
_TOGETHER = 1 / 16  # quarter notes: a drummer's hands and foot differ by some milliseconds
_PITCHED_PROGRAMS = range(1, 112)  # General MIDI's programs 112 to 119 are percussive; 0 means that none was chosen


def drum_like_channels(data: bytes, reading: Reading) -> list[int]:
    """Returns the channels, from 1 to 16, whose notes look like drums, the one with the most notes first.

    A channel looks like drums where nearly all of its pitches are those of General MIDI's drum kit, with kick, snare
    and cymbals, in short notes without chords of four, several voices and no pitched program; or where its track is
    named as drums and its pitches are General MIDI's percussion.

    Args:
        data: Bytes of a MIDI file.
        reading: Rules for reading. Its own drum channel is not among the answers.
    """
    try:
        events = read_events(standard_midi(data, ""), Reading())
    except (MidiError, NotProven):
        return []
    found: dict[int, int] = {}
    for track in events.tracks:
        if not len(track.ticks):
            continue
        notes = pair_notes(track, events.resolution, Reading(drum_channel=None))
        on, end = notes.on, notes.end
        channels = track.status[on] & 15
        is_named = any(_NAME.search(name) for _, _, name in track.names)
        changes = track.status >> 4 == 0xC
        for channel in np.unique(channels).tolist():
            if bool(reading.is_drum(channel)):
                continue
            member = channels == channel
            programs = track.first[changes & (track.status & 15 == channel)].tolist()
            pitches, ticks = track.first[on[member]].tolist(), track.ticks[on[member]]
            lengths = (end[member] - ticks) / max(1, events.resolution)
            begins = ticks / max(1, events.resolution)
            looks_so = _is_named_percussion(pitches) if is_named else _is_kit(pitches, begins, lengths)
            if looks_so and not any(program in _PITCHED_PROGRAMS for program in programs):
                found[channel + 1] = found.get(channel + 1, 0) + len(pitches)
    return sorted(found, key=lambda channel: (-found[channel], channel))


def _is_named_percussion(pitches: list[int]) -> bool:
    return len(pitches) >= _MIN_NOTES and sum(pitch in _PERCUSSION for pitch in pitches) >= _MOST * len(pitches)


def _is_kit(pitches: list[int], begins: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64]) -> bool:
    """Returns True for the pitches of a drum kit, with their begins and lengths in quarter notes."""
    different = set(pitches)
    if len(pitches) < _MIN_NOTES or len(different) > _MAX_PITCHES:
        return False
    has_kit = all(different & set(group) for group in (_KICKS, _SNARES, _CYMBALS))
    _, on_one_tick = np.unique(begins, return_counts=True)
    _, together = np.unique(np.round(begins / _TOGETHER), return_counts=True)
    return bool(
        has_kit
        and sum(pitch in _KIT for pitch in pitches) >= _MOST * len(pitches)
        and np.median(lengths) <= 0.5
        and (on_one_tick >= _CHORD).mean() < 1 - _MOST
        and (together > 1).any()
    )


def action_without_drums(data: bytes, reading: Reading) -> str:
    """Returns the next action for a file without drums: the option that reads its drums, or where to put them.

    Args:
        data: Bytes of the MIDI file.
        reading: Rules with which it was read.
    """
    channels = drum_like_channels(data, reading)
    return advice_for(channels[0]) if channels else ON_CHANNEL_10


def advice_for(channel: int, file: str = "") -> str:
    """Returns the sentence about notes that look like drums on a channel.

    Args:
        channel: The channel, from 1.
        file: One of several files with such notes, where others have their drums elsewhere; empty: all are alike.
    """
    option = f"{file}={channel}" if file else str(channel)
    what = "reads those of this file so" if file else "reads them so"
    return f"The notes on MIDI channel {channel} look like drums: --drum-channel {quoted(option)} {what}."
