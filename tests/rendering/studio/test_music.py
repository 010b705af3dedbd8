"""Hits, MIDI files and history of the studio, in Node."""

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
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.layout import hit_height
from gmd_vae.rendering.studio.model_data import attribute_vectors, describe_drums, pack_model
from gmd_vae.rendering.studio.page import _feel
from gmd_vae.rendering.studio.scripts import APP, ENGINE, MUSIC

WINDOWS = get_config(DEFAULT_CONFIG).drum_windows
MIDI = """
const performer = new Performer(given.drums, given.feel);
const beats = given.beats.map((labels) => performer.play(levelsOf(labels, 9), given.playing));
print(Array.from(midiFile(beats, given.drums, {...given.playing, steps: 64, name: "Ünï 鼓"})));
"""


def notes(data: bytes) -> list[tuple[int, int, int]]:
    """Start tick, pitch and velocity of each note."""
    found, tick = [], 0
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            found.append((tick, message.note, message.velocity))
    return sorted(found)


@pytest.fixture
def given(tiny_model: Any) -> dict[str, Any]:
    beats = np.random.default_rng(1).integers(0, 512, (2, 64)) & np.random.default_rng(2).integers(0, 512, (2, 64))
    playing = {"humanize": 0, "swing": 50, "tempo": 97, "seed": 3}
    return {
        "drums": describe_drums(tiny_model.config),
        "feel": _feel(tiny_model),
        "beats": beats.tolist(),
        "playing": playing,
    }


@pytest.mark.parametrize("swing", [50, 66, 75])
def test_a_midi_file_has_the_notes_of_generate(given: dict[str, Any], swing: int, run_script: RunScript) -> None:
    given["playing"]["swing"] = swing
    data = bytes(run_script([*ENGINE, *MUSIC], MIDI, given))
    labels = [label for beat in given["beats"] for label in beat]
    expected, count = drum_midi(labels, WINDOWS, Playing(tempo=97, swing=swing))
    assert notes(data) == notes(expected)
    assert len(notes(data)) == count
    written, reference = (mido.MidiFile(file=io.BytesIO(file)) for file in (data, expected))
    assert written.ticks_per_beat == reference.ticks_per_beat
    for kind in ("set_tempo", "time_signature", "end_of_track"):
        first, second = ([m for m in file.tracks[0] if m.type == kind] for file in (written, reference))
        assert [vars(m) | {"time": 0} for m in first] == [vars(m) | {"time": 0} for m in second]
    assert sum(message.time for message in written.tracks[0]) == 8 * 4 * 480  # exact bars


@pytest.mark.parametrize("swing", [50, 62, 75])
def test_every_hit_stays_in_its_sixteenth(given: dict[str, Any], swing: int, run_script: RunScript) -> None:
    given["playing"] |= {"swing": swing, "humanize": 1}
    data = bytes(run_script([*ENGINE, *MUSIC], MIDI, given))
    pitches = [pitch for pitch, *_ in WINDOWS.pitch_classes]
    labels = [0] * 128
    for tick, pitch, _ in notes(data):
        labels[(tick + 60) // 120] |= 1 << pitches.index(pitch)
    assert labels == [label for beat in given["beats"] for label in beat]


@pytest.mark.parametrize("position", [0, 4])
def test_the_feel_is_that_of_generate(given: dict[str, Any], position: int, run_script: RunScript) -> None:
    """The random numbers are others: the means and spreads of many hits are equal."""
    labels = ([0] * position + [511] + [0] * (15 - position)) * 4
    code = """
    const performer = new Performer(given.drums, given.feel), levels = levelsOf(given.labels, 9);
    const seeds = Array.from({length: 150}, (_, seed) => seed);
    print(seeds.map((seed) => performer.play(levels, {humanize: 1, swing: 50, seed})));
    """
    found = [hit for beat in run_script([*ENGINE, *MUSIC], code, {**given, "labels": labels}) for hit in beat]
    expected = [hit for number in range(150) for hit in load_feel().play(labels, 0, number)]
    for drum in range(9):
        ours = np.array([[hit["velocity"], hit["offset"]] for hit in found if hit["drum"] == drum])
        theirs = np.array([[hit.velocity, hit.offset] for hit in expected if hit.voice == drum])
        assert len(ours) == len(theirs) == 600
        assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < [4, 0.03]).all()
        np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.2)


