"""The documentation works: a reader who follows a page meets no error, and sees the output that it shows.

Long work has tiny settings here (``fixtures.pages``).
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.band import write_band
from fixtures.command_line import Answer, run_here
from fixtures.page_runs import compute_only, write_random_archive, write_random_run
from fixtures.pages import Block, Reader, blocks_of, needs_others, outputs_of, squeezed, tiny
from fixtures.tempo_maps import TICKS, tempo_map_midi
from gmd_vae.configuration.registry import DEFAULT_CONFIG

ROOT = Path(__file__).parent.parent.parent
ALL_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [
    page
    for page in ALL_PAGES
    if page.name != "python.md"  # tests/api/test_page.py
    and {block.language for block in blocks_of(page)} & {"sh", "python"}
]
# what the page takes for granted: files of the reader, examples, or a trained run
HAS_MUSIC = {
    *("README.md", "own-midi.md", "fine-tuning.md", "from-magenta.md", "gpu.md", "colab.md"),
    *("data.md", "evaluation.md", "first-model.md", "generation.md", "systems.md"),
}
HAS_BAND = {"systems.md"}  # my-music: melodies, bass, drums
HAS_STARTER_SET = {"producer.md"}  # as the reader's own folder my_midi
HAS_NOTES = {"systems.md"}
HAS_EXAMPLES = {
    **{name: ["groove"] for name in ("cluster.md", "configs.md", "evaluation.md")},
    "training.md": ["groove", "my_midi"],
}
HAS_RUNS = {"formats.md", "folders.md"}
# with random weights: what is trained in three steps decodes every z to the same music
HAS_RANDOM_RUNS = {
    "evaluation.md": {
        "hierdec-drum_4bar_small": DEFAULT_CONFIG,
        "small": DEFAULT_CONFIG,
        "flat": "flat-drum_4bar_small",
    },
    "studio.md": {"small": DEFAULT_CONFIG},
}
# the config of a run that the reader trains before the block that names it, and not before the page
TRAINED_MEANWHILE = {"generation.md": "cat-mel_2bar_small_chords"}
# Pages with many trainings and evaluations: the commands and runs that compute a model there. The other trainings and
# evaluations have random weights and predictions; NumPy generates with every model. Tests of the models:
# tests/training/test_systems.py, tests/models/inference/, tests/generation/test_systems.py.
COMPUTED = {
    "cluster.md": {"train flat-seed0", "evaluate flat-seed0"},
    "configs.md": {"train my-drums"},
    "data.md": {"train song-tuned", "generate song-tuned"},
    "evaluation.md": {"evaluate flat"},
    "fine-tuning.md": {"train my_midi-tuned", "evaluate my_midi-tuned"},
    "first-model.md": {
        *("train hierdec-drum_4bar_small", "generate hierdec-drum_4bar_small"),
        "evaluate hierdec-drum_4bar_small-groove-rock-beat",  # the newest run; random, since the modes need variations
    },
    "producer.md": {"train my_midi-tuned", "generate my_midi-tuned"},
    "researcher.md": {"train blank-seed0", "evaluate blank-seed0"},
    "student.md": {"train hierdec-drum_4bar-ar_small", "evaluate hierdec-drum_4bar-ar_small"},
    "training.md": {"train averaged"},
    "systems.md": {"train cat-mel_2bar_laptop", "generate hier-multiperf_vel_1bar_small"},
}
TRAINS = [
    page
    for page in PAGES
    if page.name in {*HAS_RUNS, *TRAINED_MEANWHILE}
    or any(
        block.language == "sh" and re.search(r"gmd-vae (train|evaluate|doctor)\b", block.text)
        for block in blocks_of(page)
    )
]
# the output of these is the same on every machine, and that of generate with a model of the package; training and
# evaluation have tiny settings here
STABLE = {"fetch", "convert", "preprocess", "inspect", "export", "models", "configs"}
SHOWS_TRAINED_RUNS = {"researcher.md"}  # the outputs of its Python blocks are of runs with the settings of the page


def name_of(page: Path) -> str:
    """Returns the name of a page's test."""
    return str(page.relative_to(ROOT))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    folder, tools = tmp_path / "work", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    reader = Reader(folder, tools, run_here)
    yield reader
    reader.close()


def follow(page: Path, reader: Reader) -> None:
    outputs = outputs_of(page)
    for block in blocks_of(page):
        if block.language == "python":
            printed = reader.python(block, page)
            if page.name not in SHOWS_TRAINED_RUNS:
                check_output(page, block, outputs, printed)
        elif block.language == "sh":
            meanwhile = TRAINED_MEANWHILE.get(page.name)
            if meanwhile and meanwhile in block.text:
                write_random_run(reader.folder / "runs" / meanwhile, config_name=meanwhile)
            before = len(reader.done)
            printed = reader.shell(block.text)
            if all(is_stable(words, reader.folder) for words in reader.done[before:]):
                check_output(page, block, outputs, printed)


