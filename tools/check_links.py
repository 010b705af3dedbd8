"""Checks the external links of README and documentation, where there is a network.

Usage: python tools/check_links.py [--list]

Exit status 1: a page answers that it does not exist. An address that gives no answer is only named: it may be
the network. Links between pages are checked by ``tests/project/test_docs.py``, without a network.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
PAGES = [
    *ROOT.glob("*.md"),
    ROOT / "CITATION.cff",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "notebooks").glob("*.ipynb"),
]
LINK = re.compile(r"https?://[^\s)>\"'`\\|]+")
PLACEHOLDERS = ("https://example.com/", "http://localhost")
SECONDS = 20
GONE = (404, 410)
BROWSER = {"User-Agent": "Mozilla/5.0 (link check)"}  # some servers refuse unknown programs


def links() -> dict[str, list[str]]:
    """Returns the pages that have each external link, by link."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in sorted(PAGES):
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            link = link.rstrip(".,;:")
            name = str(page.relative_to(ROOT))
            if not link.startswith(PLACEHOLDERS) and name not in found[link]:
                found[link].append(name)
    return {link: pages for link, pages in found.items() if pages}


def answer(link: str) -> int | None:
    """Returns the status of an address after redirections; ``None`` without an answer."""
    try:
        with requests.get(link, headers=BROWSER, timeout=SECONDS, stream=True) as response:
            return response.status_code
    except requests.RequestException:
        return None


def main(arguments: list[str] | None = None) -> int:
    """Prints one line for each link; returns 1 if one is dead."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--list", action="store_true", help="print the links and their pages, without the network")
    options = parser.parse_args(arguments)
    found = links()
    if options.list:
        print(*(f"{link}  {', '.join(pages)}" for link, pages in sorted(found.items())), sep="\n")
        return 0
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(found, pool.map(answer, found), strict=True))
    for link, status in sorted(answers.items(), key=lambda item: (item[1] in GONE, item[0])):
        print(f"{'no answer' if status is None else status}  {link}  {', '.join(found[link])}")
    return int(any(status in GONE for status in answers.values()))


if __name__ == "__main__":
    sys.exit(main())
