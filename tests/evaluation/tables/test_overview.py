"""The table of all runs: a row for each, the best ones bold, and the baselines below them."""

from __future__ import annotations

import io
from typing import Any

from fixtures.results import made_up_result, result_json
from fixtures.tables import FORMS, column, shown
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import Table, to_latex, to_markdown
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.evaluation.tables.terminal import to_rich
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console


def bold(table: Table, heading: str) -> list[int]:
    place = table.columns.index(heading)
    return sorted(row for row, column in table.bold if column == place)


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.015, "high": value + 0.015}


def test_headings_read_as_phrases_on_one_line() -> None:
    """A line break within a name is a space there; a unit or a prediction follows a comma."""
    headings = to_markdown(overview([made_up_result()])).splitlines()[2]
    for heading in ("importance bound, nats", "KL, bits", "step accuracy, free-running"):
        assert f"| {heading} |" in headings
    pages = "".join(map(to_markdown, details(made_up_result())))
    assert "| two-sample AUC | AUC above training |" in pages
    assert ",," not in pages


def test_an_overview_by_hand() -> None:
    table = overview([made_up_result()])
    assert table.title == "Evaluation on 1,760 test windows"
    assert table.rows[0] == (
        "runs/small",
        "hierdec-drum_4bar_small",
        "6,800",
        "61.5 [59.4, 63.6]",
        "48.2 [47.4, 49.1]",
        "−95.0 [−97.4, −92.6]",
        "−90.1 [−92.4, −87.8]",
        "0.742 [0.727, 0.757]",
        "0.485 [0.470, 0.500]",
        "0.402 [0.387, 0.417]",
        "0.436 [0.421, 0.452]",  # 0.9 · 0.485
        "−0.034 [−0.049, −0.019]",  # from 0.502 in the first bar to 0.468 in the last
    )
    assert table.rows[2] == (
        "previous bar, copied",
        *["–"] * 7,
        "0.562 [0.547, 0.577]",
        "–",
        "0.506 [0.491, 0.521]",
        "0.300 [0.285, 0.315]",
    )
    names = ["runs/small", "nearest training window", "previous bar, copied", "most frequent step", "silence"]
    assert column(table, "run") == names
    assert table.lines == {1}
    assert not table.bold  # one run is not the best of anything


def by_file(*means: float) -> dict[str, list[float]]:
    return {"numerators": [10 * mean for mean in means], "denominators": [10.0] * len(means)}


def of_run(name: str, elbo: tuple[float, ...], accuracy: tuple[float, ...]) -> dict[str, Any]:
    """A result with the ELBO and the free-running step accuracy of each file."""
    content = result_json(run=name)
    content["likelihood"] |= {"elbo": figure(sum(elbo) / len(elbo)), "elbo_by_file": by_file(*elbo)}
    content["reconstruction"]["free_running"] |= {"by_file": by_file(*accuracy)}
    content["reconstruction"]["free_running"]["steps_right"] = figure(sum(accuracy) / len(accuracy))
    return content


def test_the_best_run_is_bold_but_no_baseline() -> None:
    first, second = (
        of_run("runs/a", (-94, -95, -93), (0.6, 0.5, 0.4)),
        of_run("runs/b", (-96, -97, -96), (0.5, 0.4, 0.6)),
    )
    second["likelihood"] |= {"reconstruction": figure(10.0)}  # far better, but without sums by file
    table = overview([Result.from_json(first), Result.from_json(second)])
    assert bold(table, "ELBO,\nnats") == [0]
    assert bold(table, "reconstruction,\nnats") == []
    assert bold(table, "step accuracy,\nfree-running") == []  # better in two files, worse in the third
    assert "| **−94.0** [−94.0, −94.0] |" in to_markdown(table)
    assert r" \textbf{$-$94.0} &" in to_latex(table)
    out = io.StringIO()
    Console(file=out, width=300, color_system="standard", force_terminal=True).print(to_rich(table))
    assert "\x1b[1m−94.0" in out.getvalue()
    assert "\x1b[1m0.688" not in out.getvalue()
    meaning = "Bold: the best of the runs on the same windows, where the 95 % interval of its paired difference"
    assert all(meaning in text for text in (to_markdown(table), to_latex(table).replace(r"\%", "%"), out.getvalue()))
    assert meaning not in shown(table)  # a pipe shows no bold
    assert meaning not in to_markdown(overview([made_up_result()]))


def test_results_without_sums_by_file_have_no_best() -> None:
    second = result_json(run="runs/b")
    second["likelihood"] |= {"reconstruction": figure(6.0), "elbo": figure(-9.0)}
    assert not overview([made_up_result(), Result.from_json(second)]).bold


@given(st.lists(st.tuples(*[st.integers(-90, -80)] * 3), min_size=2, max_size=5))
def test_a_bold_run_is_better_than_each_other_one_in_every_file(values: list[tuple[int, int, int]]) -> None:
    """Of three files, each is drawn alone in more than 2.5 % of the resamples: with it the difference has its end."""
    results = [Result.from_json(of_run(f"runs/{place}", each, (0.5, 0.5))) for place, each in enumerate(values)]
    best = [
        place
        for place, each in enumerate(values)
        if all(
            all(one > two for one, two in zip(each, other, strict=True))
            for other in values[:place] + values[place + 1 :]
        )
    ]
    assert bold(overview(results), "ELBO,\nnats") == best


def test_runs_on_other_windows_have_rows_and_baselines_of_their_own() -> None:
    one, other = made_up_result(), made_up_result(split="validation", windows=900, run="runs/c")
    twice = overview([one, other, made_up_result(run="runs/b")])
    assert twice.title == "Evaluation"
    assert column(twice, "windows") == ["1,760 test"] * 6 + ["900 validation"] * 5
    assert [name for name in column(twice, "run") if name.startswith("runs/")] == ["runs/small", "runs/b", "runs/c"]
    assert column(twice, "run").count("silence") == 2
    assert twice.lines == {2, 6, 7}
    assert all(row < 2 for row, _ in twice.bold)


def test_baselines_from_other_training_windows_say_which() -> None:
    other = {"folder": "data/examples/rock", "sha256": "r" * 64, "windows": 900}
    names = column(overview([made_up_result(), made_up_result(run="runs/b", training=other)]), "run")
    assert names[2:] == [
        "nearest training window (data/examples/groove/hierdec-drum_4bar_small)",
        "nearest training window (data/examples/rock)",
        "previous bar, copied",
        "most frequent step (data/examples/groove/hierdec-drum_4bar_small)",
        "most frequent step (data/examples/rock)",
        "silence",
    ]


def test_a_note_counts_held_out_windows_that_are_in_training() -> None:
    assert not any("training set too" in note for note in overview([made_up_result()]).notes)
    notes = overview([made_up_result(in_training=3)]).notes
    assert notes[-1] == "3 of the 1,760 windows of runs/small (test) are in its training set too."


def test_no_result_at_all() -> None:
    table = overview([])
    assert table.rows == ()
    for form in FORMS:
        assert "ELBO" in form(table)
    assert "ELBO" in shown(table)
