"""Results as JSON and back."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from fixtures.results import made_up_result, result_json
from gmd_vae.common.code_state import Code
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.newer_files import NewerFileError
from gmd_vae.evaluation.json_form import from_json, to_json
from gmd_vae.evaluation.metrics.event_accuracy import EventReconstruction
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction
from gmd_vae.evaluation.metrics.stream_accuracy import StreamReconstruction
from gmd_vae.evaluation.result import FORMAT, Result
from hypothesis import given
from hypothesis import strategies as st

OLD = Path(__file__).parents[1] / "fixtures" / "results_0.8.3"
KINDS = {
    "drum-labels": LabelReconstruction,
    "streams": StreamReconstruction,
    "multitrack": EventReconstruction,
    "groovae": LabelReconstruction,
}


@pytest.mark.parametrize("family", list(KINDS))
def test_results_of_version_0_8_3_are_read_without_loss(family: str) -> None:
    content = json.loads((OLD / f"{family}.json").read_text(encoding="utf-8"))
    result = Result.from_json(content)
    assert result.to_json() == content | {"figures": FORMAT}
    assert {type(prediction) for prediction in result.figures.reconstruction.values()} == {KINDS[family]}
    accuracy = content["reconstruction"]["free_running"]["steps_right"]["value"]
    assert result.figures.reconstruction["free_running"].step_accuracy.value == accuracy


def test_a_made_up_result_is_read_without_loss() -> None:
    assert made_up_result().to_json() == result_json()


def test_undefined_figures_are_null_in_json_and_nan_in_python() -> None:
    assert to_json(Estimate(math.nan, -math.inf, 1.0)) == {"value": None, "low": None, "high": 1.0}
    figure = from_json(Estimate, {"value": None, "low": 0, "high": 1.5})
    assert math.isnan(figure.value)
    assert (figure.low, figure.high) == (0.0, 1.5)


def test_keys_of_other_versions_are_ignored() -> None:
    assert made_up_result(invented={"a": 1}) == made_up_result()


def test_the_code_is_kept_and_old_results_have_none() -> None:
    assert "code" not in made_up_result().to_json()
    code = {"version": "0.15.0", "commit": "c" * 40, "clean": True}
    result = made_up_result(code=code)
    assert result.code == Code(**code)
    assert result.to_json()["code"] == code


@pytest.mark.parametrize(
    ("part", "value", "problem"),
    [
        ("likelihood", {}, "likelihood has no 'elbo'"),
        ("likelihood", None, "likelihood is not what"),
        ("windows", "many", "windows is not what"),
        ("windows", True, "windows is not what"),
        ("reconstruction", {"free_running": {"steps_right": None}}, "reconstruction.free_running does not have all"),
        ("checkpoint", {"name": 5, "step": 1, "files": {}}, "checkpoint.name is not what"),
        ("settings", None, "settings is not what"),
    ],
)
def test_the_error_names_the_place(part: str, value: Any, problem: str) -> None:
    with pytest.raises(GmdVaeError, match=r"result\.json is not of an evaluation") as error:
        made_up_result(**{part: value})
    assert problem in error.value.problem


@pytest.mark.parametrize("number", [FORMAT + 1, 10**50])
def test_a_result_of_a_newer_version_is_refused_with_both_numbers(number: int) -> None:
    shown = str(number)[:40]
    problem = rf"^result\.json has figures {shown}, this version of gmd-vae reads {FORMAT} and earlier\. Update gmd-vae"
    with pytest.raises(NewerFileError, match=problem):
        Result.from_json({**result_json(), "figures": number, "likelihood": "something else"})


def test_a_result_of_a_newer_version_with_another_form_has_the_advice_to_update() -> None:
    content = {**result_json(), "versions": {"gmd-vae": "999.0.0"}, "likelihood": "something else"}
    with pytest.raises(
        NewerFileError, match=r"likelihood.* \(written by gmd-vae 999\.0\.0, this is .*\)\. Update gmd-vae"
    ):
        Result.from_json(content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_other_json_is_refused(content: Any) -> None:
    with pytest.raises(GmdVaeError, match=r"result\.json"):
        Result.from_json(content)
    for key in ("likelihood", "latent", "settings"):
        with pytest.raises(GmdVaeError, match=r"result\.json"):
            Result.from_json(result_json() | {key: [content]})


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        made_up_result().figures.windows = 5  # type: ignore[misc]
