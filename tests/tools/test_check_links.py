"""External links: the pages that have them, and the answers of their servers."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from fixtures.tool_module import load_tool

tool: Any = load_tool("check_links")


def test_links_are_found_with_their_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--list"]) == 0
    lines = dict(line.split("  ") for line in capsys.readouterr().out.splitlines())
    assert "README.md" in lines["https://arxiv.org/abs/1803.05428"].split(", ")
    assert len(lines) > 15
    assert not [link for link in lines if "example.com" in link or link.endswith((".", ",", ")"))]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (403, 0), (None, 0), (404, 1)])
def test_only_a_page_that_is_not_there_is_a_failure(
    status: int | None, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Response:
        status_code = status

        def __enter__(self) -> Response:
            return self

        def __exit__(self, *error: object) -> None: ...

    def get(link: str, **options: object) -> Response:
        if status is None:
            raise requests.ConnectionError
        return Response()

    monkeypatch.setattr(tool.requests, "get", get)
    monkeypatch.setattr(tool, "links", lambda: {"https://one": ["README.md"]})
    assert tool.main([]) == code
    assert capsys.readouterr().out == f"{status or 'no answer'}  https://one  README.md\n"
