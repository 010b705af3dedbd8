"""The report page: its content, what it leaves out, and that no text of a run becomes HTML."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.generation.elsewhere import note_folder
from gmd_vae.generation.request import MODES
from gmd_vae.rendering.report import beats, json_files
from gmd_vae.rendering.report.page import Report, write_report
from gmd_vae.rendering.web.html import _hash, embedded
from gmd_vae.training.run.folder import read_run
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

MakeMidi = Callable[..., bytes]
MakeBeats = Callable[..., Path]

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;"


class Page(HTMLParser):
    """The elements, the visible text and the script data of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts, self._inside = "", [], ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


def report(folder: Path) -> tuple[Report, Page]:
    run = read_run(folder)
    assert run is not None
    written = write_report(run, folder / "report.html")
    assert written.size == (folder / "report.html").stat().st_size
    return written, Page(written.path)


def test_a_complete_run_has_all_parts_on_its_page(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi, evaluated: Path
) -> None:
    midi = [make_midi(), make_midi([(0, 38), (1920, 49)])]
    make_beats("sample", {"sample-000.mid": midi[0], "sample-001.mid": midi[1]})
    done, shown = report(run_folder)
    assert (done.beats, done.evaluations, done.missing, done.left_out) == (2, 1, [], [])
    links = shown.all("a")
    assert [link["download"] for link in links] == ["sample-000.mid", "sample-001.mid"]
    assert [base64.b64decode((link["href"] or "").split(",")[1]) for link in links] == midi
    for said in ("mine", "5,678 windows of 4 bars", "0.432", "Evaluation on 1,234 test windows", "Step accuracy 40%"):
        assert said in shown.text
    assert "120 bpm (assumed) · 4/4 (assumed) · 1\xa0bar · 3\xa0hits" in shown.text
    assert len(charts(shown)) == 3  # loss, ELBO, step accuracy
    assert shown.data["beats"]["b0"]["times"] == [0, 250, 500]
    assert shown.data["beats"]["b1"]["bars"] == [[0, 0.0], [2000, 4.0], [4000, 8.0]]
    assert done.size < 450_000


def test_the_page_loads_nothing_and_has_the_same_bytes_every_time(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi, evaluated: Path
) -> None:
    make_beats("sample", {"sample-000.mid": make_midi()})
    _, shown = report(run_folder)
    addresses = [value for _, found in shown.elements for key, value in found.items() if key in ("src", "href")]
    assert all(value and value.startswith(("data:", "#")) for value in addresses)  # "#": a mark of the same page
    assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/2000/svg", "", shown.source)  # a namespace
    assert not [key for _, found in shown.elements for key in found if key == "style" or key.startswith("on")]
    report(run_folder)
    assert (run_folder / "report.html").read_text(encoding="utf-8") == shown.source


def test_initial_weights_are_named_with_their_data_and_licence(run_folder: Path) -> None:
    described = json.loads((run_folder / "run.json").read_text())
    base = {"name": "base", "sha256": "b" * 64, "data": "groove", "licence": "CC BY 4.0."}
    chain = [{"name": "mine", "sha256": "a" * 64, "data": "songs"}, base]
    described |= {"init_from_digest": "a" * 64, "init_from_path": "runs/mine", "began_with": chain}
    (run_folder / "run.json").write_text(json.dumps(described))
    assert (
        "from mine (sha256 aaaaaaaaaaaa…), trained on songs. Licence: not stated; "
        "which began with base (sha256 bbbbbbbbbbbb…), trained on groove. Licence: CC BY 4.0"
    ) in report(run_folder)[1].text


def test_seed_and_code_of_the_training_are_on_the_page(run_folder: Path) -> None:
    described = json.loads((run_folder / "run.json").read_text())
    described |= {"seed": 20_181, "code": {"version": "0.9.0", "commit": "47e80d6<b>", "clean": False}}
    (run_folder / "run.json").write_text(json.dumps(described))
    text = report(run_folder)[1].text
    assert "20181" in text
    assert "commit 47e80d6<b> with changes" in text
    described["code"] = {"version": "0.9.0"}
    (run_folder / "run.json").write_text(json.dumps(described))
    assert "commit" not in report(run_folder)[1].text


