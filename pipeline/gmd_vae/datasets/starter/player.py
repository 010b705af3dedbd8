"""Plays written grooves: passes with variations, human velocities and timing, and MIDI files.

A player repeats a groove ``REPEATS`` times. The first pass is the groove as written; later passes change
little things. No change turns one groove into another: kicks, toms, rides and all snares on eighths stay,
so no four bars of one file occur in another file, let alone in another split.
"""

from __future__ import annotations

import dataclasses
import random

import mido

from gmd_vae.datasets.starter.notation import ACCENT, BARS, GHOST, NORMAL, STEPS_PER_BAR, VOICES, Groove, Hit

REPEATS = 3  # passes of a groove in its file

TICKS_PER_QUARTER = 480
TICKS_PER_STEP = TICKS_PER_QUARTER // 4
NOTE_TICKS = TICKS_PER_STEP // 4  # shorter than the smallest distance between two hits
DRUM_CHANNEL = 9  # counted from 0

# Velocity of each mark: mean, minimum and maximum; the ranges do not overlap.
VELOCITIES = {GHOST: (34, 18, 50), NORMAL: (80, 60, 97), ACCENT: (110, 100, 125)}
VELOCITY_SPREAD = 4.0  # standard deviation
SOFTER = {"hat": 6, "pedal": 12}  # velocity subtracted: timekeepers are softer than the drums
ONE_LIFT, BEAT_LIFT = 6, 3  # velocity added on the first beat of a bar, on the other beats

TIMING_SPREAD = 0.006  # standard deviation in seconds, as of a good player with a click
MAX_JITTER = TICKS_PER_STEP // 4 - 1  # ticks; even with maximum swing a hit is nearest to its own step

CHANGE = 0.75  # probability of a change, for each bar of later passes
CRASH_AFTER_FILL = 0.6  # probability that a pass after a fill opens with a crash


@dataclasses.dataclass(frozen=True)
class Stroke:
    """One played note.

    Attributes:
        tick: Ticks since the start.
        pitch: MIDI pitch.
        velocity: MIDI velocity, 1 to 127.
    """

    tick: int
    pitch: int
    velocity: int


def arrange(groove: Groove, rng: random.Random) -> list[Hit]:
    """Returns the hits of all passes on the grid: steps 0 to ``REPEATS * 64 - 1``.

    The first pass is as written. In later passes most bars get one change (``_change``), and a pass
    after a fill may begin with a crash.

    Args:
        groove: The written groove.
        rng: Source of the variations.
    """
    length = BARS * STEPS_PER_BAR
    written = {(hit.step, hit.voice): hit.mark for hit in groove.hits}
    ghosts = any(hit.voice == "snare" and hit.mark == GHOST for hit in groove.hits)
    hits = list(groove.hits)
    for start in range(length, REPEATS * length, length):
        played = dict(written)
        if _leads_to_crash(groove) and rng.random() < CRASH_AFTER_FILL:
            for voice in ("hat", "open"):  # the same hand strikes the crash
                played.pop((0, voice), None)
            played[0, "crash"] = ACCENT
        for bar in range(0, length, STEPS_PER_BAR):
            if rng.random() < CHANGE:
                _change(played, bar, ghosts, rng)
        hits += [Hit(start + step, voice, mark) for (step, voice), mark in sorted(played.items())]
    return hits


def perform(groove: Groove, seed: int) -> list[Stroke]:
    """Plays all passes of a groove with human velocities and timing.

    The result depends on the seed and this groove alone, not on other grooves or their order.

    Returns:
        Strokes by tick and pitch.
    """
    # Only random(): the one method whose sequence Python keeps between versions.
    rng = random.Random(f"{seed}/{groove.name}")
    tick_seconds = _tempo(groove) / 1e6 / TICKS_PER_QUARTER
    strokes = []
    for hit in arrange(groove, rng):
        middle, lowest, highest = VELOCITIES[hit.mark]
        lift = ONE_LIFT if hit.step % STEPS_PER_BAR == 0 else BEAT_LIFT if hit.step % 4 == 0 else 0
        velocity = round(middle + lift - SOFTER.get(hit.voice, 0) + VELOCITY_SPREAD * _bell(rng))
        jitter = round(TIMING_SPREAD * _bell(rng) / tick_seconds)
        swing = round(TICKS_PER_STEP * groove.swing / 100) if hit.step % 2 else 0
        tick = hit.step * TICKS_PER_STEP + swing + max(-MAX_JITTER, min(MAX_JITTER, jitter))
        strokes.append(Stroke(max(0, tick), VOICES[hit.voice], max(lowest, min(highest, velocity))))
    return sorted(strokes, key=lambda stroke: (stroke.tick, stroke.pitch))


