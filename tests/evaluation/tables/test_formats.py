"""Forms of the tables: figures in their cells, and three forms that no name can break."""

from __future__ import annotations

import io
import math
import re

import pytest
from fixtures.results import made_up_result
from fixtures.tables import shown
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import Table, difference, estimate, number, to_latex, to_markdown
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.evaluation.tables.terminal import to_rich
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

NASTY = r"my_run & co | $x$ [red]50%[/red] #1 {a} ~^ \ <b> *so* `it` [a](b)"


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
        "**t**\n\n| name [a] | share of steps |\n| :-- | --: |\n| x [1, 2] | 0.5 [0.4, 0.6] |\n| y | 0.7 |\n\nSo.\n"
    )


def test_a_table_without_headings_has_no_line_of_them() -> None:
    table = Table("t", ("", ""), (("a", "1"),))
    assert to_latex(table).split(r"\toprule")[1].startswith("\na & 1 \\\\")
    assert [line.rstrip() for line in shown(table).splitlines()] == ["t", "a  1"]
