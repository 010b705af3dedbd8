"""``run.json`` with damage of every kind: refused in one line with the field; files of earlier versions are read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.code_state import own_version
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.own_hparams import OWN_HPARAMS
from gmd_vae.configuration.registry import get_config
from gmd_vae.training.run.folder import Run, open_run, read_plan
from gmd_vae.training.run.run_file import Plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = get_config("hierdec-drum_4bar_v2")
    run = Run(tmp_path_factory.mktemp("run"), config, config.hparams, 5, Path("data/examples/groove"), "digest")
    run.describe(Plan(100))
    run.note_start("CPU", {"encoder": "accelerated"})
    return run.folder


@pytest.fixture(scope="module")
def content(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def changed(content: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """Returns a copy with another value at a place such as ``plan.num_steps``; without the key for ``...``."""
    result = copy.deepcopy(content)
    *parents, key = place.split(".")
    inner = result
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[key]
    else:
        inner[key] = value
    return result


def refused(folder: Path, content: Any, advice: str = "Restore the file") -> str:
    """Returns the message for a content."""
    (folder / "run.json").write_text(json.dumps(content))
    with pytest.raises(GmdVaeError) as caught:
        open_run(folder)
    message = str(caught.value)
    assert message.startswith(f"'{folder}/run.json' ")
    assert advice in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("seed", ..., "has no field 'seed'"),
        ("seed", "5", "field 'seed': expected a whole number, got text"),
        ("seed", -1, "field 'seed': expected a whole number >= 0"),
        ("seed", 10**30, "field 'seed': "),
        ("config", ["x"], "field 'config': expected text, got a list"),
        ("config", "other", "field 'declaration.name' is 'hierdec-drum_4bar_v2', and 'config' is 'other'"),
        ("declaration", [], "field 'declaration': expected an object or null, got a list"),
        ("declaration", {}, "'windows' is None"),
        ("declaration", None, ""),  # the config is in the registry
        ("declaration.name", "../../evil", "the name of a config is '../../evil'"),
        ("declaration.family", "x", "family 'x', which does not exist"),
        ("declaration.windows", 3, "'windows' is 3, and must be an object"),
        ("declaration.windows.slice_bars", "4", "slice_bars is '4', and must be a whole number from 1"),
        ("declaration.windows.slice_bars", 10**9, "slice_bars is 1000000000"),
        ("declaration.windows.pitch_classes", [], "pitch_classes is ()"),
        ("declaration.windows.pitch_classes", [[300]], "from 0 to 127"),
        ("declaration.levels", [[]], "levels is ([],)"),
        ("declaration.hparams.z_size", None, "z_size is None, and must be a whole number from 1 to 65,536"),
        ("declaration.hparams.max_seq_len", 10**9, "max_seq_len 1000000000"),
        ("declaration.num_steps", 1.5, "num_steps is 1.5"),
        ("hparams", [], "field 'hparams': expected an object"),
        ("hparams.z_size", ..., "has no field 'hparams.z_size'"),
        ("hparams.z_size", "big", "z_size is 'big'"),
        ("hparams.z_size", 10**400, "z_size is a number of more than 40 digits"),
        ("hparams.max_seq_len", 10**9, "max_seq_len is 1000000000"),
        ("hparams.batch_size", 0, "batch_size is 0, and must be a whole number from 1 to 1,000,000"),
        ("hparams.dropout_keep_prob", 5, "dropout_keep_prob is 5"),
        ("hparams.enc_rnn_size", [10**9], "enc_rnn_size is [1000000000]"),
        ("hparams.sampling_schedule", 3, "sampling_schedule is 3"),
        ("hparams.extra", 3, "unknown hyperparameter 'extra'"),
        ("examples", 3, "field 'examples': expected text"),
        ("examples", "a\0b", "a path holds a zero byte"),
        ("init_from_digest", "abc", "field 'init_from_digest': expected text of another form"),
        ("init_from_digest", "ab" * 32, "of 'init_from_path' and 'init_from_digest' one is missing"),
        ("began_with", {}, "field 'began_with': expected a list"),
        ("began_with", [{"name": "x"}], "has no field 'began_with[0].sha256'"),
        ("began_with", [{"name": "x", "sha256": "ab" * 32, "licence": "y" * 4001}], "field 'began_with[0].licence'"),
        ("layers", "x", "field 'layers': expected an object"),
        ("layers.precision", "fp8", "'layers.precision' is 'fp8'"),
        ("plan", ..., "has no field 'plan'"),
        ("plan.num_steps", "100", "field 'plan.num_steps': expected a whole number, got text"),
        ("plan.validate_every", 0, "field 'plan.validate_every': expected a whole number >= 1"),
        ("plan.patience", 1.5, "field 'plan.patience': expected a whole number or null"),
        ("starts", {}, "field 'starts': expected a list"),
        ("starts", [3], "field 'starts[0]': expected an object"),
        ("versions", [], "field 'versions': expected an object"),
        ("format", "2", "has format '2', this version of gmd-vae reads 1"),
        ("format", ..., "has no field 'format'"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    folder: Path, content: dict[str, Any], place: str, value: Any, expected: str
) -> None:
    if expected:
        assert expected in refused(folder, changed(content, place, value))
    else:
        (folder / "run.json").write_text(json.dumps(changed(content, place, value)))
        assert open_run(folder).config.name == content["config"]


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("hparams.new_lever", 0.5, "unknown hyperparameter 'new_lever'"),
        ("declaration.hparams.new_lever", 0.5, "unknown hyperparameter 'new_lever'"),
        ("declaration.family", "x", "family 'x', which does not exist"),
        ("layers.precision", "fp8", "'layers.precision' is 'fp8'"),
        ("starts", {}, "field 'starts': expected a list"),
    ],
)
def test_what_a_newer_version_wrote_is_refused_with_the_advice_to_update(
    folder: Path, content: dict[str, Any], place: str, value: Any, expected: str
) -> None:
    newer = changed(changed(content, "versions.gmd-vae", "999.0.0"), place, value)
    message = refused(folder, newer, "Update gmd-vae: run 'git pull && ")
    assert expected in message
    assert f" (written by gmd-vae 999.0.0, this is {own_version()}). Update" in message


def test_levers_that_are_off_are_not_in_the_file(folder: Path, content: dict[str, Any]) -> None:
    """A version without a lever reads the runs that do not use it."""
    (folder / "run.json").write_text(json.dumps(content))
    assert not {*OWN_HPARAMS} & {*content["hparams"]}
    assert {*OWN_HPARAMS} <= {*open_run(folder).hparams}


JUNK = st.sampled_from([None, True, -1, 0, 1.5, 10**400, 1e308, "", "\x1b[31m", "../x", [], {}, [[]], {"": 1}, ...])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_is_read_or_refused_in_one_line(folder: Path, content: dict[str, Any], data: st.DataObject) -> None:
    mutated = copy.deepcopy(content)
    place: Any = mutated
    while True:
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        if isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        value = data.draw(JUNK)
        if value is ...:
            del place[key]
        else:
            place[key] = value
        break
    (folder / "run.json").write_text(json.dumps(mutated))
    messages = []
    for read in (open_run, read_plan):
        try:
            read(folder)
        except GmdVaeError as error:
            messages.append(str(error))
    assert "\n" not in "".join(messages)


def test_keys_of_a_later_version_are_ignored(folder: Path, content: dict[str, Any]) -> None:
    added = {**content, "later": {"x": 1}, "declaration": {**content["declaration"], "later": 3}}
    (folder / "run.json").write_text(json.dumps(added))
    assert open_run(folder).seed == 5
    open_run(folder).describe(Plan(200))
    assert json.loads((folder / "run.json").read_text())["later"] == {"x": 1}