def is_stable(words: list[str], folder: Path) -> bool:
    """True if a command prints the same in the tests and on the reader's machine."""
    of_package = "--model" in words or not (folder / "runs").exists()  # else generate takes the newest run
    return words[0] in STABLE or (words[0] == "generate" and "--run-dir" not in words and of_package)


def check_output(page: Path, block: Block, outputs: dict[int, list[str]], printed: str) -> None:
    """Checks that all lines that the page shows below a block are among those that the block printed."""
    lines = {*map(squeezed, printed.splitlines()), "..."}
    missing = [line for line in outputs.get(block.line, []) if line not in lines]
    assert missing == [], f"{page.name}, line {block.line}: not in the output"


def prepare(page: Path, reader: Reader, request: pytest.FixtureRequest) -> None:
    """Gives the reader what the page takes for granted."""
    folder = reader.folder
    if page.name in HAS_MUSIC:
        songs: list[Path] = request.getfixturevalue("starter_midi")
        (folder / "my_midi").mkdir()
        for number, song in enumerate(songs[:40]):
            shutil.copy(song, folder / "my_midi" / f"{number}.mid")
        for name in ("a", "b", "song", "beat", "drums"):
            shutil.copy(songs[0], folder / f"{name}.mid")
    if page.name == "metres.md":  # its own config is in 5/4
        (folder / "my_midi").mkdir()
        for number in range(12):
            hits = [(beat * TICKS, 36 + number % 3) for beat in range(20)]
            music = tempo_map_midi(hits, {0: 100}, {0: (5, 4)})
            (folder / "my_midi" / f"{number}.mid").write_bytes(music)
        run_here(folder, "convert", "my_midi", "--split", "100/0/0")
    if page.name in HAS_STARTER_SET:
        first: Path = request.getfixturevalue("starter_midi")[0]
        root = next(above for above in first.parents if (above / "info.csv").is_file())
        shutil.copytree(root, folder / "my_midi")
    if page.name in HAS_BAND:
        write_band(folder / "my-music")
    if page.name == "systems.md":
        write_random_archive(folder / "groovae_4bar.tar")
    if page.name in HAS_NOTES:
        shutil.copytree(request.getfixturevalue("starter_notes"), folder / "data" / "notes" / "groove")
    for name in HAS_EXAMPLES.get(page.name, []):
        examples = folder / "data" / "examples" / name / "hierdec-drum_4bar_small"
        shutil.copytree(request.getfixturevalue("starter_examples"), examples)
    if page.name in HAS_RUNS:
        shutil.copytree(request.getfixturevalue("tiny_run"), folder / "runs" / "hierdec-drum_4bar_small")
    for name, config in HAS_RANDOM_RUNS.get(page.name, {}).items():
        write_random_run(folder / "runs" / name, request.getfixturevalue("starter_examples"), config)
    for name in ("docs", "tools"):
        (folder / name).symlink_to(ROOT / name)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in TRAINS], ids=name_of)
def test_a_page_can_be_followed(page: Path, reader: Reader, request: pytest.FixtureRequest) -> None:
    prepare(page, reader, request)
    follow(page, reader)


