"""Reading every hit: hits without an end, tempos in any track, broken events, and the account of all note-ons."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import mido
import pytest
from click.testing import CliRunner
from fixtures.against_note_seq import ACCEPTED, compare, compare_every_hit
from fixtures.midi_cases import HAT, KICK, SNARE, beat, drum_files, file, notes, tempo, time_signature, track
from gmd_vae.cli import cli
from gmd_vae.midi import refusals
from gmd_vae.midi.midi_io import midi_to_record, read_midi
from gmd_vae.midi.reading import STOCK
from gmd_vae.midi.refusals import MidiError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Json = dict[str, Any]
FILES = drum_files()
COMPLETED = {
    "zero_kick.mid": 16,
    "last_unclosed.mid": 1,
    "no_off.mid": 96,
    "off_by_velocity_0.mid": 96,
    "flam.mid": 3,
}
IGNORED = {
    "keysig.mid": "key signature that does not exist",
    "keysig8.mid": "key signature that does not exist",
    "short_key.mid": "key signature that does not exist",
    "cc255.mid": "data byte above 127",
    "tempo0.mid": "impossible tempo",
    "ts0.mid": "impossible time signature",
    "odd_sysex.mid": "undefined or damaged system message",
    "fewer_tracks.mid": "track that the header announces and the file lacks",
}


def changes(data: bytes) -> tuple[list[tuple[float, float]], list[tuple[float, int, int]]]:
    """Returns tempos and time signatures, times in seconds to a millisecond."""
    sequence: Any = read_midi(data, "c", "a.mid").sequence
    return (
        [(round(tempo.time, 3), round(tempo.qpm, 2)) for tempo in sequence.tempos],
        [(round(change.time, 3), change.numerator, change.denominator) for change in sequence.time_signatures],
    )


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("name", FILES)
def test_every_note_on_of_a_drum_file_is_a_hit(name: str) -> None:
    data = FILES[name]
    hits = sum(message.type == "note_on" and message.velocity > 0 for message in plain_events(data))
    record = midi_to_record(data, "c", name)
    assert hits >= 2
    assert (record.notes, record.drum_notes, record.account.note_ons) == (hits, hits, hits)
    assert record.account.dropped == {}
    assert record.account.completed == COMPLETED.get(name, 0)
    assert list(record.account.ignored) == ([IGNORED[name]] if name in IGNORED else [])
    assert compare_every_hit(data) == ACCEPTED


def plain_events(data: bytes) -> list[Any]:
    """Returns the note events of a file by the simplest of parsers: all of them have three bytes with a status."""
    found = []
    for place in range(len(data) - 2):
        status, pitch, velocity = data[place : place + 3]
        if status == 0x99 and pitch in (KICK, SNARE, HAT) and velocity == 100:
            found.append(mido.Message("note_on", note=pitch, velocity=velocity))
    return found


@pytest.mark.parametrize("name", FILES)
def test_stock_reads_as_magenta_does(name: str) -> None:
    compare(FILES[name])
    try:
        record = midi_to_record(FILES[name], "c", name, STOCK)
    except MidiError:
        assert name in IGNORED or name == "empty_track.mid" or name == "other_chunk.mid"
        return
    account = record.account
    assert account.completed == 0
    assert account.note_ons - record.notes == sum(account.dropped.values()) == COMPLETED.get(name, 0)


def test_a_hit_without_an_end_lasts_a_64th_note_or_until_the_next_hit_of_its_pitch() -> None:
    data = file(track(notes([(0, SNARE), (10, SNARE), (500, SNARE), (500, KICK)], length=None)))
    sequence: Any = read_midi(data, "c", "a.mid").sequence
    ticks = [(round(note.start_time * 960), round(note.end_time * 960), note.pitch) for note in sequence.notes]
    assert ticks == [(0, 10, SNARE), (10, 40, SNARE), (500, 530, SNARE), (500, 530, KICK)]


def test_a_hit_without_an_end_changes_no_step_of_its_quarter() -> None:
    for resolution in (1, 2, 24, 480, 960):
        data = file(track(notes([(0, SNARE)], length=None)), division=resolution)
        record = midi_to_record(data, "c", "a.mid")
        assert record.seconds == pytest.approx(0.5 * max(1, resolution // 16) / resolution)


def test_files_whose_every_hit_ends_are_read_as_magenta_reads_them(starter_midi: list[Path]) -> None:
    for path in starter_midi:
        data = path.read_bytes()
        assert midi_to_record(data, "c", "a.mid") == midi_to_record(data, "c", "a.mid", STOCK)


def test_notes_of_other_instruments_keep_magentas_rule_and_are_counted() -> None:
    melody = [*notes([(0, 60), (100, 62)], channel=0), *notes([(200, 64)], channel=0, length=0)]
    melody += notes([(300, 65)], channel=0, length=None)
    melody.append((400, b"\x90\x40\xff"))  # a velocity above 127
    record = midi_to_record(file(track(melody)), "c", "a.mid")
    assert (record.notes, record.account.note_ons, record.account.completed) == (2, 5, 0)
    assert record.account.dropped == {
        "ends on the tick it begins": 1,
        "never ends": 1,
        "pitch or velocity above 127": 1,
    }


def test_tempos_and_time_signatures_of_every_track_count() -> None:
    assert changes(FILES["tempo_t1.mid"]) == ([(0.0, 90.0)], [(0.0, 4, 4)])
    assert changes(FILES["tempochange_t1.mid"])[0] == [(0.0, 90.0), (21.333, 180.0)]
    assert changes(FILES["ts34_t1.mid"]) == ([(0.0, 90.0)], [(0.0, 3, 4)])
    assert changes(FILES["ts_change_t1.mid"])[1] == [(0.0, 4, 4), (21.333, 7, 8)]
    last = midi_to_record(FILES["tempochange_t1.mid"], "c", "a.mid").seconds
    assert last == pytest.approx(32 * 60 / 90 + (31.5 + 60 / 480) * 60 / 180, rel=1e-4)


def test_changes_of_several_tracks_are_in_the_order_of_their_ticks() -> None:
    later = track(tempo(60, 960), tempo(100, 2880), notes([(3840, KICK)]))
    data = file(track(tempo(120), tempo(80, 1920)), later, track(time_signature(3, 4, 1440)))
    assert changes(data) == ([(0.0, 120.0), (1.0, 60.0), (3.0, 80.0), (4.5, 100.0)], [(2.0, 3, 4)])
    assert compare_every_hit(data) == ACCEPTED


def test_the_delta_time_of_an_unknown_meta_event_counts() -> None:
    data = file(track((240, b"\xff\x60\x01\x00"), notes([(480, KICK)])))
    assert read_midi(data, "c", "a.mid").sequence.notes[0].start_time == 0.5  # mido, so Magenta: 0.25
    assert read_midi(data, "c", "a.mid", STOCK).sequence.notes[0].start_time == 0.25


def test_refusals_name_the_kind_and_the_next_action() -> None:
    smpte = file(track(notes(beat())), division=0xE728)
    patterns = file(*[track(notes(beat(2)))] * 3, kind=2)
    for data, reason, words in (
        (smpte, refusals.SMPTE, "25 frames a second.*ticks per quarter note"),
        (patterns, refusals.PATTERNS, "3 of them.*file of its own"),
        (file(track(notes(beat())))[:-9], refusals.CUT_SHORT, "Copy or download it again"),
    ):
        with pytest.raises(MidiError, match=words) as caught:
            midi_to_record(data, "c", "a.mid")
        assert caught.value.reason == reason
    assert midi_to_record(file(track(notes(beat())), kind=2), "c", "a.mid").notes == 96  # one pattern alone
    assert midi_to_record(patterns, "c", "a.mid", STOCK).notes == 72


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all drum files, and one that is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music").mkdir()
    for name, data in FILES.items():
        (tmp_path / "music" / name).write_bytes(data)
    (tmp_path / "music" / "smpte.mid").write_bytes(file(track(notes(beat())), division=0xE728))
    return tmp_path / "music"


def test_convert_accounts_for_every_note_on(folder: Path) -> None:
    made: Json = json.loads(run("convert", "music", "--split-by", "hash", "--json").stdout)
    written = sum(split["notes"] for split in made["splits"].values())
    count = sum(len(plain_events(data)) for data in FILES.values())
    assert (made["note_ons"]["count"], written, made["note_ons"]["dropped"]) == (count, count, {})
    assert made["note_ons"]["completed"]["count"] == sum(COMPLETED.values())
    assert made["ignored_events"]["key signature that does not exist"]["count"] == 3
    assert made["assumed"]["tempo"] == {"count": 1, "names": ["notempo.mid"]}
    text = run("convert", "music", "--split-by", "hash").stdout.replace("\n", " ")
    assert f"{count:,} note-ons in the files, {count:,} notes in the records" in text
    assert "1 file: no tempo given: 120 assumed (notempo.mid)" in text
    assert "1 event ignored: data byte above 127 (in 1 file: cc255.mid)" in text
    assert "Skipped 1: SMPTE time division (smpte.mid). It counts frames" in text
    inspected: Json = json.loads(run("inspect", "music", "--json").stdout)
    of_notes: Json = json.loads(run("inspect", "data/notes/music", "--json").stdout)
    for key in ("note_ons", "ignored_events", "unmapped_drums", "assumed"):
        assert inspected[key] == of_notes[key] == made[key]
    assert inspected["tempos"]["files"] == of_notes["tempos"]["files"] == len(FILES) - 1  # without the assumed one


def test_stock_notes_account_for_every_note_on_and_have_a_folder_of_their_own(folder: Path) -> None:
    made: Json = json.loads(run("convert", "music", "--split-by", "hash", "--stock", "--json").stdout)
    assert made["output_dir"] == "data/notes/music-stock"
    described: Json = json.loads(Path("data/notes/music-stock/manifest.json").read_text(encoding="utf-8"))
    assert described["reading"] == {"stock": True}
    written = sum(split["notes"] for split in made["splits"].values())
    dropped = {reason: entry["count"] for reason, entry in made["note_ons"]["dropped"].items()}
    assert made["note_ons"]["count"] == written + sum(dropped.values())
    assert dropped == {"ends on the tick it begins": 112, "never ends": 100}
    assert made["ignored_events"]["tempo or signature outside the first track"]["count"] == 6


def test_inspect_and_render_show_hits_and_assumptions(folder: Path) -> None:
    text = run("inspect", "music/notempo.mid").stdout
    assert "Tempo: no tempo given: 120 assumed\n" in text
    assert "Time signature: no time signature given: 4/4 assumed\n" in text
    text = run("inspect", "music/no_off.mid").stdout
    assert "96 drum hits without an end in the file: each lasts a 64th note\n" in text
    assert "Tempo: 100 bpm\n" in text
    shown: Json = json.loads(run("inspect", "music/zero_kick.mid", "--json").stdout)
    assert shown["note_ons"] == {"count": 96, "dropped": {}, "completed": 16}
    assert (shown["notes"], shown["tempos"]["assumed"]) == (96, False)
    result = run("render", "music/notempo.mid", "music/no_off.mid", "--png", "--json")
    assert "notempo.mid: no tempo given: 120 assumed\n" in result.stderr
    for rendered in json.loads(result.stdout)["files"]:
        unknown = sum(rendered["unknown_drums"].values())
        used = rendered["hits"] + unknown + rendered["other_notes"]
        assert rendered["note_ons"]["count"] == used + sum(rendered["note_ons"]["dropped"].values()) == 96


def test_real_files_with_every_hit_are_read_as_note_seq_reads_them_rewritten(groove_archive: Path) -> None:
    with zipfile.ZipFile(groove_archive) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))
        read = [archive.read(name) for name in names]
    assert sum(midi_to_record(data, "c", "a.mid").account.note_ons for data in read) == 446_312
    for data in read[::40]:
        assert compare_every_hit(data) == ACCEPTED


@st.composite
def songs(draw: st.DrawFn) -> mido.MidiFile:
    """Files that mido writes: hits with and without ends, tempos in any track, several channels."""
    song = mido.MidiFile(ticks_per_beat=draw(st.sampled_from([96, 480, 1])))
    for _ in range(draw(st.integers(1, 3))):
        added = mido.MidiTrack()
        for _ in range(draw(st.integers(0, 12))):
            delta = draw(st.sampled_from([0, 0, 1, 60, 240]))
            kind = draw(st.sampled_from(["on", "on", "off", "off by velocity 0", "tempo", "signature"]))
            channel, pitch = draw(st.sampled_from([9, 9, 9, 0])), draw(st.sampled_from([36, 38]))
            if kind == "tempo":
                added.append(mido.MetaMessage("set_tempo", tempo=draw(st.integers(200_000, 900_000)), time=delta))
            elif kind == "signature":
                added.append(mido.MetaMessage("time_signature", numerator=draw(st.integers(1, 12)), time=delta))
            else:
                name = "note_off" if kind == "off" else "note_on"
                velocity = draw(st.integers(1, 127)) if kind == "on" else 0
                added.append(mido.Message(name, channel=channel, note=pitch, velocity=velocity, time=delta))
        song.tracks.append(added)
    return song


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(songs())
def test_the_hits_are_those_that_mido_plays(song: mido.MidiFile) -> None:
    stream = io.BytesIO()
    song.save(file=stream)
    music = read_midi(stream.getvalue(), "c", "a.mid")
    played: list[tuple[int, int, float]] = []
    now, note_ons = 0.0, 0
    for message in song:  # in all tracks at once, through all tempos, times in seconds
        now += message.time
        if message.type == "note_on" and message.velocity:
            note_ons += 1
            if message.channel == 9:
                played.append((message.note, message.velocity, now))
    hits = [note for note in music.sequence.notes if note.is_drum]
    found = sorted((hit.pitch, hit.velocity, hit.start_time) for hit in hits)
    assert [hit[:2] for hit in found] == [hit[:2] for hit in sorted(played)]
    # the same sums of seconds in another order
    assert [hit[2] for hit in found] == pytest.approx([hit[2] for hit in sorted(played)], rel=1e-9, abs=1e-6)
    assert all(hit.end_time > hit.start_time for hit in hits)
    assert note_ons == music.account.note_ons == len(music.sequence.notes) + sum(music.account.dropped.values())
    assert compare_every_hit(stream.getvalue()) == ACCEPTED
