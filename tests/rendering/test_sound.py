"""The sound of a drum part: times, levels and lengths of its strokes, without clipping; the same bytes every time."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.midi.writer import TICKS_PER_QUARTER, Song, strokes, write_drums
from gmd_vae.rendering import kit
from gmd_vae.rendering.drum_part import (
    CLOSED_HAT,
    CRASH,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    MID_TOM,
    OPEN_HAT,
    RIDE,
    SNARE,
    VOICES,
    DrumPart,
    drum_part,
    read_drum_part,
)
from gmd_vae.rendering.sound import MAX_TAIL, write_wav
from hypothesis import given, settings
from hypothesis import strategies as st

MakeMidi = Callable[..., bytes]


def part(*hits: tuple[float, int, int], seconds: float = 2.0) -> DrumPart:
    times, voices, velocities = zip(*sorted(hits), strict=True) if hits else ((), (), ())
    return DrumPart(
        np.array(times, np.float64), np.array(voices, np.int64), np.array(velocities, np.int64), float(seconds)
    )


def samples(path: Path) -> np.ndarray:
    """Returns the samples of a WAV file, float64 [samples, 2], -1 to 1."""
    with wave.open(str(path), "rb") as stream:
        assert (stream.getnchannels(), stream.getsampwidth(), stream.getframerate()) == (2, 2, 44_100)
        data = stream.readframes(stream.getnframes())
        assert len(data) == 4 * stream.getnframes()
    assert path.stat().st_size == 44 + len(data) + 100  # the mark of own_files
    return np.frombuffer(data, "<i2").reshape(-1, 2) / 32767


def sound(music: DrumPart, folder: Path, *, tail: bool = True) -> np.ndarray:
    seconds = write_wav(music, folder / "x.wav", tail=tail)
    heard = samples(folder / "x.wav")
    assert len(heard) == round(seconds * kit.RATE)
    return heard


def centroid(mono: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(mono)) ** 2
    return float((power * np.fft.rfftfreq(len(mono), 1 / kit.RATE)).sum() / power.sum())


def loudness(heard: np.ndarray, begin: float, end: float) -> float:
    return float(np.sqrt(np.mean(heard[round(begin * kit.RATE) : round(end * kit.RATE)] ** 2)))


def test_a_part_without_hits_is_silence(tmp_path: Path) -> None:
    heard = sound(part(), tmp_path)
    assert len(heard) == 2 * kit.RATE
    assert not heard.any()
    assert len(sound(part(seconds=0), tmp_path)) > 0  # players want a sample at least


@pytest.mark.parametrize("velocity", [1, 64, 127])
@pytest.mark.parametrize("voice", range(len(VOICES)))
def test_every_stroke_starts_at_once_and_ends_in_silence(voice: int, velocity: int) -> None:
    stroke = kit.stroke(voice, kit.velocity_step(velocity)).astype(np.float64)
    peak = np.abs(stroke).max()
    assert 0 < peak < 0.9
    assert np.argmax(np.abs(stroke).max(axis=1) > 0.1 * peak) < 0.001 * kit.RATE
    assert np.abs(stroke[-100:]).max() < 1e-4 * peak
    assert np.abs(stroke.mean(axis=0)).max() < 1e-6
    assert kit.stroke(voice, kit.velocity_step(velocity)) is kit.stroke(voice, kit.velocity_step(velocity))


def test_the_voices_differ_as_drums_do() -> None:
    strokes = [kit.stroke(voice, 12).mean(axis=1) for voice in range(len(VOICES))]
    bright = [centroid(stroke) for stroke in strokes]
    assert bright[KICK] < 150 < 1_000 < bright[SNARE] < 5_000 < bright[CLOSED_HAT]
    assert bright[KICK] < bright[LOW_TOM] < bright[MID_TOM] < bright[HIGH_TOM] < bright[SNARE]
    assert bright[RIDE] < bright[CRASH] < bright[OPEN_HAT]
    assert abs(bright[OPEN_HAT] / bright[CLOSED_HAT] - 1) < 0.1  # the same cymbals
    # when 99.9 % of the energy is over
    lengths = [np.searchsorted(np.cumsum(stroke**2), 0.999 * np.sum(stroke**2)) / kit.RATE for stroke in strokes]
    assert lengths[CLOSED_HAT] < 0.2 < lengths[KICK] < 0.6 < lengths[OPEN_HAT] < lengths[RIDE] < lengths[CRASH] < 2.5


@pytest.mark.parametrize("voice", range(len(VOICES)))
def test_a_harder_stroke_is_louder_and_brighter(voice: int) -> None:
    soft, loud = (kit.stroke(voice, kit.velocity_step(velocity)).mean(axis=1) for velocity in (30, 110))
    assert np.abs(loud).max() > 3 * np.abs(soft).max()
    assert centroid(loud) > centroid(soft)


def test_the_kick_is_in_the_middle_and_the_cymbals_are_not(tmp_path: Path) -> None:
    kick, crash, ride = (sound(part((0, voice, 100)), tmp_path) for voice in (KICK, CRASH, RIDE))
    assert loudness(kick[:, 0], 0, 0.2) == pytest.approx(loudness(kick[:, 1], 0, 0.2), rel=0.02)
    assert loudness(crash[:, 0], 0, 0.2) > 1.2 * loudness(crash[:, 1], 0, 0.2)
    assert loudness(ride[:, 1], 0, 0.2) > 1.2 * loudness(ride[:, 0], 0, 0.2)


def test_a_closed_hi_hat_chokes_the_open_one(tmp_path: Path) -> None:
    ringing = sound(part((0, OPEN_HAT, 100)), tmp_path)
    for closed in (0.2, 0.21):  # also with a second one behind it
        choked = sound(part((0, OPEN_HAT, 100), (0.2, CLOSED_HAT, 20), (closed, CLOSED_HAT, 20)), tmp_path)
        assert loudness(choked, 0, 0.19) == pytest.approx(loudness(ringing, 0, 0.19), rel=0.01)
        assert loudness(choked, 0.35, 0.6) < 0.1 * loudness(ringing, 0.35, 0.6)
    together = sound(part((0, OPEN_HAT, 100), (0, CLOSED_HAT, 100)), tmp_path)
    assert loudness(together, 0.3, 0.5) == pytest.approx(loudness(ringing, 0.3, 0.5), rel=0.05)


def test_a_cymbal_rings_through_the_next_stroke(tmp_path: Path) -> None:
    once, twice = (sound(part((0, RIDE, 120), *more), tmp_path) for more in ([], [(0.3, RIDE, 1)]))
    assert loudness(twice, 0.3, 0.4) > 0.6 * loudness(once, 0.3, 0.4)


def test_the_louder_of_two_hits_at_one_time_sounds(tmp_path: Path) -> None:
    one = sound(part((0.5, SNARE, 100)), tmp_path)
    assert (sound(part((0.5, SNARE, 100), (0.5, SNARE, 20)), tmp_path) == one).all()


def test_hits_sound_at_their_times(starter_midi: list[Path], tmp_path: Path) -> None:
    for path in starter_midi[:: len(starter_midi) // 4]:
        music = read_drum_part(path)
        heard = np.abs(sound(music, tmp_path)).max(axis=1)
        for kicks in [music.times[music.voices == KICK][:8]]:
            gaps = [time for time in kicks if not ((music.times > time - 0.1) & (music.times < time)).any()]
            assert gaps
            for time in gaps:
                at = round(time * kit.RATE)
                before = heard[max(0, at - 100) : at].max(initial=0)
                jump = np.argmax(heard[at : at + 2_000] > before + 0.02)
                assert heard[at : at + 2_000].max() > before + 0.02
                assert jump < 0.002 * kit.RATE


def test_the_size_of_blocks_does_not_change_the_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    music = part(*[(0.11 * number, number % 9, 40 + number % 80) for number in range(100)], seconds=11)
    whole = sound(music, tmp_path)
    monkeypatch.setattr("gmd_vae.rendering.sound._BLOCK", 5_000)
    np.testing.assert_allclose(sound(music, tmp_path), whole, atol=1.01 / 32767)


def test_the_file_is_as_long_as_the_music_and_its_tail(tmp_path: Path) -> None:
    assert len(sound(part((0, CLOSED_HAT, 90), seconds=5), tmp_path)) == 5 * kit.RATE
    tail = sound(part((4.99, CRASH, 127), seconds=5), tmp_path)
    assert len(tail) == round((5 + MAX_TAIL) * kit.RATE)
    assert not tail[-1].any()
    assert 5 < len(sound(part((4.9, CLOSED_HAT, 90), seconds=5), tmp_path)) / kit.RATE < 6


def test_a_loop_is_exactly_as_long_as_its_bars(make_midi: MakeMidi, tmp_path: Path) -> None:
    tempo = b"\x00\xff\x51\x03" + (60_000_000 // 96).to_bytes(3, "big")
    music = drum_part(read_midi(make_midi([(0, 36), (1920, 38)], before=tempo), "", "x"), "x")
    assert len(sound(music, tmp_path, tail=False)) == 2 * 4 * 60 * kit.RATE // 96
    assert len(sound(part(seconds=0), tmp_path, tail=False)) == 2 * kit.RATE, "a bar of silence"


def test_silent_bars_at_the_end_of_a_beat_belong_to_the_loop(tmp_path: Path) -> None:
    song = Song("x", 4 * 4 * TICKS_PER_QUARTER, 120.0)
    data = write_drums(song, [(0, strokes([(36, 100)])), (100, strokes([(36, 0)]))])
    music = drum_part(read_midi(data, "", "x"), "x")
    assert len(sound(music, tmp_path, tail=False)) == 8 * kit.RATE


@pytest.mark.parametrize(
    "quarter", [0.5, 0.15]
)  # seconds; in the second loop of 0.6 seconds a crash rings on for rounds
def test_a_repeated_loop_sounds_as_the_music_played_on(
    quarter: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = 4 * quarter
    hits = [(0.25 * quarter * step, voice, 50 + 5 * step) for step in range(16) for voice in (step % 7, 7 + step % 2)]
    hits = [hit for hit in hits if hit[1] != CRASH or hit[0] == 0] + [(15.5 * quarter / 4, OPEN_HAT, 110)]
    once = dataclasses.replace(part(*hits, seconds=bar), tempos=((0.0, 60 / quarter),))
    rounds = 7
    again = [(time + bar * number, *rest) for number in range(rounds) for time, *rest in hits]
    monkeypatch.setattr("gmd_vae.rendering.sound._BLOCK", 5_000)
    loop = sound(once, tmp_path, tail=False)
    played = sound(dataclasses.replace(part(*again, seconds=bar * rounds), tempos=once.tempos), tmp_path)
    last = played[(rounds - 2) * len(loop) :][: len(loop)]
    assert len(loop) == round(bar * kit.RATE)
    np.testing.assert_allclose(loop, last, atol=2 / 32767)
    assert np.abs(loop[:200]).max() > 0, "the end of the music rings into its beginning"


def test_tempo_changes_move_the_sound(make_midi: MakeMidi, tmp_path: Path) -> None:
    # 120 bpm, and 60 from the second quarter on
    tempo = b"\x00\xff\x51\x03\x07\xa1\x20" + b"\x83\x60\xff\x51\x03\x0f\x42\x40"
    music = drum_part(read_midi(make_midi([(480, 38)], before=tempo), "", "x"), "x")
    assert music.tempos == ((0.0, 120.0), (0.5, 60.0))
    assert music.times.tolist() == pytest.approx([0.5 + 1.0])
    heard = np.abs(sound(music, tmp_path)).max(axis=1)
    assert np.argmax(heard > 0.01) / kit.RATE == pytest.approx(1.5, abs=0.002)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), st.integers(0, 127)), max_size=200),
    st.floats(0, 3),
)
def test_no_sample_clips_and_no_hit_is_lost(
    tmp_path_factory: pytest.TempPathFactory, hits: list[tuple[float, int, int]], seconds: float
) -> None:
    folder = tmp_path_factory.mktemp("dense")
    music = part(*hits, seconds=max([seconds, *(time for time, _, _ in hits)]))
    heard = sound(music, folder)
    assert np.abs(heard).max(initial=0) < 0.99
    assert np.abs(heard.mean(axis=0)).max() < 0.01
    assert bool(heard.any()) == bool(hits)
    first = (folder / "x.wav").read_bytes()
    write_wav(music, folder / "x.wav", tail=True)
    assert (folder / "x.wav").read_bytes() == first