@pytest.mark.tensorflow
@pytest.mark.usefixtures("without_pictures", "few_decoded")
@pytest.mark.parametrize("page", TRAINS, ids=name_of)
def test_a_page_that_trains_can_be_followed(
    page: Path, reader: Reader, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = COMPUTED.get(page.name)
    done = computed if computed is None else compute_only(computed, monkeypatch)
    prepare(page, reader, request)
    follow(page, reader)
    assert done == computed


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        page = tmp_path / "page.md"
        page.write_text(text)
        return page

    return write


def test_a_command_that_fails_fails_the_page(reader: Reader, written: Callable[[str], Path]) -> None:
    with pytest.raises(AssertionError, match="There is no model 'grove'"):
        follow(written("```sh\ngmd-vae models grove\necho never\n```\n"), reader)
    with pytest.raises(AssertionError, match="nowhere"):
        follow(written("```sh\ncp nowhere here\n```\n"), reader)


def test_an_output_that_changed_fails_the_page(reader: Reader, written: Callable[[str], Path]) -> None:
    summary = "Starter set: 88 MIDI files in DIR (train 70, validation 9, test 9)"
    page = f"```sh\ngmd-vae fetch starter --output-dir DIR\n```\n\n```text\n{summary}\n...\n```\n"
    follow(written(page.replace("DIR", "one")), reader)
    with pytest.raises(AssertionError, match="line 2: not in the output"):
        follow(written(page.replace("DIR", "two").replace("88", "89")), reader)


def test_an_output_of_python_or_of_generate_that_changed_fails_the_page(
    reader: Reader, written: Callable[[str], Path]
) -> None:
    block = "```python\nprint(1 + 1)\n```\n\n```text\n{}\n```\n"
    follow(written(block.format(2)), reader)
    with pytest.raises(AssertionError, match="line 2: not in the output"):
        follow(written(block.format(3)), reader)
    beats = "```sh\ngmd-vae generate -n 1 --output-dir DIR\n```\n\n```text\nWrote NUMBER MIDI file to DIR\n...\n```\n"
    follow(written(beats.replace("DIR", "one").replace("NUMBER", "1")), reader)
    with pytest.raises(AssertionError, match="line 2: not in the output"):
        follow(written(beats.replace("DIR", "two").replace("NUMBER", "2")), reader)


def test_an_output_belongs_to_the_block_right_above_it(written: Callable[[str], Path]) -> None:
    page = written("```sh\none\n```\n\n```text\n| a\n```\n\n```sh\ntwo\n```\n\nwords\n\n```text\nb\n```\n")
    assert outputs_of(page) == {2: ["| a"]}


def test_python_blocks_share_their_names_and_fail_with_their_line(
    reader: Reader, written: Callable[[str], Path]
) -> None:
    with pytest.raises(ZeroDivisionError) as error:
        follow(written("```python\nnumber = 0\n```\n\n```python\n1 / number\n```\n"), reader)
    assert error.traceback[-1].lineno + 1 == 6


def test_shells_loops_variables_and_folders_work(tmp_path: Path) -> None:
    seen: list[tuple[Any, ...]] = []

    def run(folder: Path, *words: str) -> Answer:
        seen.append((folder.name, os.environ.get("GMD_VAE_HOME"), *words))
        return Answer(0, "out\n", "")

    (tmp_path / "work").mkdir()
    (tmp_path / "tools").mkdir()
    reader = Reader(tmp_path / "work", tmp_path / "tools", run)
    text = "mkdir -p sub && cd sub\nexport GMD_VAE_HOME=there\nfor k in 1 2; do gmd-vae models $k | cat; done\n"
    assert reader.shell(text) == "out\nout\n"
    reader.close()
    assert seen == [("sub", "there", "models", "1"), ("sub", "there", "models", "2")]
    assert "GMD_VAE_HOME" not in os.environ


def test_long_work_gets_tiny_settings() -> None:
    assert tiny(["train", "--num-steps", "6000", "--hparams", "max_beta=1"])[-4:-1] == ["--num-steps", "3", "--hparams"]
    assert tiny(["train", "--hparams", "max_beta=1,z_size=128"])[-1].startswith(
        "max_beta=1,z_size=4,enc_rnn_size=[16],"
    )
    assert "enc_rnn_size" not in tiny(["train", "--init-from", "groove-4bar"])[-1]
    assert tiny(["convert", "my_midi"]) == ["convert", "my_midi"]


def test_what_needs_other_machines_or_minutes_is_not_run() -> None:
    assert needs_others(["train"], {"TF_CONFIG": "{}"})
    assert needs_others(["convert", "midi", "--engine", "dask", "--scheduler", "tcp://10.0.0.1:8786"], {})
    assert needs_others(["train", "--overfit-batch"], {})
    assert not needs_others(["train", "--seeds", "0,1"], {"GMD_VAE_HOME": "there"})


def test_make_runs_the_real_rules_for_data_and_runs(tmp_path: Path) -> None:
    for name in ("work", "tools"):
        (tmp_path / name).mkdir()
    reader = Reader(tmp_path / "work", tmp_path / "tools", lambda *_: Answer(0, "", ""))
    reader.shell("git clone https://example.com/gmd-vae.git && cd gmd-vae\nmake setup\nmake data train STEPS=7\n")
    reader.close()
    assert [words[0] for words in reader.done] == ["fetch", "convert", "preprocess", "train"]
    assert reader.done[-1][-2:] == ["--num-steps", "7"]


def test_scripts_for_other_machines_are_only_parsed(reader: Reader) -> None:
    assert reader.shell("#!/bin/bash\nsrun there\n") == ""
    with pytest.raises(AssertionError, match="syntax error"):
        reader.shell("#!/bin/bash\nif then\n")


def test_tutorials_evaluate_or_play_what_they_train() -> None:
    tutorials = {page.name for page in PAGES if page.parent.name == "tutorials"}
    for name in {*tutorials, "first-model.md", "data.md"}:
        runs = [words.split()[1] for words in COMPUTED[name]]
        assert any(f"train {run}" in COMPUTED[name] and runs.count(run) > 1 for run in runs), name


def test_blocks_are_found() -> None:
    assert len(TRAINS) >= 10
    for page in PAGES:
        assert blocks_of(page), page.name
    given = (HAS_MUSIC, HAS_BAND, HAS_STARTER_SET, HAS_NOTES, HAS_EXAMPLES, HAS_RUNS, HAS_RANDOM_RUNS)
    for name in {*itertools.chain(*given), *TRAINED_MEANWHILE, *COMPUTED}:
        assert name in {page.name for page in PAGES}, name
    assert isinstance(blocks_of(PAGES[0])[0], Block)
