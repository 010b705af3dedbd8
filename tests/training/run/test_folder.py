"""run.json: what it contains, and what must not change when a run is resumed."""

import dataclasses
import json
import platform
from pathlib import Path

import pytest
from gmd_vae.common import machine
from gmd_vae.common.code_state import code_state
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.layers import STOCK, Layers
from gmd_vae.configuration.registry import get_config
from gmd_vae.training.run.folder import InitFrom, Run, open_run, read_plan, read_run
from gmd_vae.training.run.run_file import Plan


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = get_config("hierdec-drum_4bar_v2")
    hparams = {**config.hparams, "batch_size": 16}
    run = Run(tmp_path / "run", config, hparams, 5, Path("data/examples/groove"), "digest")
    run.folder.mkdir()
    run.describe(Plan(100))
    (run.folder / "metrics.jsonl").write_text('{"split": "train", "step": 20}\n')
    return run


def test_the_folder_alone_gives_config_and_hyperparameters(run: Run) -> None:
    opened = open_run(run.folder)
    config, hparams = opened.config, opened.hparams
    assert config == run.config
    assert hparams["batch_size"] == 16
    content = json.loads((run.folder / "run.json").read_text())
    assert content["seed"] == 5
    assert content["versions"]["magenta"] == "2.1.4"
    assert content["code"] == code_state()
    assert content["command"].startswith("gmd-vae")


def test_the_recipe_is_all_but_the_seed(run: Run) -> None:
    assert dataclasses.replace(run, seed=6).recipe == run.recipe == open_run(run.folder).recipe
    for changed in ({"hparams": run.config.hparams}, {"examples_digest": "other"}, {"layers": STOCK}):
        assert dataclasses.replace(run, **changed).recipe != run.recipe


def test_a_config_of_the_users_own_needs_no_file_any_more(run: Run, tmp_path: Path) -> None:
    config = get_config("hierdec-drum_4bar_v2").replace(name="mine", z_size=3)
    mine = dataclasses.replace(run, folder=tmp_path / "mine", config=config, hparams=config.hparams)
    mine.folder.mkdir()
    mine.describe(Plan(100))
    assert open_run(mine.folder).config == config


def test_a_stock_config_is_found_by_its_name(run: Run, tmp_path: Path) -> None:
    config = get_config("groovae_4bar")
    stock = dataclasses.replace(run, folder=tmp_path / "stock", config=config, hparams=config.hparams)
    stock.folder.mkdir()
    stock.describe(Plan(100))
    opened = open_run(stock.folder)
    assert (opened.config, opened.hparams) == (config, config.hparams)


def test_the_same_run_may_go_on(run: Run) -> None:
    before = (run.folder / "run.json").read_bytes()
    run.describe(Plan(100))
    assert (run.folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 6}, "seed 5, not 6"),
        ({"examples_digest": "other"}, r"other examples \(data/examples/groove\)"),
        ({"hparams": {**get_config("hierdec-drum_4bar_v2").hparams, "batch_size": 8}}, "batch_size=16, not 8"),
        (
            {"init_from": InitFrom(Path("other/model.ckpt-3"), "ab" * 32)},
            "it began with random weights, not the weights of 'other/model.ckpt-3'",
        ),
        ({"config": get_config("hierdec-drum_4bar")}, "config hierdec-drum_4bar_v2, not hierdec-drum_4bar"),
    ],
)
def test_another_run_in_the_same_folder_is_refused_with_the_difference(run: Run, change: dict, said: str) -> None:
    other = dataclasses.replace(run, **change)
    with pytest.raises(GmdVaeError, match=said):
        other.describe(Plan(100))
    (run.folder / "metrics.jsonl").write_text("")  # it ended before its first result
    other.describe(Plan(100))
    assert open_run(run.folder).identity == other.identity


def test_the_plan_may_change_and_the_last_one_is_kept(run: Run) -> None:
    run.describe(Plan(500, validate_every=50, patience=3))
    assert read_plan(run.folder) == Plan(500, validate_every=50, patience=3)
    assert read_plan(run.folder.parent) is None


def test_every_start_is_noted_and_the_rest_stays(run: Run) -> None:
    before = json.loads((run.folder / "run.json").read_text())
    layers = {"encoder": "accelerated, fp32", "decoder": "Magenta's (dropout)"}
    run.note_start("CPU", layers)
    run.note_start("GPU:0", layers)
    after = json.loads((run.folder / "run.json").read_text())
    starts = after.pop("starts")
    assert [start["device"] for start in starts] == ["CPU", "GPU:0"]
    assert [start["layers"] for start in starts] == [layers, layers]
    assert [start["machine"] for start in starts] == [machine.describe()] * 2
    assert starts[0]["machine"]["python"] == platform.python_version()
    assert after == before


def test_a_run_stays_with_the_layers_that_compute_it(run: Run) -> None:
    in_bf16 = dataclasses.replace(run, layers=Layers(precision="bf16"))
    with pytest.raises(GmdVaeError, match="computed with --precision fp32, not --precision bf16"):
        in_bf16.describe(Plan(10))
    with pytest.raises(GmdVaeError, match="computed with --precision fp32, not --no-acceleration"):
        dataclasses.replace(run, layers=STOCK).describe(Plan(10))


def test_a_run_of_version_0_2_goes_on_with_magentas_layers(run: Run) -> None:
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    del content["layers"]
    path.write_text(json.dumps(content))
    before = read_run(run.folder)
    assert before is not None
    assert before.layers == STOCK
    before.describe(Plan(20))
    with pytest.raises(GmdVaeError, match="computed with --no-acceleration, not --precision fp32"):
        run.describe(Plan(20))


def test_the_weights_a_run_began_with_are_part_of_it(run: Run, tmp_path: Path) -> None:
    tuned = dataclasses.replace(run, folder=tmp_path / "tuned", init_from=InitFrom(Path("a/model.ckpt-3"), "ab" * 32))
    tuned.folder.mkdir()
    tuned.describe(Plan(10))
    (tuned.folder / "metrics.jsonl").write_text('{"split": "train", "step": 20}\n')
    assert read_run(tuned.folder) == tuned
    content = json.loads((tuned.folder / "run.json").read_text())
    old = {**content, "init_from": content["init_from_digest"]}  # its key up to version 0.23
    del old["init_from_digest"]
    (tuned.folder / "run.json").write_text(json.dumps(old))
    assert read_run(tuned.folder) == tuned
    tuned.describe(Plan(10))
    assert json.loads((tuned.folder / "run.json").read_text()) == content
    with pytest.raises(GmdVaeError, match=r"the weights of 'a/model\.ckpt-3', not random weights\. .* --run-dir "):
        dataclasses.replace(tuned, init_from=None).describe(Plan(10))


def test_checkpoints_of_unknown_origin_are_not_continued(run: Run) -> None:
    (run.folder / "run.json").unlink()
    run.train_folder.mkdir()
    (run.train_folder / "model.ckpt-1.index").write_bytes(b"")
    with pytest.raises(GmdVaeError, match="unknown"):
        run.describe(Plan(100))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 2}', '{"format": 1}', "\xff"])
def test_a_damaged_description_is_one_line_that_names_it(run: Run, content: str) -> None:
    (run.folder / "run.json").write_text(content, encoding="latin-1")
    with pytest.raises(GmdVaeError, match=r"run\.json"):
        open_run(run.folder)


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(GmdVaeError, match="is not a run folder"):
        open_run(tmp_path)