def test_a_fetched_dataset_is_named(run_folder: Path) -> None:
    described = json.loads((run_folder / "run.json").read_text())
    described["data_source"] = {"dataset": "groove", "version": "1.0.0", "licence": "CC BY 4.0", "citation": "<b>J. G."}
    (run_folder / "run.json").write_text(json.dumps(described))
    assert "groove 1.0.0 (CC BY 4.0): <b>J. G." in report(run_folder)[1].text


def test_a_bare_run_names_its_missing_parts_and_their_commands(run_folder: Path) -> None:
    (run_folder / "metrics.jsonl").unlink()
    done, shown = report(run_folder)
    commands = [part.command for part in done.missing]
    assert commands == [
        f"gmd-vae generate --run-dir {run_folder}",
        f"gmd-vae train --run-dir {run_folder}",
        f"gmd-vae evaluate {run_folder}",
    ]
    assert all(command in shown.text for command in commands)
    assert done.left_out == []
    assert shown.data == {
        "name": "mine",
        "kit": [],
        "loudness": shown.data["loudness"],
        "beats": {},
    }  # no sounds where nothing plays


def test_every_mode_of_generate_has_a_section_with_a_heading(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi
) -> None:
    assert set(beats.SECTIONS) == set(MODES)
    for day, mode in enumerate(MODES, start=1):
        make_beats(mode, {f"{mode}-000.mid": make_midi()}, name=f"2026-11-0{day}_120000")
    done, shown = report(run_folder)
    assert (done.beats, done.left_out) == (len(MODES), [])
    titles = re.findall(r"<h2>(.*?)</h2>\n<p>", shown.source)
    assert titles[: len(MODES)] == [title for title, _ in beats.SECTIONS.values()]
    assert [link["download"] for link in shown.all("a")] == [f"{mode}-000.mid" for mode in beats.SECTIONS]


def test_an_interpolation_is_a_row_in_order_with_its_joined_file(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi
) -> None:
    files = {f"interpolate-{number:03d}.mid": make_midi([(0, 36 + 2 * (number == 2))]) for number in range(3)}
    joined = {"interpolate-joined.mid": make_midi([(0, 36), (1920, 36), (3840, 38)])}
    make_beats("interpolate", {**files, **joined}, inputs=[{"name": "a.mid"}, {"name": "b.mid"}], tempo=96.0)
    done, shown = report(run_folder)
    assert done.beats == 3
    assert shown.all("button", **{"data-walk": "b0 b1 b2"})
    assert [beat["title"] for beat in shown.data["beats"].values()] == ["Start", "Step 1", "End"]
    assert shown.all("a", download="interpolate-joined.mid")
    assert "a.mid → b.mid · temperature 0.5 · seed 3 · tempo 96 bpm" in shown.text


def test_the_settings_of_generate_are_shown(run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi) -> None:
    moves = [{"attribute": "hi-hat", "start": -1.0, "end": 2.0}]
    playing = {"tempo": 96.0, "velocity": None, "swing": 58.0, "feel": "GMD"}
    make_beats("attribute", {"attribute-000.mid": make_midi()}, temperature=0.0, moves=moves, playing=playing)
    _, shown = report(run_folder)
    assert "temperature 0 · seed 3 · hi-hat -1 to +2 · swing 58% · with a human feel" in shown.text


