"""Windows of MIDI files that the studio opens, in Node: those of ``gmd-vae generate``."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from fixtures.node import RunScript
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.midi_input import read_midi_bytes
from gmd_vae.generation.performance.drum_notes import drum_midi
from gmd_vae.rendering.studio.scripts import ENGINE, MUSIC

WINDOWS = get_config(DEFAULT_CONFIG).drum_windows
READ = """
print(given.files.map((file) => {
  try {
    const music = readMidi(Uint8Array.from(file)), found = windowsOf(music, given.drums);
    const {windows, notes, loopBars, taken, tempo} = found, texts = describeWindows("a.mid", music, found, given.drums);
    const labels = windows.map((levels) => Array.from(labelsOf(levels, 9))), like = drumLikeChannel(music, given.drums);
    return {labels, levels: windows.map((one) => [...one]), notes, loopBars, taken, tempo, texts, like};
  } catch (error) {
    return error.message;
  }
}));
"""


def test_a_midi_file_is_read_into_its_windows(
    given: dict[str, Any], make_midi: Callable[..., bytes], run_script: RunScript
) -> None:
    first, second = given["beats"]
    own = drum_midi([*first, *second, *first], WINDOWS)[0]
    other = make_midi([(0, 36), (480, 99), (960, 36)])
    files = [own, other, b"", own[:-30], b"RIFF" + own, own[:14] + b"MTrk\x00\x00\x00\x02\x00\x05"]
    files += [own[:9] + b"\x02" + own[10:], own[:12] + b"\xe7\x28" + own[14:]]  # format 2; frames of SMPTE
    read = run_script([*ENGINE, *MUSIC], READ, {**given, "files": [list(file) for file in files]})
    whole = [*first, *second, *first]
    bars = range(0, len(whole) - 63, 16)
    assert read[0]["labels"] == [whole[begin : begin + 64] for begin in bars][:-1]  # one at each bar, equal ones once
    assert (read[0]["notes"], read[0]["loopBars"], read[0]["like"]) == ([], 0, -1)
    assert set(itertools.chain(*read[0]["levels"])) == {0, 2}
    assert len(read[1]["labels"]) == 1  # a loop of one bar
    assert read[1]["notes"] == ["1 hit on pitches that are none of the drums"]
    assert read[2] == read[4] == "it is no MIDI file"
    assert isinstance(read[3], str) or read[3]["labels"][0] == first
    assert read[5] == "it has data without an event"
    assert read[6].startswith("it has separate patterns (format 2): save each as a file of its own")
    assert read[7].startswith("its time is not in quarter notes: export it with ticks per quarter note")


def test_a_short_loop_is_repeated_as_generate_repeats_it(
    given: dict[str, Any], make_midi: Callable[..., bytes], run_script: RunScript
) -> None:
    one = [(0, 36), (480, 38), (700, 42), (1440, 38), (1900, 36)]  # the last hit is early for the next bar
    two = [*one[:4], *((1920 + tick, pitch) for tick, pitch in one[:3])]
    in_bar_3 = [(3840 + tick, pitch) for tick, pitch in one]
    files = [make_midi(hits) for hits in (one, two, in_bar_3)]
    read = run_script([*ENGINE, *MUSIC], READ, {**given, "files": [list(file) for file in files]})
    for file, found, bars in zip(files, read, (1, 2, 1), strict=True):
        window = DrumReader(get_config(DEFAULT_CONFIG)).window(read_midi_bytes(file, Path("loop.mid")))
        assert found["labels"] == [window.target.tolist()]
        assert found["loopBars"] == window.loop_bars == bars


def song(hits: list[tuple[int, int]], *changes: tuple[int, str, float, int]) -> bytes:
    """A MIDI file of hits (tick, pitch) with changes in a track of their own: tick, kind, and its values.

    Kinds: ``tempo`` with quarter notes per minute; ``signature`` with numerator and denominator.
    """
    file = mido.MidiFile(ticks_per_beat=480)
    conductor, drums = mido.MidiTrack(), mido.MidiTrack()
    file.tracks.extend([conductor, drums])
    now = 0
    for tick, kind, value, denominator in changes:
        if kind == "tempo":
            message = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(value), time=tick - now)
        else:
            message = mido.MetaMessage("time_signature", numerator=int(value), denominator=denominator, time=tick - now)
        conductor.append(message)
        now = tick
    events = sorted(
        event for tick, pitch in hits for event in ((tick, "note_on", pitch), (tick + 30, "note_off", pitch))
    )
    now = 0
    for tick, kind, pitch in events:
        drums.append(mido.Message(kind, channel=9, note=pitch, velocity=90, time=tick - now))
        now = tick
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def test_the_windows_of_a_file_are_those_of_the_package(
    given: dict[str, Any], starter_midi: list[Path], run_script: RunScript
) -> None:
    rng = np.random.default_rng(3)
    places = sorted(rng.choice(40 * 32, 300, replace=False).tolist())
    hits = [
        (60 * place, int(pitch)) for place, pitch in zip(places, rng.choice([36, 38, 42, 46, 51], 300), strict=True)
    ]
    pauses = [hit for hit in hits if (hit[0] // 1920) % 9 not in (3, 4)]
    waltz = 8 * 1920, 8 * 1920 + 6 * 1440
    files = [
        *(path.read_bytes() for path in starter_midi[::4]),
        song(hits),
        song(pauses),
        song([hit for hit in hits if (hit[0] // 1920) % 9 > 6]),  # two bars at a time: too short
        song(hits, (0, "signature", 4, 4), (waltz[0], "signature", 3, 4), (waltz[1], "signature", 4, 4)),
        song(hits, (8 * 1920 + 700, "signature", 2, 2)),  # in the middle of a bar
        song(hits, (0, "signature", 3, 4), (3 * 1440 + 50, "signature", 4, 4)),  # a little behind its bar line
        song(hits, (0, "signature", 3, 4), (3 * 1440 + 70, "signature", 4, 4)),  # more than a little
        song(hits, (0, "tempo", 90, 0), (1000, "tempo", 100, 0), (1920 * 3, "tempo", 180, 0)),
        song([hit for hit in hits if hit[0] < 3800], (0, "tempo", 96, 0)),  # a loop of two bars
    ]
    read = run_script([*ENGINE, *MUSIC], READ, {**given, "files": [list(file) for file in files]})
    reader = DrumReader(get_config(DEFAULT_CONFIG))
    for file, found in zip(files, read, strict=True):
        try:
            windows = reader.windows(read_midi_bytes(file, Path("song.mid")))
        except GmdVaeError:
            windows = ()
        assert found["labels"] == [window.target.tolist() for window in windows if window.target is not None]
        if windows:
            assert found["taken"] == reader.default_number(windows) - 1
            assert found["tempo"] == pytest.approx(windows[found["taken"]].tempo, rel=1e-4)
            assert found["texts"][0] == (
                f"a.mid: {len(windows)} windows of 4 bars: press to take one."
                if len(windows) > 1
                else "a.mid: 1 window of 4 bars: press to take it."
            )
            assert found["loopBars"] == (windows[0].loop_bars or 0)
    assert any("music in 3/4: the model takes bars of 4 quarter notes" in found["notes"] for found in read)
    assert [len(found["labels"]) > 0 for found in read[-9:]] == [True, True, False, *[True] * 6]
    assert read[-1]["loopBars"] == 2


@pytest.mark.parametrize(
    ("changes", "bars", "said"),
    [
        ([(0, "signature", 6, 8)], 9, "music in 6/8: the model takes bars of 4 quarter notes"),
        ([], 3, "3 bars, which cannot be repeated to 4 without a cut"),
        ([(1920, "signature", 2, 2)], 3, "2 stretches of drums shorter than 4 bars"),
    ],
)
def test_a_file_without_windows_is_refused_as_the_package_refuses_it(
    given: dict[str, Any], run_script: RunScript, changes: list[tuple[int, str, float, int]], bars: int, said: str
) -> None:
    file = song([(480 * quarter, 36 + 2 * (quarter % 2)) for quarter in range(4 * bars)], *changes)
    (found,) = run_script([*ENGINE, *MUSIC], READ, {**given, "files": [list(file)]})
    assert (found["labels"], found["loopBars"], found["texts"][0]) == ([], 0, "a.mid: no windows.")
    assert said in found["texts"][-1]
    with pytest.raises(GmdVaeError):
        DrumReader(get_config(DEFAULT_CONFIG)).windows(read_midi_bytes(file, Path("song.mid")))


def test_many_windows_are_shown_with_the_one_that_generate_takes(run_script: RunScript) -> None:
    code = """
    const found = (count, taken) => ({windows: Array(count), taken, tempo: 120, notes: [], loopBars: 0});
    const music = {hits: [1], others: new Map(), signatures: [], tempos: [], end: 1};
    print([[48, 47], [57, 3], [57, 50], [157, 52]].map(([count, taken]) => {
      const one = found(count, taken);
      return [firstShown(one), describeWindows("a.mid", music, one, {bars: 4}).slice(1)];
    }));
    """
    assert run_script([*ENGINE, *MUSIC], code) == [
        [0, ["The fullest regular one is window 48."]],
        [0, ["Here are 1 to 48.", "The fullest regular one is window 4."]],
        [9, ["Here are 10 to 57.", "The fullest regular one is window 51."]],
        [52, ["Here are 53 to 100.", "The fullest regular one is window 53."]],
    ]


def test_drums_on_another_channel_are_found(
    given: dict[str, Any], make_midi: Callable[..., bytes], run_script: RunScript
) -> None:
    drums = make_midi([(120 * step, (36, 42, 38, 42)[step % 4]) for step in range(32)])
    on_channel_2 = drums.replace(b"\x99", b"\x91").replace(b"\x89", b"\x81")
    piano = make_midi([(120 * step, 60 + step) for step in range(32)]).replace(b"\x99", b"\x90")
    read = run_script(
        [*ENGINE, *MUSIC], READ, {**given, "files": [list(file) for file in (on_channel_2, piano, drums)]}
    )
    assert [(one["labels"] == [], one["like"]) for one in read] == [(True, 1), (True, -1), (False, -1)]
