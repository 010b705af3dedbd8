"""The standard streams of a command: they take any text, and a command without them does its work all the same.

- A stream whose encoding lacks a character gets a replacement: ``->`` for an arrow, ``\\u9f13`` for 鼓.
- A stream that was closed before the start (``2>&-``) is replaced by ``/dev/null``. Otherwise the next file that
  the command opens would get its number, and TensorFlow's messages would be written into that file.
- A stream whose reader is gone (``| head``, a closed terminal) swallows the rest. The command goes on: its files
  and its exit status do not depend on a reader.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# characters of our own messages and tables
_READABLE = {
    "→": "->", "–": "-", "\N{MINUS SIGN}": "-", "…": "...", "×": "x", "·": ".", "•": "*", "β": "beta", "ε": "epsilon",
    "∞": "inf", "≥": ">=", "≤": "<=", "±": "+-", "²": "^2", "µ": "u",
}  # fmt: skip
_ERRORS = "gmd_vae_readable"  # name of the error handler
_NO_READER = {errno.EPIPE, errno.EIO}  # a closed pipe; a terminal that is gone


def prepare_streams() -> None:
    """Replaces the standard streams of this process, once, at the start of a command."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)  # gets the lowest free number
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 (open until the end)
    sys.stdout = text_stream(sys.stdout, 1)
    sys.stderr = text_stream(sys.stderr, 2)


def text_stream(before: TextIO | None, number: int) -> TextIO:
    """Returns a text stream on a file descriptor, with the settings of the stream before it.

    Args:
        before: The stream that it replaces; ``None`` for the settings of a new one.
        number: The descriptor, which the stream does not close.
    """
    codecs.register_error(_ERRORS, _replace)
    interactive = number == 2 or os.isatty(number)
    write_through = False
    if isinstance(before, io.TextIOWrapper):
        interactive, write_through = before.line_buffering, before.write_through
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number, "wb", closefd=False)),
        encoding=before.encoding if before else "utf-8",
        errors=_ERRORS,
        line_buffering=interactive,
        write_through=write_through,
    )


class _Descriptor(io.FileIO):
    """A file descriptor that turns into ``/dev/null`` at the first write that fails."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # also after a full disk: the data in the buffer would fail again at exit, with a traceback
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            if error.errno not in _NO_READER:
                raise
            return memoryview(data).nbytes


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replaces a character that the encoding of a stream lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    return _READABLE.get(letter) or letter.encode("ascii", "backslashreplace").decode("ascii"), error.start + 1
