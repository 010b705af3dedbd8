"""What all charts share: a PNG drawn without a display, the same bytes from the same numbers.

matplotlib is imported when something is drawn, not before: it takes half a second and numpy with it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart (jfly.uni-koeln.de/color)
BLUE, ORANGE, GREEN, PALE_BLUE, GREY = "#0072B2", "#D55E00", "#009E73", "#9CCBE8", "#6B6B6B"

_DPI = 120  # dots per inch: 10-point text is readable on a screen, a chart stays under 200 kB
_FEW = 40  # points: so many or fewer are shown as dots too, else a single one would be invisible

# on top of matplotlib's defaults, never on the user's matplotlibrc: the bytes must not depend on it
_STYLE: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,  # inches, around each panel
    "figure.constrained_layout.w_pad": 0.1,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#E4E4E4",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": True,
    "legend.framealpha": 0.8,  # where it must lie on a line, the line shows through
    "legend.edgecolor": "none",
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        label: its name in the legend.
        x: in the unit of the x axis, rising.
        y: in the unit of the panel; NaN where there is no value.
        colour: one of this module's.
        dashed: for a second line of the same colour.
        width: in points.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = BLUE
    dashed: bool = False
    width: float = 1.6


@contextlib.contextmanager
def styled_figure(width: float, height: float) -> Iterator[Figure]:
    """Yields an empty figure in the style of all charts, for as long as it is drawn and saved.

    Args:
        width: Inches; 120 pixels each in a PNG file.
        height: Inches.
    """
    # a backend that is not there would stop the import, and none is needed
    os.environ["MPLBACKEND"] = "agg"
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():  # gives the caller's settings back at the end
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # not pyplot: it keeps every figure, and looks for a display
        yield Figure(figsize=(width, height), dpi=_DPI)


@contextlib.contextmanager
def drawing(target: Path, *, width: float, height: float, title: str = "", note: str = "") -> Iterator[Figure]:
    """Yields an empty figure; what was drawn on it then appears whole as the PNG file ``target``.

    Args:
        target: PNG file; its folder is created.
        width: Inches, 120 pixels each.
        height: Inches.
        title: Line above everything.
        note: Smaller line at the right of the title.
    """
    with styled_figure(width, height) as figure:
        # names are the user's: a dollar sign in one is no formula
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", parse_math=False)
        if note:
            top = 1 - 0.13 / height  # level with the title, which stands 0.1 inches from the edge
            figure.text(0.99, top, note, ha="right", va="top", color=GREY, parse_math=False)
        yield figure
        with whole_file(target) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box in a title harms nobody
            # without matplotlib's version in it; the temporary name does not end in .png
            figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})


def line_chart(axes: Axes, lines: Sequence[Line], *, title: str, unit: str = "", x_label: str = "step") -> None:
    """Draws lines into one panel, with a legend where there are several and "no data yet" where there is nothing.

    Args:
        axes: the panel.
        lines: those without a single value are left out.
        title: what the y axis shows.
        unit: its unit, at the right of the title.
        x_label: what the x axis shows, with its unit.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title)
    small_title(axes, unit)
    axes.set_xlabel(x_label)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))  # room for labels like 1,500,000
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    shown = 0
    for line in lines:
        points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if abs(y) < float("inf")]  # no NaN either
        if not points:
            continue
        shown += 1
        axes.plot(
            line.x,
            [y if abs(y) < float("inf") else float("nan") for y in line.y],
            label=line.label,
            color=line.colour,
            linestyle=(0, (4, 2)) if line.dashed else "-",
            linewidth=line.width,
            marker="o" if len(points) <= _FEW else "",
            markersize=3.5,
        )
    if not shown:
        axes.text(0.5, 0.5, "no data yet", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set(xticks=[], yticks=[], xlabel="")
    elif shown > 1:
        axes.legend(loc="best")


def small_title(axes: Axes, text: str) -> None:
    """Writes small at the right, above a panel: a unit, a remark."""
    axes.set_title(text, loc="right", fontsize=9, fontweight="normal", color=GREY)
