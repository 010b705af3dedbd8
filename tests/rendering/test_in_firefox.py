"""The studio and the report in stock Firefox, opened from disk, with one start of the browser."""

from __future__ import annotations

import json
import wave
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from fixtures import studio_features as features
from fixtures.browser import ANALYSER, CONTRASTS
from fixtures.firefox import Firefox
from fixtures.studio_features import LEVELS, LOUD, PITCHES, QUIET
from gmd_vae.midi.writer import Song, strokes, write_drums
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.report.page import write_report
from gmd_vae.rendering.studio.page import write_studio
from gmd_vae.training.run.folder import read_run


@pytest.fixture(scope="module")
def page_file(tiny_model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_studio(tiny_model, tmp_path_factory.mktemp("studio") / "studio.html").path


@pytest.fixture(scope="module")
def prepared(firefox: Firefox) -> Firefox:
    firefox.run_before(ANALYSER)
    return firefox


@pytest.fixture
def open_page(prepared: Firefox, page_file: Path) -> Iterator[Callable[..., Firefox]]:
    """Opens the page; console messages, errors, dialogs and requests fail the test."""

    def opened(hash: str = "") -> Firefox:
        prepared.set_size(1280, 900)
        prepared.open(page_file.as_uri() + hash)
        prepared.wait("document.body.dataset.ready === 'true'")
        return prepared

    yield opened
    problems = prepared.problems[:]
    prepared.problems.clear()
    assert problems == []


def test_it_plays_by_keyboard_and_saves_what_it_plays(open_page: Callable[..., Firefox]) -> None:
    page = open_page()
    page.press("Space")
    page.wait(LOUD)
    page.wait("document.querySelector('.cell.now') !== null")
    assert page.evaluate("audio.context.state") == "running"
    page.press("Escape")
    page.wait(QUIET)
    levels = page.evaluate(LEVELS)
    path = page.saved("[data-save=midi][data-of=beat]")
    assert path.name == "mine_beat-A_seed0_120bpm.mid"
    track, found, tick = mido.MidiFile(path).tracks[0], [], 0
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            found.append((round(tick / 120), message.note))
    assert (track.name, tick) == (path.stem, 64 * 120)
    assert sorted(found) == sorted((at // 9, PITCHES[at % 9]) for at in levels)
    with wave.open(str(page.saved("[data-save=wav][data-of=beat]"))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (44_100, 8 * 44_100)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(int)
    assert 3_000 < np.abs(samples).max() < 32_767


def test_edits_are_encoded_and_undone_and_a_phone_shows_all(open_page: Callable[..., Firefox]) -> None:
    page = open_page()
    before, place = page.evaluate(LEVELS), page.evaluate("document.querySelector('.point').getAttribute('style')")
    page.click(".cell[data-at='3']")
    assert set(page.evaluate(LEVELS)) ^ set(before) == {3}
    page.wait(f"document.querySelector('.point').getAttribute('style') !== {json.dumps(place)}")
    page.press("ArrowDown")
    page.press("3")
    assert page.evaluate("document.activeElement.ariaLabel") == "closed hi-hat, bar 1, step 1: accent"
    edited = page.evaluate(LEVELS)
    page.click(".cell[data-at='4']")
    assert page.evaluate(LEVELS) != edited
    page.press("Control", "z")
    assert page.evaluate(LEVELS) == edited
    contrasts = page.evaluate(f"({CONTRASTS})()")
    assert len(contrasts) > 30
    assert [found for found in contrasts if found["ratio"] < 4.5] == []
    page.set_size(360, 740)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = """[...document.querySelectorAll("button, input, select, summary")]
      .filter((one) => !one.hidden && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""
    assert page.evaluate(small) == []


def test_every_feature(open_page: Callable[..., Firefox], make_midi: Any) -> None:
    page = open_page()
    features.drive_sound(page)
    features.drive_pad(page)
    features.drive_changes(page)
    assert page.evaluate("navigator.requestMIDIAccess === undefined")
    page.click("#midi-out")
    page.wait("document.querySelector('#status').textContent.includes('has no Web MIDI')")
    features.drive_midi_output(page)
    features.drive_files(page, features.midi_of_two_windows(make_midi))
    features.drive_sharing(page, open_page)


def test_the_report_plays_and_saves_its_beats(
    prepared: Firefox, run_folder: Path, make_beats: Callable[..., Path], evaluated: Path
) -> None:
    stem = "mine_sample_seed0_000_120bpm"
    data = write_drums(Song(stem, 2 * 1920, 120.0), [(0, strokes([(36, 100)])), (960, strokes([(38, 127)]))])
    make_beats("sample", {f"{stem}.mid": data})
    run = read_run(run_folder)
    assert run is not None
    page = prepared
    page.set_size(1280, 900)
    page.open(write_report(run, run_folder / "report.html").path.as_uri())
    page.evaluate("document.querySelector('[data-play=b0]').focus()")
    page.press("Space")
    page.wait(LOUD)
    page.wait("document.querySelector('#b0 .cursor.on') !== null")
    page.press("Escape")
    page.wait(QUIET)
    assert page.evaluate("document.querySelector('[role=status]').textContent") == "Stopped"
    assert page.saved("a[data-midi=b0]").read_bytes() == data
    with zipfile.ZipFile(page.saved("[data-all=midi]")) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [data]
    with wave.open(str(page.saved("[data-wav=b0]"))) as sound:
        assert sound.getnframes() == 4 * 44_100
    page.evaluate("document.querySelector('#tempo').focus()")
    page.press("End")
    assert mido.MidiFile(page.saved("a[data-midi=b0]")).length == pytest.approx(2)
    page.set_size(360, 740)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []
