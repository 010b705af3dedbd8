"""A run and its examples: the same windows in another manifest are the same examples, other windows are not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.families import family_of
from gmd_vae.training.run.folder import Run, open_run
from gmd_vae.training.run.prepare import Request, prepare
from gmd_vae.training.run.trained_on import changed_splits, was_trained_on
from gmd_vae.windows.preprocess import preprocess

TINY = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=16"


def cut(notes: Path, folder: Path, **options: Any) -> Path:
    config = get_config(DEFAULT_CONFIG)
    preprocess(notes, folder, family_of(config).extractor(config), config=DEFAULT_CONFIG, **options)
    return folder


def request(**given: Any) -> Request:
    return Request(**{"run_dir": Path("runs/mine"), "num_steps": 9, "hparams": TINY, **given})


@pytest.fixture
def examples(starter_notes: Path, starter_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes and examples of the starter set in a folder of ``data``."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(starter_notes, "data/notes/starter")
    return shutil.copytree(starter_examples, Path("data/examples/starter") / DEFAULT_CONFIG)


@pytest.fixture
def run(examples: Path) -> Run:
    """A run with a result."""
    job = prepare(request(examples_path=examples), lambda *_: pytest.fail("the examples exist"))
    job.run.train_folder.mkdir(parents=True)
    job.run.describe(job.plan)
    (job.run.train_folder / "model.ckpt-3.index").write_bytes(b"")
    return open_run(job.run.folder)


def text_of(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / manifest.NAME
    path.write_bytes(text_of({**json.loads(path.read_text(encoding="utf-8")), **changes}))


def test_run_json_has_the_digests_of_the_windows(run: Run, examples: Path) -> None:
    data = b"".join(path.read_bytes() for path in sorted(examples.glob("train-*")))
    assert run.windows_sha256["train"] == hashlib.sha256(data).hexdigest()
    assert {"train", "validation"} <= run.windows_sha256.keys()
    assert "windows_sha256" not in run.identity


def test_the_same_windows_of_another_version_are_the_same_examples(run: Run, examples: Path) -> None:
    rewrite(examples, versions={"gmd-vae": "9.9.9"})
    assert manifest.digest(examples) != run.examples_digest
    assert was_trained_on(run, examples)
    job = prepare(request(hparams="", num_steps=12), lambda *_: pytest.fail("the examples exist"))
    job.run.describe(job.plan)  # the same run goes on
    assert job.run.identity == run.identity


def test_other_files_and_compression_are_the_same_examples(run: Run, examples: Path, starter_notes: Path) -> None:
    shutil.rmtree(examples)
    cut(starter_notes, examples, shards=2, compress=True)
    assert was_trained_on(run, examples)
    assert changed_splits(run, examples) == []


def test_other_windows_are_refused_with_a_way_on(run: Run, examples: Path, starter_notes: Path) -> None:
    shutil.rmtree(examples)
    cut(starter_notes, examples, max_per_sequence=1)
    assert not was_trained_on(run, examples)
    assert "train" in changed_splits(run, examples)
    job = prepare(request(hparams=""), lambda *_: pytest.fail("the examples exist"))
    with pytest.raises(GmdVaeError) as refused:
        job.run.describe(job.plan)
    assert "holds another run: trained on other examples" in refused.value.problem
    # "resume that run" would end here again
    assert "or bring back the examples that it was trained on" in refused.value.next_action
    assert "--init-from runs/mine/best --run-dir runs/mine-2" in refused.value.next_action


def test_examples_elsewhere_leave_the_run_as_it_is(run: Run, starter_notes: Path, tmp_path: Path) -> None:
    other = cut(starter_notes, tmp_path / "other", max_per_sequence=1)
    job = prepare(request(hparams="", examples_path=other), lambda *_: pytest.fail("the examples exist"))
    with pytest.raises(GmdVaeError) as refused:
        job.run.describe(job.plan)
    assert refused.value.next_action.endswith("or resume that run with 'gmd-vae train --run-dir runs/mine'.")


def of_version(content: dict[str, Any], version: str, *, has_source: bool = False) -> dict[str, Any]:
    kept = {key: value for key, value in content.items() if has_source or key != "data_source"}
    return {**kept, "versions": {**content["versions"], "gmd-vae": version}}


def older(run: Run, examples: Path, notes: str, version: str, passed_over: dict[str, int]) -> Run:
    """The run as version 0.17 or earlier described it, with the digest of its manifest of the same windows."""
    of_notes, of_examples = (
        json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
        for folder in (Path("data/notes/starter"), examples)
    )
    notes_digest = hashlib.sha256(text_of({**of_version(of_notes, notes), "passed_over": passed_over})).hexdigest()
    content = of_version(of_examples, version)
    content["input"] = {**content["input"], "manifest": notes_digest}
    digest = hashlib.sha256(text_of(content)).hexdigest()
    return dataclasses.replace(run, examples_digest=digest, windows_sha256={})


@pytest.mark.parametrize(
    ("notes", "version", "passed_over"),
    [("0.17.0", "0.17.0", {}), ("0.16.0", "0.17.0", {".json": 1}), ("0.15.0", "0.16.0", {".json": 1})],
)
def test_a_run_of_an_older_version_finds_its_windows(
    run: Run, examples: Path, notes: str, version: str, passed_over: dict[str, int]
) -> None:
    """Its manifest had no data source; until 0.16 the manifest of ``fetch`` counted as a file that was passed over."""
    old = older(run, examples, notes, version, passed_over)
    assert was_trained_on(old, examples)
    changed = json.loads((examples / manifest.NAME).read_text(encoding="utf-8"))
    changed["splits"]["train"]["files"][0]["sha256"] = "0" * 64
    rewrite(examples, splits=changed["splits"])
    assert not was_trained_on(old, examples)


def test_without_the_notes_nothing_is_guessed(run: Run, examples: Path) -> None:
    old = older(run, examples, "0.17.0", "0.17.0", {})
    shutil.rmtree("data/notes")
    assert not was_trained_on(old, examples)
    assert changed_splits(old, examples) == []  # not known


def test_an_older_run_that_goes_on_gets_the_digests_of_its_windows(run: Run, examples: Path) -> None:
    old = older(run, examples, "0.17.0", "0.17.0", {})
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    del content["windows_sha256"]
    path.write_text(json.dumps({**content, "examples_digest": old.examples_digest}))
    job = prepare(request(hparams="", num_steps=12), lambda *_: pytest.fail("the examples exist"))
    job.run.describe(job.plan)
    assert open_run(run.folder) == dataclasses.replace(run, examples_digest=old.examples_digest)


def test_machines_with_the_same_windows_in_two_manifests_train_one_run(
    run: Run, examples: Path, starter_notes: Path, tmp_path: Path
) -> None:
    chief = json.loads(json.dumps(run.identity_for_workers))
    own_copy = cut(starter_notes, tmp_path / "worker", shards=2)
    assert manifest.digest(own_copy) != run.examples_digest

    def worker(folder: Path) -> Run:
        wanted = request(run_dir=tmp_path / "w", examples_path=folder)
        return prepare(wanted, lambda *_: pytest.fail("the examples exist")).run

    worker(own_copy).check_same(chief)
    with pytest.raises(GmdVaeError, match="trained on other examples"):
        worker(cut(starter_notes, tmp_path / "other", max_per_sequence=1)).check_same(chief)
