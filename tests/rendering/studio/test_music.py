"""Hits of the studio, as it plays, saves and draws them, in Node."""

from __future__ import annotations

import io
from typing import Any

import mido
import numpy as np
import pytest
from fixtures.node import RunScript
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation.performance.drum_notes import drum_midi
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.rendering.layout import hit_height
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