def test_the_human_feel_moves_hits_and_neither_adds_nor_removes_one(
    given: dict[str, Any], run_script: RunScript
) -> None:
    code = """
    const performer = new Performer(given.drums, given.feel), levels = levelsOf(given.beats[0], 9);
    print([0, 0.5, 1].map((humanize) => performer.play(levels, {...given.playing, humanize})));
    """
    straight, half, full = run_script([*ENGINE, *MUSIC], code, given)
    places = [(hit["step"], hit["drum"]) for hit in straight]
    assert [(hit["step"], hit["drum"]) for hit in half] == places == [(hit["step"], hit["drum"]) for hit in full]
    assert {(hit["velocity"], hit["offset"]) for hit in straight} == {(80, 0)}
    assert len({hit["velocity"] for hit in full}) > 20
    assert 0 < max(abs(hit["offset"]) for hit in half) < max(abs(hit["offset"]) for hit in full) <= 0.45
    offsets = np.array([[hit["offset"] for hit in hits] for hits in (half, full)])
    np.testing.assert_allclose(offsets[1], np.clip(2 * offsets[0], -0.45, 0.45), atol=1e-9)


def test_undo_and_redo_go_back_and_forth(run_script: RunScript) -> None:
    code = """
    const history = new UndoHistory();
    history.keep("a"); history.keep("b");
    const back = [history.undo("c"), history.undo("b"), history.undo("a") ?? null];
    const forth = [history.redo("a"), history.redo("b"), history.redo("c") ?? null];
    history.undo("c"); history.keep("b");
    print([back, forth, history.redo("d") ?? null]);
    """
    assert run_script(MUSIC, code) == [["b", "a", None], ["b", "c", None], None]


TIMING = """
globalThis.requestAnimationFrame = () => {};
const whens = [], context = {currentTime: 5}, clock = {};
const kit = {open: () => ({}), hit: (target, voice, velocity, when) => whens.push(when)};
const lookAhead = (fill) => { clock.fill = fill; return () => {}; };
const sound = {start: async () => {}, kit, context, audible: 0, lookAhead};
const byStep = Array.from({length: 64}, () => []), midi = {hit() {}, step() {}, stop() {}};
for (const hit of new Performer(given.drums, given.feel).play(levelsOf(given.beats[0], 9), given.playing)) {
  byStep[hit.step].push(hit);
}
const {tempo, swing} = given.playing;
const music = new GridMusic(given.drums, midi, () => ({byStep, tempo, swing}), () => {}, () => {});
new Player(sound, () => {}).start(music).then(() => {
  for (; whens.length < 4000; context.currentTime += 0.04) clock.fill(context.currentTime + 0.15);
  print({whens, byStep: byStep.map((hits) => hits.map(({offset}) => offset))});
});
"""


