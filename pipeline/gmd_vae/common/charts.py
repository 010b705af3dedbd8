"""The common style of all charts: PNG files drawn without a display; equal numbers give equal bytes.

matplotlib is imported when a chart is drawn, not before: the import takes half a second, and imports numpy.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.files import whole_file
from gmd_vae.common.own_files import add_mark
from gmd_vae.common.printable import printable
from gmd_vae.common.stop_signals import deferred

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for colour-blind readers (jfly.uni-koeln.de/color)
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#8A5A8C"
PALE_BLUE, GREY = "#9CCBE8", "#6B6B6B"

_DPI = 120  # dots per inch: 10-point text is readable on a screen, a chart stays under 200 kB
_MAX_DOTS = 40  # lines of at most 40 points show dots too; a single point has no line

# applied to matplotlib's defaults, not to the user's matplotlibrc: the bytes must not depend on it
_STYLE: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,  # inches around each panel
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
    "legend.framealpha": 0.8,  # a line under the legend shows through
    "legend.edgecolor": "none",
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        label: Name in the legend.
        x: Rising values, in the unit of the x axis.
        y: Values, in the unit of the panel; NaN for a gap.
        colour: One of this module's colours.
        dashed: Style of a second line with the same colour.
        width: Line width in points.
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
    # an unavailable backend in the environment would make the import fail
    os.environ["MPLBACKEND"] = "agg"
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():  # restores the caller's settings
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # not pyplot, which keeps every figure and needs a display
        yield Figure(figsize=(width, height), dpi=_DPI)


@contextlib.contextmanager
def drawing(target: Path, *, width: float, height: float, title: str = "", note: str = "") -> Iterator[Figure]:
    """Yields an empty figure; writes the finished drawing as a PNG file, complete or not at all.

    Args:
        target: PNG file; its folder is created.
        width: Inches, 120 pixels each.
        height: Inches.
        title: Line above all panels.
        note: Smaller line at the right of the title.
    """
    with styled_figure(width, height) as figure:
        # user's names may hold dollar signs, which are no formulas
        if title:
            figure.suptitle(printable(title, None), x=0.01, ha="left", fontsize=13, fontweight="bold", parse_math=False)
        if note:
            top = 1 - 0.13 / height  # level with the title, 0.1 inches from the edge
            figure.text(0.99, top, printable(note, None), ha="right", va="top", color=GREY, parse_math=False)
        yield figure
        with whole_file(target) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a missing glyph in a name is shown as a box
            # no version of matplotlib in the bytes; a format, since the temporary name has no .png
            with deferred():
                figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
            add_mark(temporary)


def line_chart(axes: Axes, lines: Sequence[Line], *, title: str, unit: str = "", x_label: str = "step") -> None:
    """Draws lines into one panel: several with a legend, none as "no data yet".

    Args:
        axes: The panel.
        lines: The lines; those without a finite value are left out.
        title: Quantity on the y axis.
        unit: Its unit, at the right of the title.
        x_label: Quantity on the x axis, with its unit.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title)
    small_title(axes, unit)
    axes.set_xlabel(x_label)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))  # labels such as 1,500,000 need room
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    shown = 0
    for line in lines:
        points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
        if not points:
            continue
        shown += 1
        axes.plot(
            line.x,
            [y if math.isfinite(y) else math.nan for y in line.y],
            label=line.label,
            color=line.colour,
            linestyle=(0, (4, 2)) if line.dashed else "-",
            linewidth=line.width,
            marker="o" if len(points) <= _MAX_DOTS else "",
            markersize=3.5,
        )
    if not shown:
        axes.text(0.5, 0.5, "no data yet", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set(xticks=[], yticks=[], xlabel="")
    elif shown > 1:
        axes.legend(loc="best")


def small_title(axes: Axes, text: str) -> None:
    """Writes a small text above a panel, at the right: a unit or a remark."""
    axes.set_title(text, loc="right", fontsize=9, fontweight="normal", color=GREY)
