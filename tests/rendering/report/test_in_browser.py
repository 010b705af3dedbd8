"""The report page in a real browser: it loads without errors, plays, and downloads its MIDI files.

Playwright drives Chromium. Before the script of the page runs, the tests connect an analyser to its audio output,
and count the strokes that it starts.
"""

from __future__ import annotations

import io
import wave
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from fixtures.browser import ANALYSER, CONTRASTS, LOUD, QUIET
from gmd_vae.midi.writer import Song, strokes, write_drums
from gmd_vae.rendering.report.page import write_report
from gmd_vae.training.run.folder import read_run

MakeMidi = Callable[..., bytes]
MakeBeats = Callable[..., Path]
Open = Callable[..., Any]
Axe = Callable[[Any], dict[tuple[int, str], list[str]]]


@pytest.fixture
def midi(make_midi: MakeMidi) -> dict[str, bytes]:
    """Three beats of one bar: kick and hi-hat, snare and hi-hat, a tom."""
    pairs = ((36, 42), (38, 42), (45, 45))
    return {
        f"sample-{number:03d}.mid": make_midi([(240 * step, pair[step % 2]) for step in range(8)])
        for number, pair in enumerate(pairs)
    }


@pytest.fixture
def open_page(
    browser: Any, run_folder: Path, make_beats: MakeBeats, midi: dict[str, bytes], evaluated: Path
) -> Iterator[Open]:
    """Opens the page of a complete run in a new browser context; errors, dialogs and requests fail the test."""
    make_beats("sample", midi)
    names = (name.replace("sample", "interpolate") for name in midi)
    make_beats("interpolate", dict(zip(names, midi.values(), strict=True)), name="2026-11-22_190000")
    run = read_run(run_folder)
    assert run is not None
    address = write_report(run, run_folder / "report.html").path.as_uri()
    problems: list[str] = []
    contexts = []

    def opened(varied: Mapping[str, bytes] | None = None, **options: Any) -> Any:
        if varied:
            make_beats("vary", varied, name="2026-11-22_210000")
            write_report(run, Path(run_folder / "report.html"))
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: problems.append(request.url) if request.url != address else None)
        page.add_init_script(ANALYSER)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def cursor(page: Any) -> float:
    """Returns the position of the visible cursor, percent of its row."""
    (left,) = page.eval_on_selector_all(".cursor.on", "all => all.map(one => one.style.left)")
    return float(left.removesuffix("%"))


def pressed(page: Any) -> list[str]:
    return list(page.eval_on_selector_all("[aria-pressed=true]:not(.loop)", "all => all.map(one => one.dataset.play)"))


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.dataset.play"))


def test_a_beat_plays_by_keyboard_with_sound_and_a_moving_cursor_and_stops(open_page: Open) -> None:
    page = open_page()
    assert page.locator(".cursor.on").count() == 0
    while focused(page) != "b0":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function(LOUD)
    page.wait_for_selector("#b0 .cursor.on")
    assert page.evaluate("audio.context.state") == "running"
    assert pressed(page) == ["b0"]
    assert page.locator("[role=status]").inner_text() == "Playing: Beat 1"
    first = cursor(page)
    page.wait_for_function(f"() => parseFloat(document.querySelector('.cursor.on').style.left) > {first + 5}")
    # eight strokes, and it goes on from the start
    page.wait_for_function("() => audio.strokes > 8")
    page.keyboard.press("Enter")
    assert pressed(page) == []
    assert page.locator(".cursor.on").count() == 0
    page.wait_for_function(QUIET)
    strokes = page.evaluate("audio.strokes")
    page.wait_for_timeout(400)
    assert page.evaluate("audio.strokes") == strokes


