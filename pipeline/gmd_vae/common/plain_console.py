"""rich's console for plain text: strings are no markup, and nothing printed holds control codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from gmd_vae.common.printable import printable


class PlainConsole(Console):
    """A console on which ``[red]`` and ``:drum:`` in a name are shown as they are.

    A string is one line of text. Style and line breaks need objects of rich, such as ``Text``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Returns a string as a ``Text``; called for printed strings and for the cells of tables."""
        return super().render_str(printable(text, limit=None), **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yields the segments of anything that is printed; escapes what a ``Text`` object may hold."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            if control or text == "\n" or text.isprintable():
                yield segment
            else:
                yield Segment("\n".join(printable(line, limit=None) for line in text.split("\n")), style)
