from __future__ import annotations

from gmd_vae.configuration.window_specs import CLASS_NAMES
from gmd_vae.inspection.text_grid import ASCII, BLOCKS, bar_number, grid, signs_for
from hypothesis import given
from hypothesis import strategies as st


def test_a_bar_with_kick_and_hi_hat() -> None:
    labels = [0] * 16
    labels[0], labels[4], labels[6] = 0b101, 0b100, 0b1
    lines = grid(labels, CLASS_NAMES, steps_per_bar=16, steps_per_beat=4, first_bar=7)
    assert lines[0] == "           7"
    assert lines[-1] == "      kick│■   · ■ ·   ·   │"
    assert lines[-3] == "closed hat│■   ■   ·   ·   │"
    assert len(lines) == 1 + 9


def test_four_bars_fit_on_a_terminal_and_a_line_stands_between_bars() -> None:
    lines = grid([511] * 64, CLASS_NAMES, steps_per_bar=16, steps_per_beat=4, first_bar=1)
    assert lines[0].split() == ["1", "2", "3", "4"]
    assert {len(line) for line in lines[1:]} == {79}
    bars = "│".join(["■" * 16] * 4)
    assert lines[1] == f"      ride│{bars}│"
    for number in range(4):  # each number stands above its bar's first step
        assert lines[0][11 + 17 * number] == str(number + 1)


def test_a_long_window_continues_below() -> None:
    lines = grid([1] * 256, CLASS_NAMES, steps_per_bar=16, steps_per_beat=4, first_bar=3)
    assert [line.split() for line in lines if not line or line[0:11].isspace()] == [
        ["3", "4", "5", "6"], [], ["7", "8", "9", "10"], [], ["11", "12", "13", "14"], [], ["15", "16", "17", "18"],
    ]  # fmt: skip


@given(
    labels=st.lists(st.integers(0, 511), min_size=1, max_size=300),
    steps_per_beat=st.integers(1, 24),
    quarters=st.integers(1, 12),
    width=st.integers(30, 120),
    first_bar=st.none() | st.floats(1, 1e6),
)
def test_no_line_is_wider_than_the_terminal_and_no_hit_is_lost(
    labels: list[int], steps_per_beat: int, quarters: int, width: int, first_bar: float | None
) -> None:
    lines = grid(
        labels,
        CLASS_NAMES,
        steps_per_bar=steps_per_beat * quarters,
        steps_per_beat=steps_per_beat,
        first_bar=first_bar,
        width=width,
    )
    assert max(len(line) for line in lines) <= width
    assert sum(line.count(BLOCKS.hit) for line in lines) == sum(label.bit_count() for label in labels)


@given(st.lists(st.integers(0, 511), min_size=64, max_size=64), st.integers(1, 10**6))
def test_sixty_four_steps_are_one_row_of_eighty_columns(labels: list[int], bar: int) -> None:
    lines = grid(labels, CLASS_NAMES, steps_per_bar=16, steps_per_beat=4, first_bar=bar)
    assert len(lines) == 10
    assert max(len(line) for line in lines) <= 80


def test_terminals_without_blocks() -> None:
    assert signs_for("utf-8") is BLOCKS
    for encoding in ("ascii", "latin-1", "no such", None):
        assert signs_for(encoding) is ASCII


def test_numbers_of_bars() -> None:
    assert [bar_number(bar) for bar in (1, 3.5, 10, 2.3333)] == ["1", "3.5", "10", "2.33"]
