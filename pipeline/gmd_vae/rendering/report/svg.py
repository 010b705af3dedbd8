"""Rewrites matplotlib's SVG for the report page, which allows no ``style`` attributes and has two colour schemes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

from gmd_vae.common.charts import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours of the charts and their variables in page.css, which differ between light and dark mode.
_VARIABLES = {
    BLUE: "train",
    ORANGE: "validation",
    GREY: "soft",
    "#E4E4E4": "beat",  # grid lines
    "#FFFFFF": "panel",  # background of the legend
    "#000000": "ink",
}
_COLOURS = {colour.lower(): f"var(--{name})" for colour, name in _VARIABLES.items()}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # date and version would change the bytes
_NUMBER = re.compile(r"-?\d+\.\d+")


def inline_svg(figure: Figure, *, name: str, description: str) -> Markup:
    """Returns a figure as an ``<svg>`` element for an HTML page. The same figure gives the same bytes.

    Text stays text. Colours become CSS variables of the page, style declarations become presentation
    attributes, and coordinates are rounded to a tenth of a unit.

    Args:
        figure: Figure inside ``styled_figure``, with colours of ``gmd_vae.common.charts`` only.
        name: Name that is unique on the page; it keeps the ids of several figures apart.
        description: Accessible text of the picture.

    Raises:
        KeyError: The figure has a colour without a CSS variable.
    """
    import matplotlib

    with io.BytesIO() as stream, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
        source = stream.getvalue().decode("utf-8")
    root = ElementTree.fromstring(source)
    used = set(re.findall(r'(?:url\(|href=")#(\w+)', source))
    for parent in root.iter():
        for child in [child for child in parent if child.tag.endswith(("}metadata", "}style"))]:
            parent.remove(child)
        _rewrite(parent, used)
    for size in ("width", "height", "version"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": description, "fill": _COLOURS["#000000"], "stroke-linejoin": "round"}
    return Markup(re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")))


def _rewrite(element: ElementTree.Element, used: set[str]) -> None:
    """Rewrites the tag and the attributes of one element in place."""
    element.tag = element.tag.rpartition("}")[2]  # HTML needs no namespaces
    attributes: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "style":
            attributes |= _declarations(value)
        elif key != "transform" and (key != "id" or value in used):  # the only transform is "rotate(-0 ...)"
            attributes[key.rpartition("}")[2]] = " ".join(_NUMBER.sub(_rounded, value).split())
    element.attrib.clear()
    element.attrib |= attributes


def _declarations(style: str) -> dict[str, str]:
    """Returns the declarations of a ``style`` attribute as presentation attributes; the font family is the page's."""
    pairs = dict(declaration.strip().split(": ", 1) for declaration in style.split(";") if declaration.strip())
    pairs.pop("font-family", None)
    return {key: _COLOURS[value] if value.startswith("#") else value for key, value in pairs.items()}


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
