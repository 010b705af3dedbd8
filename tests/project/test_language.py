"""Plain language: first words of docstrings, and words that the glossary replaces by standard terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CODE = sorted(path for folder in ("pipeline", "benchmarks", "tools", "docs") for path in (ROOT / folder).rglob("*.py"))
TEXTS = [*CODE, ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

QUESTION = re.compile(r"(What|Whether|How|Where|Which|Who|Why)\b")
# words of the invented idiom -> the standard term
REPLACED = {
    r"by heart": "memorised",
    r"the ancestor": "the previous project",
    r"steps right": "step accuracy",
    r"past at hand": "teacher-forced",
    r"running free": "free-running",
    r"(hears|heard|listens to)": "reads, is conditioned on",
    r"(wish|wishes|wished)": "options",
    r"dice": "random number generator",
    r"is told": "is given",
    r"manieth": "",
}
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
READ = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name != "cli.md"),  # it is the output of --help
]
LONG = 25  # words
WORDS = re.compile("|".join(rf"\b(?:{word})\b" for word in REPLACED))


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of each docstring in a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_begin_with_a_verb_or_a_noun_phrase(path: Path) -> None:
    assert [(line, text) for line, text in docstrings(path) if QUESTION.match(text)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_texts_use_standard_terms(path: Path) -> None:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    # JSON keys and the glossary's entries name old terms in code spans
    found = [(number, line.strip()) for number, line in lines if WORDS.search(re.sub(r"`[^`]*`", "", line))]
    assert found == []


def sentences(text: str) -> list[str]:
    """The sentences of a page without blocks, comments, tables, headings and pictures; points of lists are separate."""
    text = re.sub(r"<!--.*?-->", "", FENCE.sub("\n\n", text))
    text = re.sub(r"^(\||#|!\[|<| {4}).*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*(?:[-*>]|\d+\.)\s+", "\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "code", text))
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))
    return [found for paragraph in paragraphs for found in re.split(r"(?<=[.!?])\s+", paragraph) if " " in found]


@pytest.mark.parametrize("page", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_short(page: Path) -> None:
    """Many readers have English as a second language."""
    lengths = [len(sentence.split()) for sentence in sentences(page.read_text(encoding="utf-8"))]
    assert sum(lengths) <= 18 * len(lengths)
    assert sum(length > LONG for length in lengths) <= 0.05 * len(lengths)


def test_sentences_are_found() -> None:
    text = "# A heading. Not one.\n\nOne `a. b` here.\nTwo [a link](x.md) there! Three\n\n"
    text += "- four is short\n- five too\n\n| a. b |\n"
    found = ["One code here.", "Two a link there!", "four is short", "five too"]
    assert sentences(text) == found
