"""The registry of figures agrees with the results and with the documentation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import JSON_KEYS, SECTIONS, Figure, markdown_table
from gmd_vae.evaluation.latent.attributes import Change
from gmd_vae.evaluation.latent.decodability import Decodability
from gmd_vae.evaluation.latent.interpolation import Curve
from gmd_vae.evaluation.latent.posterior import Activity
from gmd_vae.evaluation.likelihood import Likelihood
from gmd_vae.evaluation.metrics.distributions import Comparison
from gmd_vae.evaluation.metrics.event_accuracy import EventReconstruction
from gmd_vae.evaluation.metrics.groove_errors import Errors
from gmd_vae.evaluation.metrics.label_accuracy import DrumClassAccuracy, LabelReconstruction
from gmd_vae.evaluation.metrics.novelty import Novelty, Spread
from gmd_vae.evaluation.metrics.stream_accuracy import StreamFigures, StreamReconstruction
from gmd_vae.evaluation.result import WindowSet

DOCUMENT = Path(__file__).parents[2] / "docs" / "evaluation.md"

# place in result.json -> dataclasses that may stand there
HOLDERS = {
    "likelihood": (Likelihood,),
    "reconstruction.*": (LabelReconstruction, StreamReconstruction, EventReconstruction),
    "reconstruction.*.voices.*": (DrumClassAccuracy,),
    "reconstruction.*.streams.*": (StreamFigures,),
    "novelty.*": (Novelty,),
    "novelty.*.steps": (Spread,),
    "novelty.*.hits": (Spread,),
    "distribution.*.*": (Comparison,),
    "window_sets.*": (WindowSet,),
    "latent.activity": (Activity,),
    "latent.decodability": (Decodability,),
    "latent.interpolation.*": (Curve,),
    "latent.attributes.*.*": (Change,),
    "groove.answers.*": (Errors,),
}


def fields(section: str) -> set[str]:
    return {field.name for holder in HOLDERS[section] for field in dataclasses.fields(holder)}


def test_every_figure_is_a_field_of_its_section() -> None:
    assert HOLDERS.keys() == SECTIONS.keys()
    for section, of_section in SECTIONS.items():
        assert {figure.name for figure in of_section} <= fields(section), section


@pytest.mark.parametrize("section", ["likelihood", "reconstruction.*", "latent.attributes.*.*", "groove.answers.*"])
def test_every_field_with_a_single_value_is_a_figure(section: str) -> None:
    whole = {
        "parts",
        "bars",
        "voices",
        "streams",
        "confusion",
        "kinds",
    }  # values of parts of the output
    sums = {figure.sums for figure in SECTIONS[section]} - {""}
    assert {figure.name for figure in SECTIONS[section]} | (sums & fields(section)) == fields(section) - whole


def test_the_sums_of_a_figure_lie_beside_it() -> None:
    for section in ("likelihood", "reconstruction.*", "groove.answers.*"):
        assert {figure.sums for figure in SECTIONS[section]} - {""} <= fields(section)


def test_every_figure_of_the_module_is_in_a_section() -> None:
    of_module = {value.name for value in vars(figures).values() if isinstance(value, Figure)}
    assert of_module == {figure.name for of_section in SECTIONS.values() for figure in of_section}


def test_keys_of_older_versions_stay() -> None:
    assert JSON_KEYS == {
        "step_accuracy": "steps_right",
        "track_length_accuracy": "ends_right",
        "window_accuracy": "windows_right",
        "accuracy_drop": "fade",
        "event_accuracy": "events_right",
    }


def test_the_best_value() -> None:
    assert figures.ELBO.best([-3.0, -2.0]) == -2.0
    assert figures.RECONSTRUCTION.best([3.0, 2.0]) == 2.0
    assert figures.ACCURACY_DROP.best([-0.1, 0.1]) is None


def test_the_documentation_has_the_table_of_figures() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert markdown_table() in text, (
        "docs/evaluation.md differs from the registry: replace its table with "
        "`python -c 'from gmd_vae.evaluation.figures import markdown_table; print(markdown_table())'`"
    )
