"""The site: Sphinx builds it without a warning, it needs no network, and it holds every page and every public name."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import gmd_vae
import pytest
from gmd_vae.configuration.registry import all_configs

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md"))

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="no current Sphinx runs on Python 3.10")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Warnings are errors: links and anchors that lead nowhere, pages in no table of contents."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", "docs"]
    command += ["-d", str(folder / "cache"), ".", str(folder / "html")]
    built = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder / "html"


def test_every_page_is_there_and_the_front_door_leads_to_them(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    (target,) = set(re.findall(r'href="([^"]+)"', front))
    assert (site / target).is_file()
    assert len(PAGES) > 15
    assert [str(page) for page in PAGES if not (site / page).with_suffix(".html").is_file()] == []


def test_it_is_readable_without_a_network(site: Path) -> None:
    """Scripts, styles, fonts and pictures are files of the site; only links that a reader follows lead outside."""
    loads = re.compile(r"<(?:script|img|iframe|source|audio|video)\b[^>]*?\bsrc=\"([^\"]+)\"|<link\b([^>]*)>")
    for page in site.rglob("*.html"):
        for source, link in loads.findall(page.read_text(encoding="utf-8")):
            address = source or (re.findall(r'href="([^"]+)"', link) or [""])[0]
            assert not re.match(r"(https?:)?//", address), f"{page.name} loads {address}"
            if address and not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0].partition("#")[0]).exists(), f"{page.name}: {address}"
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text(encoding="utf-8")), style.name


def test_the_reference_has_every_public_name(site: Path) -> None:
    page = (site / "docs" / "reference" / "api.html").read_text(encoding="utf-8")
    assert [name for name in gmd_vae.__all__ if f'id="gmd_vae.{name}"' not in page] == []
    for method in ("encode", "decode", "sample", "interpolate", "vary", "reconstruct", "close"):
        assert f'id="gmd_vae.Model.{method}"' in page


def test_the_list_of_errors_is_that_of_the_code(site: Path) -> None:
    page = html.unescape((site / "docs" / "reference" / "errors.html").read_text(encoding="utf-8"))
    for message in (
        "Interpolation needs a count of 2 or more: both endpoints count",  # a plain text
        "Memory ran out at batch size …",  # a text with a gap
        "--engine dask needs --scheduler",  # wrong usage
        "cannot be read as MIDI: cut short",  # a reason that has a name in the code
        "gzip: it unpacks to more than … times its size",  # a reason that is filled in
        "its data has changed: the checksum does not match",  # the text of an exception that a message quotes
    ):
        assert message in page
    assert page.count("<tr") > 350


def test_the_table_of_configs_has_all_of_them(site: Path) -> None:
    page = (site / "docs" / "reference" / "configs.html").read_text(encoding="utf-8")
    assert [name for name in all_configs() if f">{name}<" not in page] == []


def test_no_mark_is_left(site: Path) -> None:
    assert [page.name for page in site.rglob("*.html") if "site:" in page.read_text(encoding="utf-8")] == []
