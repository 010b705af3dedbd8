"""``progress.png`` from made-up runs: always a whole picture, always the same one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.training import progress_plot
from gmd_vae.training.progress_plot import draw_progress
from PIL import Image


def train_line(step: int, **changes: Any) -> str:
    rest = math.exp(-step / 1000)
    figures = {"loss": 60 + 340 * rest, "reconstruction": 58 + 340 * rest, "kl_bits": 30 * (1 - rest), "elbo": -90.0}
    plan = {"learning_rate": 0.001, "kl_beta": 0.2, "sampling_probability": 0.01, "gradient_norm": 1.2}
    return json.dumps({"split": "train", "step": step, **figures, **plan, "steps_per_second": 2.5, **changes})


def validation_line(step: int, elbo: float | None = -120.0, accuracy: float | None = 0.4) -> str:
    figures = {"elbo": elbo, "reconstruction": 100.0, "kl_bits": 14.0, "kl_bits_above_free": 0.0, "accuracy": accuracy}
    return json.dumps({"split": "validation", "step": step, "windows": 1836, **figures})


def draw(folder: Path, *lines: str) -> Path:
    metrics, target = folder / "metrics.jsonl", folder / "progress.png"
    metrics.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    draw_progress(metrics, target, "runs/a")
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert image.info.get("Software") is None
        image.load()
        assert image.width > 1000
    return target


TRAIN = [train_line(step) for step in range(20, 2001, 20)]
BOTH = [*TRAIN, *(validation_line(step, elbo=-200 + step / 20) for step in range(200, 2001, 200))]


def test_the_same_lines_give_the_same_bytes(tmp_path: Path) -> None:
    with_validation = draw(tmp_path, *BOTH).read_bytes()
    assert draw(tmp_path, *BOTH).read_bytes() == with_validation
    assert draw(tmp_path, *TRAIN).read_bytes() != with_validation
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl", "progress.png"]


def test_the_users_own_matplotlib_settings_do_not_matter_and_stay(tmp_path: Path) -> None:
    import matplotlib

    expected = draw(tmp_path, *TRAIN).read_bytes()
    with matplotlib.rc_context({"font.size": 31.0, "axes.facecolor": "black"}):
        assert draw(tmp_path, *TRAIN).read_bytes() == expected
        assert matplotlib.rcParams["font.size"] == 31.0


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [train_line(20)],
        [validation_line(200)],
        [validation_line(200, elbo=None, accuracy=None), validation_line(400, accuracy=None)],
        [train_line(20), validation_line(20), '{"split": "train", "step": 40, "lo'],
        ["", "null", "7", "[]", '"train"', "{}", '{"step": "many"}', '{"split": "test", "step": 3}', "\x00\ufffd"],
        [train_line(20), train_line(40, loss=float("nan"), elbo=float("-inf"), kl_bits="?")],
        [train_line(step, loss=float("nan"), reconstruction=float("nan")) for step in range(20, 4000, 20)],
        ['{"step": 20, "loss": 399.2, "reconstruction": 399.2, "kl_bits": 0.1, "learning_rate": 0.001}'],
        [train_line(0)],
    ],
    ids=["empty", "one line", "one validation", "nulls", "damaged", "no figures", "not finite", "diverged", "old", "0"],
)
def test_it_draws_whatever_the_file_holds(lines: list[str], tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    draw(tmp_path, *lines)
    assert [str(warning.message) for warning in recwarn] == []


def test_a_damaged_last_line_changes_nothing(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    whole = "".join(line + "\n" for line in BOTH).encode()
    metrics.write_bytes(whole)
    expected = progress_plot.read_metrics(metrics)
    assert len(expected["train"]["step"]) == 100
    for end in (b'{"split":"train","step":2020,"loss":3', b"\xff\xfe\x00", b"\n\n"):
        metrics.write_bytes(whole + end)
        np.testing.assert_equal(progress_plot.read_metrics(metrics), expected)


def test_a_name_is_text_not_a_formula(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text(train_line(20) + "\n")
    draw_progress(metrics, tmp_path / "progress.png", "my $run$ \\frac{ 日本")
    assert [str(warning.message) for warning in recwarn] == []


def test_figures_are_read_in_the_order_of_their_steps_and_the_later_line_counts(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.jsonl"
    lines = [train_line(20, loss=1.0), train_line(60, loss=2.0), train_line(40, loss=3.0), train_line(60, loss=4.0)]
    metrics.write_text("\n".join([*lines, validation_line(60, accuracy=None)]))
    measured = progress_plot.read_metrics(metrics)
    assert measured["train"]["step"].tolist() == [20.0, 40.0, 60.0]
    assert measured["train"]["loss"].tolist() == [1.0, 3.0, 4.0]
    assert np.isnan(measured["validation"]["accuracy"]).tolist() == [True]


def test_the_best_validation_is_the_first_with_the_best_figure() -> None:
    steps = np.array([200.0, 400.0, 600.0, 800.0])
    elbo = np.array([-150.0, -120.0, -120.0, np.nan])
    objective, by_elbo = np.array([90.0, 80.0, 70.0, np.nan]), np.zeros(4)

    def columns(elbo: Any, by_objective: Any, count: int = 4) -> dict[str, Any]:
        all_columns = {"step": steps, "elbo": elbo, "objective": objective, "by_objective": by_objective}
        return {name: column[:count] for name, column in all_columns.items()}

    best = progress_plot.best_validation(columns(elbo, by_elbo))
    assert best == (400.0, -120.0, None)
    assert progress_plot._summary({"validation": {"step": steps}}, best).startswith("step 800   best")
    assert progress_plot.best_validation(columns(np.full(4, np.nan), by_elbo)) is None
    assert progress_plot.best_validation(columns(elbo, by_elbo, 0)) is None
    best = progress_plot.best_validation(columns(elbo, np.ones(4)))
    assert best == (600.0, -120.0, 70.0)
    assert "objective 70.0 nats at step 600" in progress_plot._summary({"validation": {"step": steps}}, best)


def test_thinning_takes_means_and_loses_nothing() -> None:
    count = 5 * progress_plot._POINTS
    columns = {"step": np.arange(1.0, count + 1), "loss": np.arange(count) % 5.0}
    columns["loss"][7] = np.nan
    columns["loss"][10:15] = np.inf
    thinned = progress_plot.thin(columns)
    assert len(thinned["step"]) == progress_plot._POINTS
    assert thinned["step"][:3].tolist() == [3.0, 8.0, 13.0]
    assert thinned["loss"][0] == 2.0
    assert thinned["loss"][1] == 2.0  # of 0, 1, 3 and 4
    assert np.isnan(thinned["loss"][2])
    assert set(thinned["loss"][3:]) == {2.0}
    assert progress_plot.thin(thinned) is thinned


def test_a_long_run_is_not_decoded_line_by_line(tmp_path: Path) -> None:
    """Every validation and the last line of training are read, of the others one in so many."""
    metrics = tmp_path / "metrics.jsonl"
    with metrics.open("w") as stream:
        for step in range(20, 2_000_001, 20):
            stream.write(f'{{"split": "train", "step": {step}, "loss": 5.0}}\n')
            if step % 20_000 == 0:
                stream.write(validation_line(step) + "\n")
    measured = progress_plot.read_metrics(metrics)
    assert 5_000 < len(measured["train"]["step"]) <= progress_plot._DECODED + 1
    assert measured["train"]["step"][-1] > 1_999_000
    assert measured["validation"]["step"].tolist() == list(range(20_000, 2_000_001, 20_000))


def test_where_the_start_would_hide_the_rest_it_is_cut_off(tmp_path: Path) -> None:
    from gmd_vae.common.charts import Line, drawing, line_chart

    steps = list(range(20, 2001, 20))
    for start, cut in ((400.0, True), (11.0, False)):
        lines = [Line("loss", steps, [start, start, *(10 + step % 3 for step in steps[2:])])]
        with drawing(tmp_path / "x.png", width=4, height=3) as figure:
            axes = figure.subplots()
            line_chart(axes, lines, title="loss", unit="nats")
            progress_plot.leave_out_the_start(axes, lines)
            assert axes.get_ylim()[1] < 13
            assert axes.get_title(loc="right") == ("nats, start cut off" if cut else "nats")
