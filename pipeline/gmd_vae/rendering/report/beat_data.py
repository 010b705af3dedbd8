"""Describes a beat for the page: text, and the bars and hits that the page draws (``web/picture.js``) and plays."""

from __future__ import annotations

import collections
import dataclasses
import re
from typing import Any

import numpy as np

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.reader.account import NO_TEMPO
from gmd_vae.rendering.bars import to_seconds
from gmd_vae.rendering.drum_part import VOICES, DrumPart
from gmd_vae.rendering.layout import Layout, lay_out

MAX_BARS = 16
MAX_HITS = 4_000  # 16 bars of 4/4 with every drum on every sixteenth have 2,304
_DIGITS = 3  # of quarter notes
_LAST_SPACE = re.compile(r" (?=\w+$)")  # a number stays in the line of its unit
_TEMPO_EVENT = b"\xff\x51\x03"


@dataclasses.dataclass(frozen=True)
class BeatData:
    """A beat on the page.

    Attributes:
        rows: Number of rows of the grid, four bars each.
        facts: Tempo, meter and length as text.
        description: Accessible text of the grid.
        seconds: Length of the bars on the page, in seconds.
        whole: True if all bars are on the page.
        drawn: Data of ``beats.js``: times of hits and bars, milliseconds and quarter notes.
    """

    rows: int
    facts: str
    description: str
    seconds: float
    whole: bool
    drawn: dict[str, Any]


def describe_beat(part: DrumPart, midi: bytes) -> BeatData:
    """Describes the first 16 bars of a drum part.

    Args:
        part: Drum part.
        midi: The MIDI file that it was read from.

    Raises:
        GmdVaeError: The bars have more than 4,000 hits.
    """
    layout = lay_out(part, max_bars=MAX_BARS, max_rows=MAX_BARS)
    drawn = np.concatenate([row.hits for row in layout.rows])
    if len(drawn) > MAX_HITS:
        raise GmdVaeError(f"{len(drawn):,} hits in {layout.bars} bars: too many to draw")
    is_whole = layout.bars == layout.total_bars
    bars = f"{layout.total_bars:,} bar{'s' * (layout.total_bars != 1)}"
    if not is_whole:
        bars = f"first {layout.bars} of {bars}"
    meter = [part.meter_text] if part.meter_text != "4/4" else []  # the usual meter needs no mention
    facts = [part.tempo_text, *meter, bars, f"{part.hits:,} hit{'s' * (part.hits != 1)}"]
    counts = collections.Counter(part.voices[drawn].tolist())
    played = ", ".join(f"{VOICES[voice]} {counts[voice]}" for voice in sorted(counts))
    data = _drawn(part, layout, drawn.tolist())
    return BeatData(
        rows=len(layout.rows),
        facts=" · ".join(_LAST_SPACE.sub("\N{NO-BREAK SPACE}", fact) for fact in facts),
        description=f"Drum grid. {', '.join(facts)}. {f'Hits: {played}.' if played else 'Silence.'}",
        seconds=data["bars"][-1][0] / 1000,
        whole=is_whole,
        drawn={**data, "tempo": round(part.tempos[0][1], 3), "tempoAt": _tempo_place(part, midi)},
    )


def _drawn(part: DrumPart, layout: Layout, drawn: list[int]) -> dict[str, Any]:
    """Returns the rows, bars and hits of a layout. From one bar line to the next the cursor moves evenly."""
    quarters = [start for row in layout.rows for start in row.bar_lines[:-1]] + [layout.rows[-1].end]
    seconds = to_seconds(part, np.array(quarters))
    times = np.clip(part.times[drawn], 0, seconds[-1])
    rows, first = [], 0
    for row in layout.rows:
        is_shorter = layout.longest - (row.end - row.begin) > 1e-6  # its end is a line, too
        rows.append(
            {
                "begin": round(row.begin, _DIGITS),
                "end": round(row.end, _DIGITS),
                "bars": _rounded(row.bar_lines[1:] if is_shorter else row.bar_lines[1:-1]),
                "beats": _rounded(row.beat_lines),
                "hits": [first, first + len(row.hits)],
            }
        )
        first += len(row.hits)
    return {
        "bars": [[round(1000 * float(second)), quarter] for second, quarter in zip(seconds, quarters, strict=True)],
        "rows": rows,
        "length": round(layout.longest, _DIGITS),
        "hitWidth": round(layout.hit_width, _DIGITS),
        "times": np.rint(1000 * times).astype(int).tolist(),
        "quarters": _rounded(layout.lefts[drawn].tolist()),
        "voices": part.voices[drawn].tolist(),
        "velocities": part.velocities[drawn].tolist(),
    }


def _rounded(quarters: list[float]) -> list[float]:
    return [round(quarter, _DIGITS) for quarter in quarters]


def _tempo_place(part: DrumPart, midi: bytes) -> int | None:
    """Returns the place of the three bytes of the only tempo in a MIDI file; ``None`` where there is not just one."""
    if len(part.tempos) != 1 or NO_TEMPO in part.account.assumed or midi.count(_TEMPO_EVENT) != 1:
        return None
    return midi.index(_TEMPO_EVENT) + len(_TEMPO_EVENT)
