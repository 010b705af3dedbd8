"""The studio in a real browser, opened from disk: it plays, saves what it plays, and follows edits.

Playwright drives Chromium. Errors, dialogs and requests of the page fail each test.
"""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gmd_vae
import mido
import numpy as np
import pytest
from fixtures import studio_features as features
from fixtures.browser import ANALYSER, CONTRASTS, LOUD, QUIET, Chromium
from fixtures.tool_module import load_tool
from gmd_vae.common import temperatures
from gmd_vae.datasets.safe_names import safe_stem
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.forward.numpy_model import NumpyModel
from gmd_vae.models.model_file import ModelFile, read_model
from gmd_vae.rendering.studio.page import write_studio

Open = Callable[..., Any]
Axe = Callable[[Any], dict[tuple[int, str], list[str]]]
LEVELS = f"() => {features.LEVELS}"
load_tool("measure_studio")  # which the other one imports
COMPARISON = load_tool("compare_studio")
EVIL = "<img src=x onerror=alert(2)></script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def page_file(tiny_model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    card = dataclasses.replace(tiny_model.card, name=EVIL, summary=EVIL)
    model = dataclasses.replace(tiny_model, card=card)
    return write_studio(model, tmp_path_factory.mktemp("studio") / "studio.html").path


@pytest.fixture
def open_page(browser: Any, page_file: Path) -> Iterator[Open]:
    problems: list[str] = []
    contexts = []

    def opened(hash: str = "", **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda one: problems.append(one.url) if not one.url.startswith(("file:", "blob:")) else None)
        page.add_init_script(ANALYSER)
        page.goto(page_file.as_uri() + hash)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def saved(page: Any, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator(button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def hits_of(path: Path) -> list[tuple[int, int]]:
    """Nearest step and pitch of each note."""
    found, tick = [], 0
    for message in mido.MidiFile(path).tracks[0]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            found.append((round(tick / 120), message.note))
    assert tick == 64 * 120  # exact bars
    return sorted(found)


def test_space_plays_with_sound_and_a_moving_cursor_and_stops(open_page: Open, tiny_model: ModelFile) -> None:
    page = open_page(viewport={"width": 1280, "height": 800})
    assert page.locator("h1").inner_text() == EVIL
    assert page.locator(".scroll").evaluate("box => box.scrollWidth <= box.clientWidth")  # all four bars are visible
    reference = NumpyModel(tiny_model.config, tiny_model.hparams, halves(tiny_model), seed=0)
    labels = reference.decode(prior_of(tiny_model), temperatures.DRUM_LABELS)[
        0
    ]  # the beat of `gmd-vae generate --seed 0`
    assert sorted(page.evaluate(LEVELS)) == [
        9 * s + d for s, label in enumerate(labels) for d in range(9) if label >> d & 1
    ]
    page.keyboard.press("Space")
    page.wait_for_function(LOUD)
    assert page.evaluate("audio.context.state") == "running"
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    page.wait_for_selector(".cell.now")
    first = page.locator(".cell.now").first.get_attribute("data-at")
    page.wait_for_function(f"() => document.querySelector('.cell.now').dataset.at !== '{first}'")
    page.keyboard.press("Space")
    page.wait_for_function(QUIET)
    assert page.locator(".cell.now").count() == 0
    assert page.locator("#status").inner_text() == "Stopped"


def test_midi_and_wav_have_the_beat_of_the_grid_and_of_the_chain(open_page: Open, tmp_path: Path) -> None:
    page = open_page(accept_downloads=True)
    page.locator("#tempo").fill("180")
    pitches = (36, 38, 42, 46, 45, 48, 50, 49, 51)
    midi = saved(page, "[data-save=midi][data-of=beat]", tmp_path)
    assert midi.stem == f"{safe_stem(EVIL)}_beat-A_seed0_180bpm"
    assert mido.MidiFile(midi).tracks[0].name == midi.stem
    assert hits_of(midi) == sorted((at // 9, pitches[at % 9]) for at in page.evaluate(LEVELS))
    with wave.open(str(saved(page, "[data-save=wav][data-of=beat]", tmp_path))) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (44_100, 2, 2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    assert len(samples) / 2 == 16 * 60 * 44_100 // 180, "a loop of exactly four bars"
    assert 3_000 < np.abs(samples.astype(int)).max() < 32_767  # the limiter lets no sample clip
    page.locator("#add").click()
    page.locator("[data-corner='1']").click()
    page.locator("#add").click()
    chain = mido.MidiFile(saved(page, "[data-save=midi][data-of=chain]", tmp_path))
    assert chain.length == pytest.approx(32 * 60 / 180, rel=1e-4)
    page.locator("#play-chain").click()
    page.wait_for_function(LOUD)
    page.keyboard.press("Escape")
    page.wait_for_function(QUIET)


def test_an_edit_moves_the_point_and_tidy_and_surprise_decode_and_undo_goes_back(open_page: Open) -> None:
    page = open_page()
    before, place = page.evaluate(LEVELS), page.locator(".point").get_attribute("style")
    page.locator(".cell[data-at='3']").click()
    assert set(page.evaluate(LEVELS)) ^ set(before) == {3}
    page.wait_for_function(f"() => document.querySelector('.point').getAttribute('style') !== {place!r}")
    # by keyboard: down in the column of the first step, and an accent there
    page.keyboard.press("ArrowDown")
    page.keyboard.press("3")
    assert page.locator(".cell[data-at='2']").get_attribute("aria-label") == "closed hi-hat, bar 1, step 1: accent"
    assert page.locator("#status").inner_text() == "closed hi-hat, bar 1, step 1: accent"
    edited = page.evaluate(LEVELS)
    page.locator("#tidy").click()
    page.wait_for_function("() => document.querySelector('#name').textContent === 'tidy beat'")
    page.locator("#surprise").click()
    page.wait_for_function("() => document.querySelector('#name').textContent === 'surprise 1'")
    for _ in range(2):
        page.locator("#undo").click()
    assert page.evaluate(LEVELS) == edited
    for _ in range(2):
        page.keyboard.press("Control+z")
    assert page.evaluate(LEVELS) == before
    page.keyboard.press("Control+Shift+z")
    assert set(page.evaluate(LEVELS)) ^ set(before) == {3}
    # settings, locks and the chain too
    page.locator("#tempo").fill("99")
    page.locator("[data-lock='drums 3']").click()
    page.locator("#add").click()
    shown = [("#tempo", "value"), ("[data-lock='drums 3']", "ariaPressed"), ("#chain", "childElementCount")]
    looks = [[page.eval_on_selector(one, f"found => found.{key}") for one, key in shown]]
    for _ in range(3):
        page.locator("#undo").click()
        looks.append([page.eval_on_selector(one, f"found => found.{key}") for one, key in shown])
    assert looks == [["99", "true", 1], ["99", "true", 0], ["99", "false", 0], ["120", "false", 0]]
    assert page.locator("output[for=tempo]").inner_text() == "120 bpm"


def test_undo_leaves_out_a_change_that_waits_for_the_one_before(open_page: Open) -> None:
    page = open_page()
    before = page.evaluate(LEVELS)
    page.locator("#add").click()  # a step before, without which the button for undo is off
    page.evaluate(
        """() => {
            const slider = document.querySelector("[data-attribute]");
            for (const value of [150, 300]) { // in one task, so that the second one waits
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
            }
            document.querySelector("#undo").click();
        }"""
    )
    page.locator("#vary").click()  # more requests to the model than both changes need
    page.wait_for_selector("#variations button")
    assert page.locator("#name").inner_text() == "beat A"
    assert page.evaluate(LEVELS) == before
    assert page.locator("#grid").get_attribute("aria-busy") == "false"


def test_every_feature(open_page: Open, make_midi: Any, tmp_path: Path) -> None:
    page = Chromium(open_page(viewport={"width": 1280, "height": 900}), tmp_path)
    features.drive_sound(page)
    features.drive_pad(page)
    features.drive_changes(page)
    assert features.drive_midi_output(page) == pytest.approx(60_000 / 240 / 24, rel=0.05)
    features.drive_files(page, features.midi_of_two_windows(make_midi))
    features.drive_sharing(page, lambda hash: Chromium(open_page(hash), tmp_path))


def test_without_web_midi_the_page_says_so(open_page: Open) -> None:
    page = open_page()
    page.evaluate("navigator.requestMIDIAccess = undefined")
    page.locator("#midi-out").click()
    page.wait_for_function("() => document.querySelector('#status').textContent.includes('has no Web MIDI')")


def test_a_midi_file_opens_as_windows_and_a_bad_one_is_named(open_page: Open, make_midi: Any) -> None:
    page = open_page()
    data = make_midi([*((240 * step, 36 if step % 2 else 42) for step in range(39)), (240 * 39, 38)])
    page.locator("#file").set_input_files({"name": "<b>song.mid", "mimeType": "audio/midi", "buffer": data})
    page.wait_for_selector("#windows li:nth-child(2)")
    assert page.locator("#read").inner_text() == (
        "<b>song.mid: 2 windows of 4 bars: press to take one. The fullest regular one is window 1. "
        "It gives no tempo: 120 bpm."
    )
    page.locator("#windows button").first.click()
    assert page.locator("#hits").inner_text() == "32 hits"
    page.locator("#file").set_input_files({"name": "bad.mid", "mimeType": "audio/midi", "buffer": b"MThd"})
    page.wait_for_function("() => document.querySelector('#windows').children.length === 0")
    assert page.locator("#read").inner_text() == "bad.mid could not be read: it is no MIDI file."
    # drums on channel 1: a button reads them, by keyboard too, and the focus goes on to the windows
    on_channel_1 = make_midi([(240 * step, 36 if step % 2 else 42) for step in range(8)])
    on_channel_1 = on_channel_1.replace(b"\x99", b"\x90").replace(b"\x89", b"\x80")
    page.locator("#file").set_input_files({"name": "one.mid", "mimeType": "audio/midi", "buffer": on_channel_1})
    button = page.get_by_role("button", name="Read channel 1 as drums")
    button.focus()
    assert page.locator("#read").inner_text().startswith("one.mid: no drums. Left out: 8 notes of other instruments.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#windows li")
    assert page.locator("#read").inner_text() == (
        "one.mid: 1 window of 4 bars: press to take it. It has 1 bar: repeated to 4. It gives no tempo: 120 bpm."
    )
    assert not button.is_visible()
    page.wait_for_selector("#windows button:focus")
    page.keyboard.press("Enter")
    assert page.locator("#hits").inner_text() == "32 hits"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_has_large_targets_and_readable_text(scheme: str, open_page: Open) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    page = open_page(**phone, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("() => { Element.prototype.scrollTo = ({behavior}) => { window.scrolled = behavior; }; }")
    page.locator("#play").tap()
    page.wait_for_function("() => window.scrolled === 'instant'")  # to the bar that sounds
    page.locator("#play").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    small = page.eval_on_selector_all(
        "button, input, select, summary",
        "all => all.filter((one) => !one.hidden && one.getBoundingClientRect().height < 44)"
        ".map((one) => one.outerHTML)",
    )
    assert small == []
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 30
    assert [found for found in contrasts if found["ratio"] < 4.5] == []
    nameless = page.eval_on_selector_all(
        "button, input, [role=gridcell], [role=grid]",
        "all => all.filter((one) => !(one.ariaLabel || one.innerText || one.labels?.[0]?.innerText || '').trim())"
        ".map((one) => one.outerHTML)",
    )
    assert nameless == []


def test_the_bundled_model_in_the_page_gives_the_numbers_and_beats_of_python(browser: Any, tmp_path: Path) -> None:
    model = read_model(bundled_models()[DEFAULT])
    labels = np.random.default_rng(3).integers(0, 512, (20, 64))
    asked = COMPARISON.questions(model, labels, count=20, seed=7)
    page = browser.new_page()
    page.goto(write_studio(model, tmp_path / "studio.html").path.as_uri())
    found = page.evaluate(COMPARISON.IN_PAGE, asked)
    page.close()
    with gmd_vae.load(DEFAULT) as loaded:
        beats = np.array([beat.labels for beat in loaded.sample(20, seed=7)])
    off = COMPARISON.differences(found, {**COMPARISON.answers_of_python(model, asked), "beats": beats})
    assert off["likeliest"] == off["sampled"] == off["beats"] == 0
    assert max(off["means"], off["scales"], off["prior"]) < 2e-5


def test_axe_finds_no_violation(open_page: Open, axe: Axe) -> None:
    page = open_page()
    page.locator("[data-lock='drums 8']").click()
    page.locator("#add").click()
    page.locator("summary").click()
    page.locator("#vary").click()
    page.wait_for_selector("#variations li:nth-child(8)")
    assert axe(page) == {}


def halves(model: ModelFile) -> dict[str, Any]:
    return {name: values.astype(np.float16).astype(np.float32) for name, values in model.variables.items()}


def prior_of(model: ModelFile) -> Any:
    from gmd_vae.common.latent_points import prior

    return prior(4, model.hparams["z_size"], seed=0)


def test_sliders_that_move_while_a_beat_is_computed_keep_their_places(open_page: Open) -> None:
    page = open_page(viewport={"width": 1280, "height": 900})
    moves = """() => {
        for (const [name, value] of [["busier", "10"], ["syncopation", "30"], ["busier", "20"]]) {
            const slider = document.querySelector(`[data-attribute=${name}]`);
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }
    }"""
    page.evaluate(moves)
    page.wait_for_function("() => document.querySelector('#name').textContent === 'changed beat'")
    page.wait_for_timeout(1500)  # milliseconds: all beats are there
    shown = [page.locator(f"[data-attribute={name}]").input_value() for name in ("busier", "syncopation")]
    assert shown == ["20", "30"]
