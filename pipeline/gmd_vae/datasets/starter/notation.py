"""Parser of the step notation: drum grooves as text, 16 characters per bar. ``grooves.txt`` explains it."""

from __future__ import annotations

import dataclasses
import re
from typing import NoReturn

from gmd_vae.common.errors import GmdVaeError, nearest
from gmd_vae.datasets.catalogue import SPLITS

BARS = 4  # per groove
STEPS_PER_BAR = 16  # sixteenths in a bar of 4/4
GHOST, NORMAL, ACCENT = "g", "x", "X"
REST, REPEAT_BAR = ".", "%"

# General MIDI pitch of each voice. Magenta merges some voices into one drum class (snare and stick, hat and
# pedal, ride and bell), so no groove plays two voices of one class at once.
VOICES = {
    "kick": 36,
    "snare": 38,
    "stick": 37,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "low": 43,
    "mid": 47,
    "high": 50,
    "crash": 49,
    "ride": 51,
    "bell": 53,
}
BEAT_TYPES = ("beat", "fill")
MAX_SWING = 24  # percent of a step; with the player's jitter (under 25) a hit stays nearest to its step
BPM_RANGE = (40, 300)

_HEADER = re.compile(r"\[(?P<name>[^\]]*)\](?P<facts>.*)")
_NAME = re.compile(r"[a-z0-9][a-z0-9 -]*")
_STYLE = re.compile(r"[a-z]+(/[a-z0-9-]+)?")


@dataclasses.dataclass(frozen=True, order=True)
class Hit:
    """One written note.

    Attributes:
        step: Sixteenths since the start; 0 is the first beat of the first bar.
        voice: A key of ``VOICES``.
        mark: ``GHOST``, ``NORMAL`` or ``ACCENT``.
    """

    step: int
    voice: str
    mark: str


@dataclasses.dataclass(frozen=True)
class Groove:
    """Four written bars of 4/4, with tempo, style and split.

    Attributes:
        name: Unique name.
        style: ``primary`` or ``primary/secondary``, as in the Groove MIDI Dataset.
        bpm: Quarter notes per minute.
        beat_type: ``beat``, or ``fill`` for a break or a solo.
        swing: Delay of off-beat sixteenths in percent of a step; negative is early.
        split: ``train``, ``validation`` or ``test``.
        hits: All notes, by step and then by voice; steps 0 to 63.
    """

    name: str
    style: str
    bpm: int
    beat_type: str
    swing: int
    split: str
    hits: tuple[Hit, ...]


def parse(text: str) -> list[Groove]:
    """Parses grooves in step notation.

    Args:
        text: The notation.

    Returns:
        Grooves in the order of the text.

    Raises:
        GmdVaeError: A line is invalid; the message names it, counted from 1.
    """
    grooves: list[Groove] = []
    header: tuple[int, Groove] | None = None
    hits_of: dict[str, list[Hit]] = {}  # by voice, of the current groove

    def finish() -> None:
        if header is None:
            return
        line, groove = header
        hits = sorted(hit for voice_hits in hits_of.values() for hit in voice_hits)
        if not hits:
            _fail(line, f"'{groove.name}' has no notes")
        grooves.append(dataclasses.replace(groove, hits=tuple(hits)))

    for number, raw in enumerate(text.split("\n"), start=1):
        content = raw.strip()
        if not content or content.startswith("#"):
            continue
        if content.startswith("["):
            finish()
            header, hits_of = (number, _read_header(number, content)), {}
            if any(groove.name == header[1].name for groove in grooves):
                _fail(number, f"there are two grooves '{header[1].name}'")
            continue
        if header is None:
            _fail(number, "a voice comes before the first [name]")
        voice, bars = _read_voice(number, content)
        if voice in hits_of:
            _fail(number, f"'{voice}' has two lines in '{header[1].name}'")
        hits_of[voice] = [
            Hit(index, voice, mark) for index, mark in enumerate("".join(bars * (BARS // len(bars)))) if mark != REST
        ]
    finish()
    if not grooves:
        _fail(1, "there is no groove in this text")
    return grooves


def _read_header(line: int, content: str) -> Groove:
    """Parses ``[name] style=rock bpm=116 type=beat swing=0 split=train``; returns a groove without notes."""
    match = _HEADER.fullmatch(content)
    if not match:
        _fail(line, "the bracket after the groove's name is missing")
    name = match["name"]
    if not _NAME.fullmatch(name):
        _fail(line, f"the name '{name}' may only have lower-case letters, digits, spaces and hyphens")
    facts = {"type": "beat", "swing": "0", "split": "train"}
    given = set()
    for fact in match["facts"].split():
        key, equals, value = fact.partition("=")
        if not equals or key not in (*facts, "style", "bpm") or key in given:
            _fail(line, f"'{fact}' is not one of style=, bpm=, type=, swing=, split=, each at most once")
        given.add(key)
        facts[key] = value
    for key in ("style", "bpm"):
        if key not in facts:
            _fail(line, f"'{name}' has no {key}=")
    if not _STYLE.fullmatch(facts["style"]):
        _fail(line, f"'{facts['style']}' is not a style such as rock or latin/brazilian-bossa")
    for key, choices in (("type", BEAT_TYPES), ("split", SPLITS)):
        if facts[key] not in choices:
            _fail(line, f"{key}={facts[key]} is not one of {', '.join(choices)}")
    return Groove(
        name=name,
        style=facts["style"],
        bpm=_read_number(line, "bpm", facts["bpm"], *BPM_RANGE),
        beat_type=facts["type"],
        swing=_read_number(line, "swing", facts["swing"], -MAX_SWING, MAX_SWING),
        split=facts["split"],
        hits=(),
    )


def _read_number(line: int, key: str, value: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,4}", value) or not lowest <= int(value) <= highest:
        _fail(line, f"{key}={value} is not a whole number from {lowest} to {highest}")
    return int(value)


def _read_voice(line: int, content: str) -> tuple[str, list[str]]:
    """Parses ``kick X... x... | %``; returns the voice and its bars, 16 marks each, with ``%`` replaced."""
    voice, *rest = content.split(maxsplit=1)
    if voice not in VOICES:
        _fail(line, f"there is no voice '{voice}'", nearest(voice, list(VOICES)))
    bars: list[str] = []
    for column, written in enumerate("".join(rest).split("|"), start=1):
        bar = "".join(written.split())
        if bar == REPEAT_BAR:
            if not bars:
                _fail(line, f"'{REPEAT_BAR}' in bar 1 has no bar to repeat")
            bar = bars[-1]
        if len(bar) != STEPS_PER_BAR:
            _fail(line, f"bar {column} of '{voice}' has {len(bar)} steps instead of {STEPS_PER_BAR}")
        unknown = sorted(set(bar) - {REST, GHOST, NORMAL, ACCENT})
        if unknown:
            _fail(line, f"bar {column} of '{voice}' has '{unknown[0]}', which is none of {REST} g x X")
        bars.append(bar)
    if len(bars) not in (1, 2, BARS):
        _fail(line, f"'{voice}' has {len(bars)} bars instead of 1, 2 or {BARS}")
    return voice, bars


def _fail(line: int, problem: str, next_action: str = "") -> NoReturn:
    notation = "The notation is explained at the top of grooves.txt."
    raise GmdVaeError(f"line {line} of the grooves: {problem}", f"{next_action} {notation}".strip())
