"""The tables of one result: a table for each part that was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.results import made_up_result, result_json, without_figures
from fixtures.tables import FORMS, column, shown
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.overview import overview


@pytest.mark.parametrize("bars", [1, 4, 16])
def test_details_have_every_part(bars: int) -> None:
    tables = {table.title: table for table in details(made_up_result(bars))}
    assert list(tables) == [
        "Inputs",
        "Likelihood",
        "Accuracy",
        "Step accuracy, by bar",
        "Drum classes, free-running",
        "Samples and music",
        "Novelty",
        "Distributions",
        "Latent space",
        "Style from z",
        "Interpolation",
        "Attribute vectors",
    ]
    assert column(tables["Step accuracy, by bar"], "bar") == [str(bar + 1) for bar in range(bars)]
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title
        assert all(form(table) for form in (*FORMS, shown))


@pytest.mark.parametrize(
    ("fitted_prior", "words"),
    [
        ({"windows": 1000}, "points between neighbours among 1,000 training windows"),
        ({"gaussians": 10}, "10 Gaussians fitted to the training windows"),  # of version 0.14
    ],
)
def test_samples_of_two_priors_stand_side_by_side(fitted_prior: dict[str, int], words: str) -> None:
    content = result_json()
    sets, novelty = content["window_sets"], content["novelty"]
    fitted, normal = ({**sets["samples"], "prior": name} for name in ("fitted", "normal"))
    result = made_up_result(
        prior={"name": "fitted", **fitted_prior, "sha256": "a" * 64},
        window_sets={"samples": fitted, "samples_normal": normal, "held_out": sets["held_out"]},
        novelty={"samples": novelty["samples"], "samples_normal": novelty["samples"], "held_out": novelty["held_out"]},
    )
    tables = {table.title: table for table in details(result)}
    first, second, _ = tables["Samples and music"].rows
    assert (first[0], second[0]) == ("samples, fitted, temperature 1", "samples, N(0, I), temperature 1")
    assert tables["Novelty"].columns == ("", "samples", "samples of N(0, I)", "held-out windows")
    for title in ("Samples and music", "Novelty"):
        assert words in tables[title].notes[-1]


def test_details_by_hand() -> None:
    tables = {table.title: table for table in details(made_up_result())}
    assert ("reconstruction", "nats per step", "0.961 [0.928, 0.994]") in tables["Likelihood"].rows
    assert tables["Accuracy"].rows[1][:2] == ("free-running", "0.485 [0.470, 0.500]")
    assert tables["Accuracy"].lines == {3}  # below it are the baselines
    voices = tables["Drum classes, free-running"].rows
    assert voices[0][:3] == ("kick", "10,412", "0.509 [0.494, 0.524]")
    assert voices[8] == ("ride", "0", "–", "–", "–", "–")
    assert tables["Accuracy"].columns[3] == "cell accuracy"
    sets = tables["Samples and music"]
    assert [row[0] for row in sets.rows] == [
        "samples, temperature 1",
        "samples, temperature 0.5",
        "held-out windows",
        "training windows",
    ]
    assert sets.rows[0][5:] == ("0.940 [0.925, 0.955]", "0.280 [0.265, 0.295]")
    assert sets.rows[2][3:] == ("19.4 [18.2, 20.6]", "0.220 [0.205, 0.235]", "–", "–")
    assert sets.lines == {2}  # below it is the data
    novelty = {row[0]: row[1:] for row in tables["Novelty"].rows}
    assert tables["Novelty"].columns == ("", "samples", "samples,\ntemperature 0.5", "held-out windows")
    assert novelty["copies of a training window"] == (
        "0.003 [0.002, 0.004]",
        "0.004 [0.003, 0.005]",
        "0.020 [0.013, 0.027]",
    )
    assert novelty["differing steps, third quartile"] == ("31.2", "29.2", "23.2")
    assert tables["Distributions"].rows[0][:5] == ("hits per bar", "0.810", "0.970", "0.190", "0.030")
    assert ("active dimensions", "41 of 256") in tables["Latent space"].rows
    assert tables["Style from z"].rows[0] == ("linear classifier", "0.610 [0.560, 0.660]", "0.400 [0.350, 0.450]")
    assert tables["Style from z"].rows[2][1] == "0.350 [0.250, 0.450]"
    assert tables["Style from z"].notes[-1].endswith(": gospel.")
    assert tables["Interpolation"].rows[10] == ("1.00", "1.000 [1.000, 1.000]", "1.000 [1.000, 1.000]")
    assert tables["Attribute vectors"].rows[0] == ("kick", "+0.90 / −0.70", "+0.10 / +0.02", "+0.10 / +0.02")
    assert tables["Attribute vectors"].bold == {(0, 1), (1, 2), (2, 3)}
    assert tables["Attribute vectors"].notes[-1].endswith(": ride.")


def test_parts_that_are_not_there_have_no_table() -> None:
    latent = result_json()["latent"]
    latent |= {"interpolation": {"latent": None, "data": None}, "decodability": None, "attributes": {}}
    titles = [
        table.title
        for table in details(made_up_result(reconstruction={}, window_sets=None, distribution=None, latent=latent))
    ]
    assert titles == ["Inputs", "Likelihood", "Novelty", "Latent space"]


def test_the_reason_for_a_missing_style_is_shown() -> None:
    latent = result_json()["latent"]
    latent |= {"decodability": None, "decodability_reason": "no info.csv lists the styles of these files"}
    table = next(table for table in details(made_up_result(latent=latent)) if table.title == "Style from z")
    assert table.rows == (("not measured", "no info.csv lists the styles of these files"),)


@pytest.mark.parametrize("family", ["drum-labels", "streams", "multitrack", "groovae"])
def test_results_of_version_0_8_3_have_tables(family: str) -> None:
    path = Path(__file__).parents[2] / "fixtures" / "results_0.8.3" / f"{family}.json"
    result = Result.from_json(json.loads(path.read_text(encoding="utf-8")))
    tables = {table.title: table for table in [overview([result]), *details(result)]}
    for table in tables.values():
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title
    assert ("Streams" in tables) == (family == "streams")
    assert ("Step accuracy, by kind of event" in tables) == (family == "multitrack")
    assert ("Velocities and timing" in tables) == (family == "groovae")
    assert ("Attribute vectors" in tables) == (family == "drum-labels")


def test_where_nothing_is_defined_there_are_dashes() -> None:
    json_of = result_json()
    undefined = {part: without_figures(json_of[part]) for part in ("likelihood", "reconstruction", "latent")}
    result = made_up_result(**undefined)
    assert set(overview([result]).rows[0][3:]) == {"–"}
    bars = next(table for table in details(result) if table.title == "Step accuracy, by bar")
    assert {cell for row in bars.rows for cell in row[1:]} == {"–"}
    for table in details(result):
        assert all(form(table) for form in (*FORMS, shown))
