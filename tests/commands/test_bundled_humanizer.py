"""``humanize-2bar``, the GrooVAE of the package: new beats and a user's own drums, played."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mido
from fixtures.command_line import run_here

Hit = tuple[int, int, int]  # tick, pitch, velocity
STEP = 120  # ticks
# two bars of rock, and a third with a fill: kick 36, snare 38, closed hi-hat 42, high tom 50
BAR = sorted([*((step, 42) for step in range(0, 16, 2)), (0, 36), (4, 38), (7, 36), (8, 36), (12, 38)])
SONG = [*BAR, *((16 + step, pitch) for step, pitch in BAR), *((32 + step, 50) for step in range(6))]


def hits_of(path: Path) -> list[Hit]:
    """The hits of a MIDI file, in order of time."""
    hits = []
    for track in mido.MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                hits.append((tick, message.note, message.velocity))
    return sorted(hits)


def steps_of(hits: list[Hit]) -> list[tuple[int, int]]:
    """Nearest sixteenth and pitch of each hit."""
    return sorted((round(tick / STEP), pitch) for tick, pitch, _ in hits)


def test_it_plays_new_beats_and_keeps_their_hits(tmp_path: Path) -> None:
    for folder, options in (("stiff", ("--velocity", "80", "--quantize")), ("played", ("--humanize", "humanize-2bar"))):
        run_here(tmp_path, "generate", "-n", "3", "--seed", "1", "--output-dir", folder, *options)
    manifest = json.loads((tmp_path / "played" / "manifest.json").read_text())
    assert "humanize-2bar" in json.dumps(manifest)
    for path in sorted((tmp_path / "stiff").glob("*.mid")):
        stiff, played = hits_of(path), hits_of(tmp_path / "played" / path.name)
        assert steps_of(played) == steps_of(stiff)
        assert {velocity for _, _, velocity in stiff} == {80}
        assert len({velocity for _, _, velocity in played}) > 10
        assert any(tick % STEP for tick, _, _ in played)


def test_it_plays_the_drums_of_a_file(tmp_path: Path) -> None:
    track, now = mido.MidiTrack(), 0
    for step, pitch in SONG:
        track.append(mido.Message("note_on", channel=9, note=pitch, velocity=100, time=step * STEP - now))
        now = step * STEP
    mido.MidiFile(tracks=[track], ticks_per_beat=4 * STEP).save(tmp_path / "drums.mid")
    command = ("generate", "--model", "humanize-2bar", "--mode", "groove", "--input-midi", "drums.mid")
    run_here(tmp_path, *command, "--output-dir", "played")
    (path,) = (tmp_path / "played").glob("*.mid")
    played = hits_of(path)
    assert steps_of(played) == sorted(SONG)
    assert len({velocity for _, _, velocity in played}) > 5
    assert any(tick % STEP for tick, _, _ in played)
    backbeat = [velocity for tick, pitch, velocity in played if pitch == 38]
    weak = [velocity for tick, pitch, velocity in played if pitch == 42 and round(tick / STEP) % 4 == 2]
    assert min(backbeat) > sum(weak) / len(weak)  # drummers accent it


def test_it_is_taken_where_only_a_groovae_will_do_and_named_where_another_is_given(
    tmp_path: Path, make_midi: Callable[..., bytes]
) -> None:
    (tmp_path / "drums.mid").write_bytes(make_midi())
    groove = ("generate", "--mode", "groove", "--input-midi", "drums.mid")
    assert "Model: humanize-2bar (groovae" in run_here(tmp_path, *groove).stderr
    assert "--model humanize-2bar" in run_here(tmp_path, *groove, "--model", "groove-4bar", expect=2).error
    refused = run_here(tmp_path, "generate", "--humanize", "groove-4bar", expect=2)
    assert "Give humanize-2bar" in refused.error