def test_one_beat_plays_at_a_time_and_without_the_loop_it_ends(open_page: Open) -> None:
    page = open_page()
    page.locator("[data-play=b0]").click()
    page.wait_for_selector("#b0 .cursor.on")
    page.locator("[data-play=b1]").click()
    page.wait_for_selector("#b1 .cursor.on")
    assert pressed(page) == ["b1"]
    assert page.locator(".cursor.on").count() == 1
    page.locator(".loop").click()
    assert page.locator(".loop").get_attribute("aria-pressed") == "false"
    page.wait_for_function("() => !document.querySelector('.cursor.on')")
    assert pressed(page) == []
    assert page.locator(".stop").is_disabled()
    page.keyboard.press("l")
    assert page.locator(".loop").get_attribute("aria-pressed") == "true"
    page.locator("[data-play=b2]").click()
    page.wait_for_selector("#b2 .cursor.on")
    page.keyboard.press("Escape")
    assert pressed(page) == []


def test_arrow_keys_move_the_focus_from_beat_to_beat(open_page: Open) -> None:
    page = open_page(viewport={"width": 1280, "height": 900})
    page.locator("[data-play=b0]").focus()
    seen = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(focused(page))
    # two beats beside each other, the third below the first
    assert seen == ["b1", "b2", "b1", "b1"]


def test_an_interpolation_plays_in_order(open_page: Open) -> None:
    page = open_page(viewport={"width": 700, "height": 900})
    page.locator("[data-walk]").click()
    for number in (3, 4, 5):
        page.wait_for_selector(f"#b{number} .cursor.on")
    # the last beat is brought into view
    page.wait_for_function("() => document.querySelector('#b5').getBoundingClientRect().right <= innerWidth")
    page.wait_for_function("() => audio.strokes > 16")
    page.locator(".stop").click()
    assert pressed(page) == []


def test_a_midi_file_downloads_unchanged(open_page: Open, midi: dict[str, bytes], tmp_path: Path) -> None:
    page = open_page(accept_downloads=True)
    for name, data in midi.items():
        with page.expect_download() as download:
            page.locator(f"a[download='{name}']").click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes() == data