def test_hits_are_scheduled_within_a_millisecond_of_the_audio_clock(
    given: dict[str, Any], run_script: RunScript
) -> None:
    given["playing"] |= {"swing": 60, "humanize": 1}
    scripts = [*ENGINE, *MUSIC, *(script for script in APP if script.stem == "grid_music")]
    found = run_script(scripts, TIMING, given)
    seconds = 60 / 97 / 4
    places = [step + 0.2 * (step % 2) + offset for step, offsets in enumerate(found["byStep"]) for offset in offsets]
    beats = np.arange(len(found["whens"]) // len(places))[:, np.newaxis]
    assert len(beats) > 10
    expected = np.maximum(5, 5.06 + seconds * (64 * beats + places).ravel())
    assert np.abs(found["whens"][: expected.size] - expected).max() < 1e-3


def test_a_hit_is_as_tall_in_pictures_of_the_studio_as_in_those_of_the_report(run_script: RunScript) -> None:
    velocities = np.array([1, 45, 80, 127])
    scripts = [script for script in APP if script.stem == "picture"]
    found = run_script(scripts, "print(given.map(hitHeight))", velocities.tolist())
    np.testing.assert_allclose(found, hit_height(velocities))


UNDO = """
const client = new ModelClient(given.model, "");
const settings = {tempo: 120, swing: 50, humanize: 0, temperature: 0.5, seed: 0};
const studio = new Studio(client, given.drums, new Performer(given.drums, null), given.attributes, settings, () => {});
const locks = () => Object.values(studio.locks).map((numbers) => [...numbers]);
const look = () => JSON.stringify({...studio.state(), set: [...studio.set], locks: locks()});
const steps = {
  lock: () => studio.toggleLock("drums", 1),
  bar: () => studio.toggleLock("bars", 2),
  tempo: () => { studio.keep(); studio.change({tempo: 90, swing: 60}); },
  cell: () => studio.edit(5, 3),
  corner: () => studio.fillCorner(2),
  chain: () => studio.addToChain(),
  path: () => studio.follow([{x: 0, y: 0}, {x: 1, y: 1}]),
  remove: () => studio.removeFromChain(3),
  character: () => { studio.keep(); return studio.setCharacter("busier", 1); },
  seed: () => studio.newBeats(4),
  take: () => studio.takeCorner(3),
};
(async () => {
  await studio.newBeats(0);
  studio.history = new UndoHistory();
  const seen = [look()], back = [], forth = [];
  for (const step of Object.values(steps)) {
    await step();
    seen.push(look());
  }
  for (const _ of seen.slice(1)) {
    back.unshift(look());
    studio.undo();
  }
  const first = look();
  for (const _ of seen.slice(1)) {
    studio.redo();
    forth.push(look());
  }
  print({different: new Set(seen).size, seen: seen.slice(1), back, forth, first, start: seen[0]});
})();
"""


def test_undo_covers_locks_settings_corners_chain_path_character_and_seed(
    tiny_model: ModelFile, run_script: RunScript
) -> None:
    given = {
        "model": pack_model(tiny_model),
        "drums": describe_drums(tiny_model.config),
        "attributes": attribute_vectors(tiny_model),
    }
    found = run_script([*ENGINE, *MUSIC], UNDO, given)
    assert found["different"] == 12
    assert found["seen"] == found["back"] == found["forth"]
    assert found["first"] == found["start"]


def test_the_place_of_a_latent_vector_on_the_pad_is_found_again(run_script: RunScript) -> None:
    code = """
    const corners = [0, 1, 2, 3].map((file) => randomNormals(1, LATENTS, file, 0, 16));
    const places = [[0, 0], [1, 0], [0, 1], [1, 1], [0.25, 0.7]];
    const found = places.map(([x, y]) => nearestPlace(corners, latentAt(corners, x, y)));
    print(found.map(({x, y}) => [x, y]));
    """
    assert np.allclose(run_script([*ENGINE, *MUSIC], code), [[0, 0], [1, 0], [0, 1], [1, 1], [0.25, 0.7]])


SHARED = """
const beats = given.map((levels) => Uint8Array.from(levels));
const state = {seed: 9, temperature: 0.5, tempo: 96, swing: 58, humanize: 0.7, levels: beats[0]};
const text = shareText({...state, corners: [[2, beats[1]]], chain: [beats[1], beats[0]]});
const read = readShared(text, 576), lists = JSON.parse(JSON.stringify(read), (_, value) =>
  value && value["0"] !== undefined && !Array.isArray(value) ? Object.values(value) : value);
const wrong = ["", "1", text + "/", text.replace("1,9", "2,9"), text.replace(",96,", ",9999,"), text.slice(0, -1),
  text.replace("58", "NaN"), text.replace("/2", "/7"), text + ",<script>", "%00".repeat(99)];
print({text, lists, wrong: wrong.map((one) => readShared(one, 576)), other: readShared(text, 64)});
"""


def test_the_address_keeps_a_state_and_refuses_other_texts(run_script: RunScript) -> None:
    beats = np.random.default_rng(5).integers(0, 4, (2, 576)).tolist()
    found = run_script([*ENGINE, *MUSIC], SHARED, beats)
    assert set(found["text"]) <= set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,/-_")
    state = {"seed": 9, "temperature": 0.5, "tempo": 96, "swing": 58, "humanize": 0.7}
    expected = {**state, "levels": beats[0], "corners": [[2, beats[1]]], "chain": [beats[1], beats[0]]}
    assert found["lists"] == expected
    assert found["wrong"] == [None] * 10
    assert found["other"] is None


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
            assert found["texts"][0] == f"a.mid: {len(windows)} window{'s' if len(windows) > 1 else ''}."
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
