"""The studio in stock Firefox, opened from disk: the main features, with one start of the browser."""

from __future__ import annotations

import base64
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from fixtures.browser import ANALYSER
from fixtures.firefox import Firefox
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.studio.page import write_studio

LOUD, QUIET = "Boolean(audio.level && audio.level() > 0.02)", "audio.level() < 0.001"
LEVELS = """[...document.querySelectorAll(".cell")]
  .filter((one) => one.dataset.level !== "0").map((one) => Number(one.dataset.at))"""
PITCHES = (36, 38, 42, 46, 45, 48, 50, 49, 51)
DROP = """(() => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob("%s"), (letter) => letter.charCodeAt(0))], "song.mid"));
  document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
})()"""


@pytest.fixture(scope="module")
def page_file(tiny_model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_studio(tiny_model, tmp_path_factory.mktemp("studio") / "studio.html").path


@pytest.fixture(scope="module")
def prepared(firefox: Firefox) -> Firefox:
    firefox.run_before(ANALYSER)
    firefox.set_size(1280, 900)
    return firefox


@pytest.fixture
def open_page(prepared: Firefox, page_file: Path) -> Iterator[Callable[..., Firefox]]:
    """Opens the page; console messages, errors, dialogs and requests fail the test."""

    def opened(hash: str = "") -> Firefox:
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


def test_edits_by_pointer_and_keyboard_are_encoded_undone_and_shared(open_page: Callable[..., Firefox]) -> None:
    page = open_page()
    before, place = page.evaluate(LEVELS), page.evaluate("document.querySelector('.point').getAttribute('style')")
    page.click(".cell[data-at='3']")
    assert set(page.evaluate(LEVELS)) ^ set(before) == {3}
    page.wait(f"document.querySelector('.point').getAttribute('style') !== {json.dumps(place)}")
    page.press("ArrowDown")
    page.press("3")
    assert page.evaluate("document.activeElement.ariaLabel") == "closed hi-hat, bar 1, step 1: accent"
    edited = page.evaluate(LEVELS)
    page.wait("location.hash.length > 9")
    address = page.evaluate("new Promise((done) => setTimeout(() => done(location.hash), 500))")
    assert open_page(address).evaluate(LEVELS) == edited
    page.click(".cell[data-at='4']")
    assert page.evaluate(LEVELS) != edited
    page.press("Control", "z")
    assert page.evaluate(LEVELS) == edited


def test_a_dropped_midi_file_opens_as_windows(open_page: Callable[..., Firefox], make_midi: Any) -> None:
    page = open_page()
    data = make_midi([(240 * step, 36 if step % 2 else 42) for step in range(40)])
    page.evaluate(DROP % base64.b64encode(data).decode("ascii"))
    page.wait("document.querySelectorAll('#windows li').length === 2")
    assert page.evaluate("document.querySelector('#read').textContent") == "song.mid: 2 windows."
    page.click("#windows button")
    page.wait("document.querySelector('#hits').textContent === '32 hits'")
