"""The type of every path on the command line."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import click


class UserPath(click.Path):
    """A path that a user gives: never empty, with the home folder for ``~``, and one that the system can look up.

    Shells expand ``~`` themselves, but neither within quotes nor in ``--output-dir=~/x``. A folder that is called
    ``~`` is ``./~``.
    """

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns the path in the type of ``path_type``.

        Raises:
            BadParameter: The path is empty, too long, or a loop of links.
            FileNotFoundError: The path is relative, and the current folder was deleted.
        """
        text = os.path.expanduser(value)  # noqa: PTH111 (pathlib would shorten "./best", and fails for "~nobody")
        if not text:
            self.fail("it is empty. Use '.' for the current folder.", param, ctx)
        if not Path(text).is_absolute():
            Path.cwd()  # fails in a folder that was deleted: cli.main names that, and not every path in it
        try:
            Path(text).stat()
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                self.fail(f"'{text[:40]}...' is longer than the file system allows.", param, ctx)
            if error.errno == errno.ELOOP:
                self.fail(f"'{text}' is a loop of links.", param, ctx)
        except ValueError:  # a zero byte, from an environment variable of another program
            self.fail("it holds a zero byte.", param, ctx)
        return super().convert(text, param, ctx)