def to_midi(groove: Groove, strokes: list[Stroke]) -> mido.MidiFile:
    """Returns a MIDI file with one track that ends exactly at the end of the last bar."""
    events = [(stroke.tick, True, stroke.pitch, stroke.velocity) for stroke in strokes]
    events += [(stroke.tick + NOTE_TICKS, False, stroke.pitch, 0) for stroke in strokes]
    track = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=groove.name),
            mido.MetaMessage("set_tempo", tempo=_tempo(groove)),
            mido.MetaMessage("time_signature", numerator=4, denominator=4),
        ]
    )
    now = 0
    for tick, sounds, pitch, velocity in sorted(events):  # at the same tick, notes end before others start
        kind = "note_on" if sounds else "note_off"
        track.append(mido.Message(kind, channel=DRUM_CHANNEL, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=_steps() * TICKS_PER_STEP - now))
    return mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track])


def _change(played: dict[tuple[int, str], str], bar: int, ghosts: bool, rng: random.Random) -> None:
    """Makes one random change in a bar, if the bar allows one.

    The changes: omit a ghost on "e" or "a"; add one where no drum sounds (in grooves with ghosts); open
    a closed hat on "and"; close an open hat; omit a hat off the beat. Each changes the grid, and none
    changes the hits that distinguish grooves (see the module's docstring).

    Args:
        played: Mark by step and voice; changed in place.
        bar: First step of the bar.
        ghosts: The groove has ghost notes.
        rng: Source of the choice.
    """
    steps = range(bar, bar + STEPS_PER_BAR)
    drums = ("kick", "snare", "stick", "low", "mid", "high")
    choices: list[tuple[str, list[int]]] = [
        ("omit ghost", [step for step in steps if step % 2 and played.get((step, "snare")) == GHOST]),
        (
            "add ghost",
            [s for s in steps if ghosts and s % 2 and not any((s, drum) in played for drum in drums)],
        ),
        ("open hat", [step for step in steps if step % 4 == 2 and (step, "hat") in played]),
        ("close hat", [step for step in steps if (step, "open") in played]),
        ("omit hat", [step for step in steps if step % 4 and (step, "hat") in played]),
    ]
    choices = [(change, candidates) for change, candidates in choices if candidates]
    if not choices:
        return
    change, candidates = choices[int(rng.random() * len(choices))]
    step = candidates[int(rng.random() * len(candidates))]
    if change == "omit ghost":
        del played[step, "snare"]
    elif change == "add ghost":
        played[step, "snare"] = GHOST
    elif change == "omit hat":
        del played[step, "hat"]
    else:
        closed, opened = (step, "hat"), (step, "open")
        before, after = (closed, opened) if change == "open hat" else (opened, closed)
        played[after] = played.pop(before)


def _leads_to_crash(groove: Groove) -> bool:
    """Returns True if the groove ends in a fill (toms or a run of snares) and a hand is free on the first beat."""
    late = [hit for hit in groove.hits if hit.step >= BARS * STEPS_PER_BAR - 8 and hit.mark != GHOST]
    fill = any(hit.voice in ("low", "mid", "high") for hit in late) or sum(hit.voice == "snare" for hit in late) > 2
    busy = [hit for hit in groove.hits if hit.step == 0 and hit.voice not in ("kick", "pedal", "hat", "open", "crash")]
    return fill and len(busy) < 2


def _bell(rng: random.Random) -> float:
    """Draws from an approximate N(0, 1), between -6 and 6 (Irwin-Hall: the sum of twelve uniforms, less 6).

    It only adds, so every machine gets the same bits.
    """
    total = 0.0
    for _ in range(12):
        total += rng.random()
    return total - 6.0


def _tempo(groove: Groove) -> int:
    """Returns the tempo in microseconds per quarter note, as MIDI stores it."""
    return round(60_000_000 / groove.bpm)


def _steps() -> int:
    """Returns the number of steps of a file, all passes."""
    return REPEATS * BARS * STEPS_PER_BAR


def duration(groove: Groove) -> float:
    """Returns the duration of a groove's file in seconds, all passes."""
    return _steps() / 4 * _tempo(groove) / 1e6