def test_every_string_of_a_run_is_escaped(run_folder: Path, make_midi: MakeMidi, evaluated: Path) -> None:
    folder = run_folder.with_name("<b>run")
    run_folder.rename(folder)
    described = json.loads((folder / "run.json").read_text())
    described |= {"examples": NASTY, "command": NASTY, "starts": [{"device": NASTY, "time": NASTY}]}
    described["versions"] = {NASTY: NASTY}
    described |= {"init_from_digest": "a" * 64, "init_from_path": NASTY}
    described["began_with"] = [{"name": NASTY, "sha256": "a" * 64}]
    (folder / "run.json").write_text(json.dumps(described))
    result_path = folder / "eval" / "test-400" / "result.json"
    result = json.loads(result_path.read_text())
    result_path.write_text(json.dumps({**result, "run": NASTY, "config": NASTY, "split": NASTY}))
    beats_of = folder / "generated" / "<i>mine<!--"
    beats_of.mkdir(parents=True)
    name = "'\"><script>alert(1)<.mid"
    (beats_of / name).write_bytes(make_midi())
    content = {"format": 1, "stage": "generate", "mode": NASTY, "checkpoint": {"name": NASTY}}
    content |= {"inputs": [{"name": NASTY}], "files": [{"name": name}, {"name": "</script>.mid"}]}
    (beats_of / "manifest.json").write_text(json.dumps(content))
    done, shown = report(folder)
    assert done.beats == 1
    assert len(done.left_out) == 1
    assert len(shown.all("script")) == 2
    assert not shown.all("img") + shown.all("b", onerror="") + shown.all("i", mine="")
    assert shown.all("a", download=name)
    assert shown.text.count(NASTY) >= 7
    assert "<b>run" in shown.text


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
@example("</script><!--<script>\u2028\u2029&]]>")
def test_data_in_a_script_element_cannot_end_it(content: Any) -> None:
    text = embedded(content)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == content


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../../secret.mid", "refused"),
        ("/etc/secret.mid", "absolute"),
        ("inner/beat.mid", "points outside"),
        ("link.mid", "link to a file outside"),
        ("gone.mid", "missing"),
        ("folder.mid", "missing"),
        ("text.mid", "cannot be read as MIDI"),
        ("large.mid", "larger than 4 MiB"),
        ("piano.mid", "no drums"),
        ("a\x00b.mid", "control characters"),
    ],
)
def test_files_that_are_not_beats_are_named_and_left_out(
    name: str, reason: str, run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi
) -> None:
    (run_folder.parents[1] / "secret.mid").write_bytes(make_midi())
    folder = make_beats("sample", {"sample-000.mid": make_midi()})
    (folder / "link.mid").symlink_to(run_folder.parents[1] / "secret.mid")
    (folder / "folder.mid").mkdir()
    (folder / "text.mid").write_text("not music")
    (folder / "large.mid").write_bytes(make_midi() + bytes(4 << 20))
    (folder / "piano.mid").write_bytes(make_midi([], before=b"\x00\x90\x3c\x40\x10\x80\x3c\x00"))
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["files"].append({"name": name})
    path.write_text(json.dumps(content))
    done, shown = report(run_folder)
    assert done.beats == 1
    (line,) = done.left_out
    assert line.startswith("generated/2026-11-22_180000/")
    assert reason in line
    assert line in shown.text


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"stage": "convert"}', "[" * 5000, b"\xff\xfe", None], ids=str
)
def test_damaged_json_files_are_named_and_left_out(
    damage: str | bytes | None, run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi, evaluated: Path
) -> None:
    make_beats("sample", {"sample-000.mid": make_midi()}, name="2026-11-21_090000")
    broken = make_beats("sample", {"sample-000.mid": make_midi()}) / "manifest.json"
    for path in (broken, evaluated):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    done, _ = report(run_folder)
    assert done.beats == 1
    places = [line.split(":")[0] for line in done.left_out]
    # an evaluation without a result was not measured; a folder of beats without a manifest is not whole
    assert places == ["eval/test-400", "generated/2026-11-22_180000"][damage is None :]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_gives_a_page(data: st.DataObject, run_folder: Path, evaluated: Path) -> None:
    keys = ["likelihood", "reconstruction", "checkpoint", "training", "novelty", "latent", "settings", "windows", "run"]
    evaluated.write_text(json.dumps({key: data.draw(JSON) for key in keys}))
    folder = run_folder / "generated" / "x"
    folder.mkdir(parents=True, exist_ok=True)
    keys = ["mode", "files", "inputs", "checkpoint", "seed", "temperature", "moves", "playing"]
    content = {key: data.draw(JSON) for key in keys} | {"stage": "generate"}
    (folder / "manifest.json").write_text(json.dumps(content))
    lines = data.draw(st.lists(st.dictionaries(st.sampled_from(["split", "step", "loss", "elbo", "accuracy"]), JSON)))
    (run_folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = read_run(run_folder)
    assert run is not None
    done = write_report(run, run_folder / "report.html")
    assert (run_folder / "report.html").stat().st_size == done.size > 10_000


def test_the_newest_folders_and_their_first_beats_are_shown_and_the_others_counted(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats, "MAX_BEATS", 2)
    for day in range(1, 6):
        make_beats("sample", {f"d{day}-{n}.mid": make_midi() for n in range(5)}, name=f"2026-11-0{day}_120000")
    make_beats("sample", {"zz.mid": make_midi()}, name="zzz")  # not named by the time: older than all that are
    make_beats("vary", {"vary-000.mid": make_midi()}, name="2026-01-01_120000")
    done, shown = report(run_folder)
    assert [link["download"] for link in shown.all("a")] == [
        *(f"d{day}-{number}.mid" for day in (5, 4, 3) for number in (0, 1)),
        "vary-000.mid",
    ]
    assert "And 3 more in generated/2026-11-05_120000." in shown.text
    assert "And 3 earlier folders in generated." in shown.text
    monkeypatch.setattr(beats, "MAX_PAGE_BYTES", 2 * len(make_midi()))
    done, _ = report(run_folder)
    assert (done.beats, done.left_out) == (2, [])


def test_beats_in_a_folder_of_the_users_choice_are_shown_by_their_time(
    run_folder: Path, make_beats: MakeBeats, make_midi: MakeMidi, tmp_path: Path
) -> None:
    moved = make_beats("sample", {"mine.mid": make_midi()}, name="x").rename(tmp_path / "my beats")
    note_folder(run_folder / "generated", moved, "2026-11-22_120000")
    for hour in (9, 15):
        make_beats("sample", {f"{hour}.mid": make_midi()}, name=f"2026-11-22_{hour:02d}0000")
    done, shown = report(run_folder)
    assert (done.beats, done.left_out) == (3, [])
    assert [link["download"] for link in shown.all("a")] == ["15.mid", "mine.mid", "9.mid"]
    assert [beat["folder"] for beat in shown.data["beats"].values()] == [
        "generated/2026-11-22_150000",
        "my beats",
        "generated/2026-11-22_090000",
    ]
    assert str(tmp_path) not in shown.source.replace(str(run_folder), ""), "no path of the machine"


def test_large_files_are_left_out(run_folder: Path, evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MAX_JSON_BYTES", (run_folder / "run.json").stat().st_size)
    evaluated.write_text(evaluated.read_text() + " " * 10_000)
    monkeypatch.setattr("gmd_vae.rendering.report.curves.MAX_BYTES", 100)
    done, _ = report(run_folder)
    assert [line.split(":")[0] for line in done.left_out] == ["metrics.jsonl", "eval/test-400"]
    assert all("larger than" in line for line in done.left_out)


def test_a_file_that_is_not_a_report_is_not_replaced(run_folder: Path) -> None:
    run = read_run(run_folder)
    assert run is not None
    before = (run_folder / "run.json").read_bytes()
    with pytest.raises(GmdVaeError, match="exists, and gmd-vae did not write it"):
        write_report(run, run_folder / "run.json")
    assert (run_folder / "run.json").read_bytes() == before
    with pytest.raises(GmdVaeError, match="is a folder"):
        write_report(run, run_folder)
    write_report(run, run_folder / "new" / "page.html")
    write_report(run, run_folder / "new" / "page.html")
    assert [path.name for path in (run_folder / "new").iterdir()] == ["page.html"]


def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else(run_folder: Path) -> None:
    _, shown = report(run_folder)
    (policy,) = [found["content"] or "" for found in shown.all("meta", **{"http-equiv": "Content-Security-Policy"})]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    style = re.search(r"<style>(.*?)</style>", shown.source, re.DOTALL)
    assert style is not None
    assert _hash(style[1]) in policy
    assert _hash(shown.scripts[1]) in policy
    assert html.unescape(policy) == policy


def charts(shown: Page) -> list[str]:
    """The charts of a page, as HTML."""
    return re.findall(r'<div class="chart">(<svg .*?</svg>)</div>', shown.source, re.DOTALL)


def test_charts_use_text_the_colours_of_the_page_and_unique_ids(run_folder: Path) -> None:
    _, shown = report(run_folder)
    found = charts(shown)
    assert [re.findall(r'font-weight="700"[^>]*>(.*?)<', chart) for chart in found] == [
        ["Loss"],
        ["ELBO"],
        ["Step accuracy"],
    ]
    assert "training from −305 at step 20 to −115 at step 400; validation from −149" in found[1]
    for chart in found:
        assert {"step", "best validation"} <= set(re.findall(r">([^<]+)<", chart))
        assert {"var(--ink)", "var(--soft)", "var(--panel)"} <= set(re.findall(r'="(var\(.*?\))"', chart))
        assert not re.search(r'"#[0-9a-f]{6}"|style=|http', chart)
        assert len(chart) < 12_000
    ids = [set(re.findall(r' id="(\w+)"', chart)) for chart in found]
    assert all(ids)
    assert len(set.union(*ids)) == sum(map(len, ids))
    for chart, own in zip(found, ids, strict=True):
        assert set(re.findall(r"#(\w+)", chart)) == own  # every reference stays within its chart
