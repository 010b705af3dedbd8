"""rich's console for plain text: strings are no markup, and nothing printed holds control codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from gmd_vae.common.line_breaks import wrap_text
from gmd_vae.common.printable import printable


class PlainConsole(Console):
    """A console on which ``[red]`` and ``:drum:`` in a name are shown as they are.

    A string is one line of text, which a terminal gets in lines that break between words and not within a command.
    Style and line breaks need objects of rich, such as ``Text``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Prints objects; a single string, broken to the width of the console where it has one."""
        if len(objects) == 1 and isinstance(objects[0], str) and not (self.soft_wrap or "soft_wrap" in settings):
            for line in wrap_text(printable(objects[0], limit=None), self.width, cell_len):
                super().print(line, **settings, soft_wrap=True)
        else:
            super().print(*objects, **settings)

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