def saved(page: Any, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator(button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_tempo_of_the_page_is_that_of_sound_and_files(open_page: Open, tmp_path: Path) -> None:
    stem = "mine_sample_seed0_000_120bpm"
    data = write_drums(
        Song(stem, 2 * 1920, 120.0),
        [(0, strokes([(36, 100)])), (960, strokes([(49, 127)])), (1900, strokes([(36, 0)]))],
    )
    page = open_page({f"{stem}.mid": data}, accept_downloads=True)
    beat = page.locator(f"a[download='{stem}.mid']").get_attribute("data-midi")
    with wave.open(str(saved(page, f"[data-wav={beat}]", tmp_path))) as as_written:
        assert as_written.getnframes() == 4 * 44_100
        samples = np.frombuffer(as_written.readframes(4 * 44_100), "<i2").reshape(-1, 2)
    assert np.abs(samples[:400].astype(int)).max() > 1_000
    page.locator("#tempo").focus()
    page.keyboard.press("End")
    assert page.locator("output[for=tempo]").inner_text() == "240 bpm"
    path = saved(page, f"a[data-midi={beat}]", tmp_path)
    midi = mido.MidiFile(path)
    assert path.name == "mine_sample_seed0_000_240bpm.mid"
    assert (midi.tracks[0].name, midi.length) == (path.stem, pytest.approx(2))
    assert [m.type for m in midi.tracks[0]] == [m.type for m in mido.MidiFile(file=io.BytesIO(data)).tracks[0]]
    with wave.open(str(saved(page, f"[data-wav={beat}]", tmp_path))) as faster:
        assert faster.getnframes() == 2 * 44_100
    page.locator(f"[data-play={beat}]").click()
    page.wait_for_function("() => audio.strokes >= 8", timeout=9_000)  # four rounds of 2 seconds
    page.keyboard.press("Escape")
    page.locator("#tempo").focus()
    page.keyboard.press("Home")
    assert page.locator("output[for=tempo]").inner_text() == "as written"
    assert saved(page, f"a[data-midi={beat}]", tmp_path).read_bytes() == data


def test_all_beats_are_saved_in_one_archive(open_page: Open, midi: dict[str, bytes], tmp_path: Path) -> None:
    page = open_page(accept_downloads=True)
    folders = ("2026-11-22_180000", "2026-11-22_190000")
    names = [f"{folders[0]}/{name}" for name in midi]
    names += [f"{folders[1]}/{name.replace('sample', 'interpolate')}" for name in midi]
    with zipfile.ZipFile(saved(page, "[data-all=midi]", tmp_path)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == names
        assert [archive.read(name) for name in names] == 2 * [*midi.values()]
    path = saved(page, "[data-all=wav]", tmp_path)
    assert path.name == "mine_beats.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [name.replace("mid", kind) for name in names for kind in ("mid", "wav")]
        with archive.open(names[0].replace("mid", "wav")) as stream, wave.open(stream) as sound:
            assert sound.getnframes() == 2 * 44_100  # a bar at 120 bpm
    assert page.locator("[role=status]").inner_text() == "Saved 12 files in mine_beats.zip"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_has_enough_contrast_in_dark_and_light_mode(scheme: str, open_page: Open) -> None:
    page = open_page(color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    page.locator("[data-play=b0]").click()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found["ratio"] < 4.5] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 150) == (scheme == "dark")


def test_axe_finds_no_violation(open_page: Open, axe: Axe) -> None:
    page = open_page()
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    page.locator("[data-play=b0]").click()
    page.wait_for_selector("#b0 .cursor.on")
    assert axe(page) == {}


@pytest.mark.parametrize("width", [360, 768])
def test_on_a_phone_only_grids_and_tables_scroll_sideways(width: int, open_page: Open) -> None:
    page = open_page(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width == 360:  # a table of many columns is a list for each row
        assert page.locator(".many .scroll").first.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.locator(".walk .cards").evaluate("row => row.scrollWidth > row.clientWidth")
    page.locator("[data-play=b1]").tap()
    page.wait_for_selector("#b1 .cursor.on")
    small = page.eval_on_selector_all(
        "button, a", "all => all.filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
    )
    assert small == []


def test_the_table_of_evaluations_fits_a_desktop(open_page: Open) -> None:
    page = open_page(viewport={"width": 1280, "height": 800})
    assert page.locator(".many .scroll").first.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_every_control_and_picture_has_a_name_and_ids_are_unique(open_page: Open) -> None:
    page = open_page()
    nameless = page.eval_on_selector_all(
        "button, a, [role=img], [role=region], input, section",
        "all => all.filter(one => !(one.ariaLabel || one.innerText || one.labels?.[0]?.innerText || '').trim())"
        ".map(one => one.outerHTML)",
    )
    assert nameless == []
    ids = page.eval_on_selector_all("[id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("[id]:not(svg *)").count() == 8  # six beats, the tempo and the data
    assert page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(one => one.tagName)")[:4] == [
        "H1",
        "H2",
        "H3",
        "H4",
    ]


def test_reduced_motion_turns_flashing_labels_off(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    page.locator("[data-play=b0]").click()
    page.wait_for_function("() => audio.strokes > 4 && document.querySelector('.cursor.on')")
    assert page.locator(".lit").count() == 0
    assert cursor(page) >= 0


def test_names_from_the_run_are_escaped(
    browser: Any, run_folder: Path, make_beats: MakeBeats, midi: dict[str, bytes]
) -> None:
    evil = "<script>alert(1)</script>"
    data = midi["sample-000.mid"]
    make_beats(evil, {"<img src=x onerror=alert(2)>.mid": data}, name="<script", checkpoint={"name": evil})
    run = read_run(run_folder)
    assert run is not None
    page = browser.new_page()
    problems: list[str] = []
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(write_report(run, run_folder / "report.html").path.as_uri())
    assert page.locator("h2").first.inner_text() == evil
    assert evil in page.locator("h3").first.inner_text()
    assert page.locator("a").get_attribute("download") == "<img src=x onerror=alert(2)>.mid"
    assert problems == []
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'alert(3)'}))")
    assert len(problems) == 1  # the policy holds even where a script gets in
    assert "Content Security Policy" in problems[0]
    page.close()
