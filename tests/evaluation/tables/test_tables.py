"""Tables of results: figures in their cells, and three forms that no name can break."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.results import made_up_result, result_json
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import Table, difference, estimate, number, to_latex, to_markdown
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.evaluation.tables.terminal import to_rich
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

NASTY = r"my_run & co | $x$ [red]50%[/red] #1 {a} ~^ \ <b> *so* `it` [a](b)"
FORMS = (to_markdown, to_latex)


def shown(table: Table, width: int = 300) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(to_rich(table))
    return out.getvalue()


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.015, "high": value + 0.015}


def column(table: Table, heading: str) -> list[str]:
    place = table.columns.index(heading)
    return [row[place] for row in table.rows]


def bold(table: Table, heading: str) -> list[int]:
    place = table.columns.index(heading)
    return sorted(row for row, column in table.bold if column == place)


def test_numbers_are_formatted() -> None:
    assert number(1760) == "1,760"
    assert number(0.48549, 3) == "0.485"
    assert number(-0.034, 3) == "−0.034"
    assert number(-0.0001, 3) == "0.000"
    assert number(0.5, 2, signed=True) == "+0.50"
    assert number(0.001, 2, signed=True) == "0.00"
    assert number(None) == number(math.nan, 3) == "–"
    assert (number(math.inf), number(-math.inf)) == ("∞", "−∞")


def test_a_figure_has_its_interval_where_there_is_one() -> None:
    assert estimate(Estimate(0.485, 0.47, 0.501), 3) == "0.485 [0.470, 0.501]"
    assert estimate(Estimate(0.485, math.nan, math.nan), 3) == "0.485"  # one file only
    assert estimate(Estimate(math.nan, math.nan, math.nan), 3) == estimate(None, 3) == "–"
    assert estimate(0.98, 3) == "0.980"


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ((0.3, -0.03, 0.62), "0.30 [−0.03, 0.62]"),
        ((12.0, 9.0, 15.0), "12.0 [9.0, 15.0]"),
        ((0.21, 0.004, 0.42), "0.210 [0.004, 0.420]"),
        ((0.1, 0.1, 0.1), "0.1 [0.1, 0.1]"),
        ((0.2, 0.0, 0.4), "0.20 [0.00, 0.40]"),
        ((1.0, 1e-17, 2.0), "1.0 [0.0, 2.0]"),
        ((0.01, math.nan, math.nan), "0.0"),
    ],
)
def test_a_difference_shows_the_sign_of_its_bounds(ends: tuple[float, float, float], shown: str) -> None:
    assert difference(Estimate(*ends), 1) == shown


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
    assert bold(table, "ELBO\nnats") == [0]
    assert bold(table, "reconstruction\nnats") == []
    assert bold(table, "step accuracy\nfree-running") == []  # better in two files, worse in the third
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
    assert bold(overview(results), "ELBO\nnats") == best


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
        novelty={**novelty, "samples_normal": novelty["samples"]},
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
    assert novelty["copies of a training window"] == ("0.003 [0.002, 0.004]", "0.020 [0.013, 0.027]")
    assert novelty["differing steps, third quartile"] == ("31.2", "23.2")
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


def without_figures(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: without_figures(value) for key, value in part.items()}
    if isinstance(part, list):
        return [without_figures(value) for value in part]
    return None if isinstance(part, float) else part


def test_where_nothing_is_defined_there_are_dashes() -> None:
    json_of = result_json()
    undefined = {part: without_figures(json_of[part]) for part in ("likelihood", "reconstruction", "latent")}
    result = made_up_result(**undefined)
    assert set(overview([result]).rows[0][3:]) == {"–"}
    bars = next(table for table in details(result) if table.title == "Step accuracy, by bar")
    assert {cell for row in bars.rows for cell in row[1:]} == {"–"}
    for table in details(result):
        assert all(form(table) for form in (*FORMS, shown))


def test_a_name_is_shown_as_it_is() -> None:
    table = overview([made_up_result(run=NASTY)])
    assert f"{NASTY} " in shown(table, width=400)
    assert r"| my\_run &amp; co \| \$x\$ [red]50%[/red] #1 {a} \~^ \\ &lt;b&gt; \*so\* \`it\` [a\](b) |" in to_markdown(
        table
    )
    assert (
        r"my\_run \& co \textbar{} \$x\$ {[}red{]}50\%{[}/red{]} \#1 \{a\} \textasciitilde{}\textasciicircum{} "
        r"\textbackslash{} \textless{}b\textgreater{} *so* `it` {[}a{]}(b) & hierdec-drum\_4bar\_small &"
    ) in to_latex(table)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal_breaks_no_name_and_cuts_nothing_off(width: int) -> None:
    text = shown(overview([made_up_result()]), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    rows = [line for line in text.splitlines() if line.startswith("runs/small")]
    assert len(rows) > 1  # the table goes on below itself
    assert sum("hierdec-drum_4bar_small" in row for row in rows) == (len(rows) if width > 60 else 1)
    assert text.count("0.485") == 1
    assert text.count("[0.202, 0.232]") == 1
    assert not re.search(r"^silence[ –]*$", text, re.MULTILINE)  # only beside columns in which it has a figure


def test_a_terminal_with_ascii_alone_has_a_rule_of_its_characters() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=out, width=80, color_system=None).print(to_rich(Table("t", ("a", "b"), (("x", "1"),))))
    out.seek(0)
    assert out.read().split("\n")[:4] == ["t", "a  b", "----", "x  1"]


def test_sentences_in_a_table_are_wrapped_between_words() -> None:
    about = next(table for table in details(made_up_result()) if table.title == "Inputs")
    text = shown(about, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "data/examples/groove/hierdec-drum_4bar_small" in text


@given(st.lists(st.text(max_size=20), min_size=2, max_size=4).filter(any))
def test_no_text_breaks_a_row(cells: list[str]) -> None:
    table = Table("t", tuple("heading" for _ in cells), (tuple(cells),), names=len(cells))
    row = to_markdown(table).split("\n")[4]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == len(cells) + 1
    latex = to_latex(table)
    assert latex.count("\\\\\n") == 2  # the headings and the row
    row = latex.split("\\midrule\n")[1].split("\n")[0]
    bare = re.sub(r"\\[a-z]+|\\[&%$#_{}\\]", "", row)  # without commands and escaped signs
    assert bare.count("&") == len(cells) - 1
    assert bare.count("{") == bare.count("}")
    assert not set(bare) & set("#%_^~\\<>|")
    assert bare.count("[") == bare.count("{[}")


def test_latex_and_the_terminal_put_intervals_below_their_figures() -> None:
    table = Table("t", ("name [a]", "share\nof steps"), (("x [1, 2]", "0.5 [0.4, 0.6]"), ("y", "0.7")), ("So.",))
    lines = to_latex(table).split("\n")
    assert lines[0] == r"% needs \usepackage{booktabs,adjustbox}"
    assert lines[lines.index(r"\toprule") + 1 : lines.index(r"\bottomrule")] == [
        r"name {[}a{]} & share \\",
        r" & of steps \\",
        r"\midrule",
        r"x {[}1, 2{]} & 0.5 \\",  # what looks like an interval in a name is a name
        r" & {\scriptsize {[}0.4, 0.6{]}} \\",
        r"y & 0.7 \\",
    ]
    text = [line.rstrip() for line in shown(table).splitlines()]
    assert text[0] == "t"
    assert text[4:] == ["x [1, 2]         0.5", "          [0.4, 0.6]", "y                0.7", "So."]
    assert to_markdown(table) == (
        "**t**\n\n| name [a] | share, of steps |\n| :-- | --: |\n| x [1, 2] | 0.5 [0.4, 0.6] |\n| y | 0.7 |\n\nSo.\n"
    )


def test_a_table_without_headings_has_no_line_of_them() -> None:
    table = Table("t", ("", ""), (("a", "1"),))
    assert to_latex(table).split(r"\toprule")[1].startswith("\na & 1 \\\\")
    assert [line.rstrip() for line in shown(table).splitlines()] == ["t", "a  1"]
