"""The starter set: grooves that come with gmd-vae, played and laid out like the Groove MIDI Dataset.

``grooves.txt`` holds four-bar grooves. Each becomes one MIDI file in which a player repeats
it ``REPEATS`` times. The first pass is the groove as written; later passes change little things, as
a player does. No change is large enough to turn one groove into another: kicks, toms, rides and all
snares on eighths stay, so that no four bars of one file occur in another file, let alone in another
split.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import importlib.resources
import random
from collections import Counter
from pathlib import Path

import mido

from gmd_vae.common import manifest
from gmd_vae.common.files import whole_folder
from gmd_vae.datasets.starter.notation import (
    ACCENT,
    BARS,
    GHOST,
    NORMAL,
    STEPS_PER_BAR,
    VOICES,
    Groove,
    Hit,
    parse,
)

REPEATS = 3  # passes of a groove in its file
DATASET = "starter"
INFO_COLUMNS = (  # of the Groove MIDI Dataset's info.csv
    "drummer",
    "session",
    "id",
    "style",
    "bpm",
    "beat_type",
    "time_signature",
    "midi_filename",
    "audio_filename",
    "duration",
    "split",
)

TICKS_PER_QUARTER = 480
TICKS_PER_STEP = TICKS_PER_QUARTER // 4
NOTE_TICKS = TICKS_PER_STEP // 4  # shorter than any distance between two hits, whatever the timing
DRUM_CHANNEL = 9  # counted from 0

# Velocity of each mark: the middle, and the limits that keep the marks apart.
VELOCITIES = {GHOST: (34, 18, 50), NORMAL: (80, 60, 97), ACCENT: (110, 100, 125)}
VELOCITY_SPREAD = 4.0  # standard deviation
SOFTER = {"hat": 6, "pedal": 12}  # timekeepers stay under the drums
ONE_LIFT, BEAT_LIFT = 6, 3  # louder on the first beat of a bar, on the other beats

TIMING_SPREAD = 0.006  # standard deviation in seconds: a good player with a click
MAX_JITTER = TICKS_PER_STEP // 4 - 1  # ticks; with the most swing a hit is still nearest to its own step

CHANGE = 0.75  # share of bars in later passes that get a change
CRASH_AFTER_FILL = 0.6  # share of later passes that open with a crash, when a fill leads there


@dataclasses.dataclass(frozen=True)
class Stroke:
    """One played note: ``tick`` since the start, MIDI ``pitch`` and ``velocity`` (1 to 127)."""

    tick: int
    pitch: int
    velocity: int


@dataclasses.dataclass(frozen=True)
class StarterSummary:
    """What ``write_starter`` wrote.

    Attributes:
        output_dir: the folder, with ``info.csv``, ``manifest.json`` and the MIDI files.
        files: number of MIDI files, one a groove.
        bars: bars of music in all files together.
        duration: seconds of music in all files together.
        styles: number of files by primary style.
        splits: number of files by split.
    """

    output_dir: Path
    files: int
    bars: int
    duration: float
    styles: dict[str, int]
    splits: dict[str, int]


def load_grooves() -> list[Groove]:
    """The built-in grooves, in the order of the text."""
    return parse(importlib.resources.files(__package__).joinpath("grooves.txt").read_text(encoding="utf-8"))


def write_starter(output_dir: Path, seed: int = 0) -> StarterSummary:
    """Writes the starter set as MIDI files with an ``info.csv`` like the Groove MIDI Dataset's.

    The folder appears whole or not at all, and takes the place of an earlier starter set. The same
    seed gives the same bytes.

    Args:
        output_dir: where to write; refused when it holds anything but an earlier starter set.
        seed: of velocities, timing and the changes in later passes. The first passes are the same
            grooves on the grid whatever the seed, and so are the splits.

    Raises:
        GmdVaeError: ``output_dir`` holds something else.
    """
    manifest.check_replaceable(output_dir, "fetch", dataset=DATASET)
    grooves = load_grooves()
    rows = []
    content_hash = hashlib.sha256()
    with whole_folder(output_dir) as folder:
        session = folder / "drummer1" / "session1"
        session.mkdir(parents=True)
        for number, groove in enumerate(grooves, start=1):
            name = f"{number}_{groove.style.replace('/', '-')}_{groove.bpm}_{groove.beat_type}_4-4.mid"
            midi = to_midi(groove, perform(groove, seed))
            midi.save(session / name)
            content_hash.update((session / name).read_bytes())
            rows.append(_info_row(number, name, groove))
        info = folder / "info.csv"
        with info.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, INFO_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        summary = StarterSummary(
            output_dir=output_dir,
            files=len(grooves),
            bars=len(grooves) * BARS * REPEATS,
            duration=sum(_duration(groove) for groove in grooves),
            styles=dict(sorted(Counter(groove.style.split("/")[0] for groove in grooves).items())),
            splits=dict(Counter(groove.split for groove in grooves)),
        )
        content = {
            "dataset": DATASET,
            "seed": seed,
            "versions": manifest.versions("mido"),
            "files": summary.files,
            "bars": summary.bars,
            "duration": round(summary.duration, 6),
            "styles": summary.styles,
            "splits": summary.splits,
            "info": manifest.describe_file(info, rows=len(rows)),
            "midi_sha256": content_hash.hexdigest(),  # of all MIDI files, one after the other as in info.csv
        }
        manifest.write(folder, "fetch", content)
    return summary


def arrange(groove: Groove, rng: random.Random) -> list[Hit]:
    """The groove ``REPEATS`` times, on the grid: steps 0 to ``REPEATS * 64 - 1``.

    The first pass is as written. In later passes most bars get one small change (see ``_change``),
    and where a fill leads back to the start, the pass may begin with a crash.
    """
    length = BARS * STEPS_PER_BAR
    written = {(hit.step, hit.voice): hit.mark for hit in groove.hits}
    ghosts = any(hit.voice == "snare" and hit.mark == GHOST for hit in groove.hits)
    hits = list(groove.hits)
    for start in range(length, REPEATS * length, length):
        played = dict(written)
        if _leads_to_crash(groove) and rng.random() < CRASH_AFTER_FILL:
            for voice in ("hat", "open"):  # the hand that strikes the crash
                played.pop((0, voice), None)
            played[0, "crash"] = ACCENT
        for bar in range(0, length, STEPS_PER_BAR):
            if rng.random() < CHANGE:
                _change(played, bar, ghosts, rng)
        hits += [Hit(start + step, voice, mark) for (step, voice), mark in sorted(played.items())]
    return hits


def perform(groove: Groove, seed: int) -> list[Stroke]:
    """Plays all passes of a groove with human velocities and timing; strokes are in order.

    Depends on the seed and on this groove alone, not on the other grooves or their order.
    """
    # Only random() is used: the one method whose numbers Python promises to keep between versions.
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
    """A MIDI file of one track that ends exactly where the last bar ends."""
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
    for tick, sounds, pitch, velocity in sorted(events):  # at the same tick, notes end before others begin
        kind = "note_on" if sounds else "note_off"
        track.append(mido.Message(kind, channel=DRUM_CHANNEL, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=_steps() * TICKS_PER_STEP - now))
    return mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track])


def _change(played: dict[tuple[int, str], str], bar: int, ghosts: bool, rng: random.Random) -> None:
    """Makes one small change in the bar that begins at step ``bar``, if any suits it.

    A ghost on "e" or "a" is left out, or, in grooves that have ghosts, one is added where no drum
    sounds; a closed hat on "and" is opened; an open one is closed; a hat off the beat is left out.
    Each of them shows on the grid, and none touches what tells grooves apart (the module's docstring).
    """
    steps = range(bar, bar + STEPS_PER_BAR)
    drums = ("kick", "snare", "stick", "low", "mid", "high")
    ways: list[tuple[str, list[int]]] = [
        ("omit ghost", [step for step in steps if step % 2 and played.get((step, "snare")) == GHOST]),
        (
            "add ghost",
            [s for s in steps if ghosts and s % 2 and not any((s, drum) in played for drum in drums)],
        ),
        ("open hat", [step for step in steps if step % 4 == 2 and (step, "hat") in played]),
        ("close hat", [step for step in steps if (step, "open") in played]),
        ("omit hat", [step for step in steps if step % 4 and (step, "hat") in played]),
    ]
    ways = [(way, places) for way, places in ways if places]
    if not ways:
        return
    way, places = ways[int(rng.random() * len(ways))]
    step = places[int(rng.random() * len(places))]
    if way == "omit ghost":
        del played[step, "snare"]
    elif way == "add ghost":
        played[step, "snare"] = GHOST
    elif way == "omit hat":
        del played[step, "hat"]
    else:
        closed, opened = (step, "hat"), (step, "open")
        before, after = (closed, opened) if way == "open hat" else (opened, closed)
        played[after] = played.pop(before)


def _leads_to_crash(groove: Groove) -> bool:
    """Whether the groove ends with a fill (toms or a run of snares) and a hand is free on the first beat."""
    late = [hit for hit in groove.hits if hit.step >= BARS * STEPS_PER_BAR - 8 and hit.mark != GHOST]
    fill = any(hit.voice in ("low", "mid", "high") for hit in late) or sum(hit.voice == "snare" for hit in late) > 2
    busy = [hit for hit in groove.hits if hit.step == 0 and hit.voice not in ("kick", "pedal", "hat", "open", "crash")]
    return fill and len(busy) < 2


def _bell(rng: random.Random) -> float:
    """A number from a bell curve with mean 0 and deviation 1, between -6 and 6.

    The sum of twelve uniform numbers, less 6: only additions, so every machine gets the same bits.
    """
    total = 0.0
    for _ in range(12):
        total += rng.random()
    return total - 6.0


def _tempo(groove: Groove) -> int:
    """Microseconds per quarter note, as MIDI counts."""
    return round(60_000_000 / groove.bpm)


def _steps() -> int:
    return REPEATS * BARS * STEPS_PER_BAR


def _duration(groove: Groove) -> float:
    """Seconds of a groove's file, all passes."""
    return _steps() / 4 * _tempo(groove) / 1e6


def _info_row(number: int, name: str, groove: Groove) -> dict[str, str]:
    values = (
        "drummer1",
        "drummer1/session1",
        f"drummer1/session1/{number}",
        groove.style,
        str(groove.bpm),
        groove.beat_type,
        "4-4",
        f"drummer1/session1/{name}",
        "",  # there is no sound
        f"{_duration(groove):.6f}",
        groove.split,
    )
    return dict(zip(INFO_COLUMNS, values, strict=True))
