"""Measured figures have an origin: tables of them name a version or a commit, and each commit is in the history."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
# a cell that begins with a decimal number, or with a number and one of these units
MEASURED = re.compile(r"\| [^\w|`]*\d[\d,]*(?:\.\d| ?%| ?×| (?:ms|s|seconds|minutes|MB|GB)\b)")
COMMIT = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7}\b")
# "version and commit" is for a link to the page that names them
ORIGIN = re.compile(rf"{COMMIT.pattern}|\bversions? 0\.\d|\bversion and commit\b")
# heads of tables that hold no measurements
NOT_MEASURED = {
    "| part | you get | time to plan |": "estimates",
    "| part | you get | time to plan, on two cores |": "estimates",
}


def parts(page: str) -> list[str]:
    """The parts of a page: each begins at a heading, or at a paragraph whose first words are bold."""
    return re.split(r"^(?=#+ )|(?<=\n\n)(?=\*\*)", FENCE.sub("", page), flags=re.MULTILINE)


def without_origin(page: str) -> list[str]:
    """The heads of the tables with measured figures in whose part neither a version nor a commit stands."""
    return [
        head
        for part in parts(page)
        if not ORIGIN.search(TABLE.sub("", part))
        for table in TABLE.findall(part)
        if MEASURED.search(table) and (head := table.partition("\n")[0]) not in NOT_MEASURED
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_of_measured_figures_name_a_version_or_a_commit(page: Path) -> None:
    assert without_origin(page.read_text(encoding="utf-8")) == []


def test_a_table_without_origin_would_be_found() -> None:
    table = "\n\n| seed | accuracy |\n| --- | --- |\n| 0 | **0.687** |\n\n"
    named = f"# A\n\nMeasured at commit 4f5b352.{table}"
    assert without_origin(named) == without_origin(f"# A{table}Of version 0.8.3.") == []
    assert (
        without_origin(f"{named}# B{table}")
        == without_origin(f"{named}**Longer.** Another one.{table}")
        == ["| seed | accuracy |"]
    )
    assert without_origin("| option | default |\n| --- | --- |\n| `--seed` | 0 |\n| `--swing` | `0.5` |\n") == []


def test_the_exceptions_are_on_the_pages() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [head for head in NOT_MEASURED if f"\n{head}\n" not in text] == []


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else ""


def test_the_commits_that_pages_name_are_in_the_history() -> None:
    if _git("rev-parse", "--is-shallow-repository") != "false" or not (ROOT / ".git").exists():
        pytest.skip("this copy has no history")
    history = {commit[:7] for commit in _git("rev-list", "HEAD").split()}
    texts = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    named = [(page.name, commit) for page in texts for commit in COMMIT.findall(page.read_text(encoding="utf-8"))]
    assert len(named) > 30
    assert [each for each in named if each[1] not in history] == []
