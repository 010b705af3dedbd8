"""Sphinx's settings for the site. `make docs` builds it into build/site.

The source folder is the whole checkout, so that the links between the pages, the README and `configs.py` are the same
on the site and on a forge.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "pipeline"), str(ROOT / "docs")]

project = "gmd-vae"
project_copyright = "2026 The gmd-vae developers, Apache License 2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**.md"]
# Sphinx walks the whole source folder: what holds no pages is left out for speed
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"]

myst_heading_anchors = 4
suppress_warnings = [
    "myst.header",  # a page may begin with a second level, as the changelog's entries do
]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {"npt.ArrayLike": "ArrayLike"}  # its definition is long, and has internal names of NumPy
autodoc_class_signature = "separated"  # models and beats are not made by hand
autodoc_default_options = {"members": True, "exclude-members": "__init__"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes in the list of the class, each once
smartquotes = False  # messages and options stay as they are typed
highlight_language = "none"  # blocks without a language are output

html_theme = "furo"
html_title = "gmd-vae"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}


def _front_door(app: Sphinx, error: Exception | None) -> None:
    """Writes index.html at the top of the site, which leads to docs/index.html."""
    if error is None and app.builder.format == "html":
        page = (
            '<!doctype html><meta charset="utf-8"><title>gmd-vae</title>\n'
            '<meta http-equiv="refresh" content="0; url=docs/index.html">\n'
            '<a href="docs/index.html">gmd-vae</a>\n'
        )
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Replaces the marks of a page by what is written from the code."""
    if "<!-- site: " in source[0]:
        import site_reference

        source[0] = site_reference.fill(source[0])


def _mark_code(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Marks code for the style sheet: options, whose words stay whole, and printed sentences, which may wrap."""
    for code in tree.findall(nodes.literal):
        words = code.astext().split()
        if any(word.startswith("-") for word in words) and max(map(len, words)) < 24:
            code["classes"].append("options")
    for block in tree.findall(nodes.literal_block):
        text = block.astext()
        commands = re.search(r"^(gmd-vae|make|source|\w+_\w+) ", text, re.MULTILINE)
        if block.get("language") == "text" and "   " not in text and not commands:
            block["classes"].append("sentences")


def _dash(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Replaces the two hyphens between a parameter and its description, which Sphinx writes, by a dash."""
    for text in list(tree.findall(nodes.Text)):
        if text == " -- " and text.parent is not None:
            text.parent.replace(text, nodes.Text(" – "))


def setup(app: Sphinx) -> None:
    """Adds the front door, which Sphinx would place beside `root_doc`, and the parts that come from the code."""
    app.connect("source-read", _fill)
    app.connect("doctree-resolved", _dash)
    app.connect("doctree-resolved", _mark_code)
    app.connect("build-finished", _front_door)
