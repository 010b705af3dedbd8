"""Errors as users see them: one line that names the problem, the reason and the next action."""

from __future__ import annotations

_LONGEST = 4000  # characters: a value from a damaged file may have millions
_LISTED = 20  # names in a sentence


class GmdVaeError(Exception):
    """The work could not be done. ``cli.main`` prints it as one line on stderr and exits with 1.

    Args:
        problem: The problem and its reason, with the file, config or value; no final full stop.
        next_action: The user's next action, as a sentence.
    """

    exit_code = 1

    def __init__(self, problem: str, next_action: str = "") -> None:
        self.problem = problem
        self.next_action = next_action
        super().__init__(problem, next_action)

    def __str__(self) -> str:
        problem = f"{one_line(self.problem)}."
        return f"{problem} {one_line(self.next_action)}" if self.next_action else problem


class UsageError(GmdVaeError):
    """The request is invalid: an argument or option has a wrong value, or names a model or config that is not there.

    Exits with 2.
    """

    exit_code = 2


class Interrupted(GmdVaeError):
    """The user stopped the work (Ctrl-C, SIGTERM, SIGHUP). The message names the work that was saved.

    Exits with ``stop_signals.exit_status()``.
    """

    exit_code = 130


def one_line(text: str) -> str:
    """Returns a message on one line and fit to print, whatever the names in it hold."""
    from gmd_vae.common.printable import printable  # an extension module, which --help does not need

    return printable(" ".join(text.split()), _LONGEST)


def nearest(name: str, known: list[str]) -> str:
    """Returns the known names closest to a mistyped one, as a sentence for ``next_action``.

    Args:
        name: The mistyped name.
        known: All valid names.

    >>> nearest("hierdec-drum_4bat", ["hierdec-drum_4bar", "flat-mel_16bar"])
    "Did you mean 'hierdec-drum_4bar'?"
    >>> nearest("z", ["batch_size", "z_size"])
    "Did you mean 'z_size'?"
    """
    import difflib

    matches = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if not matches and name:  # too short a beginning to be close to the whole name
        matches = [each for each in sorted(known) if each.startswith(name)][:3]
    if matches:
        return "Did you mean " + " or ".join(f"'{match}'" for match in matches) + "?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"Known: {', '.join(sorted(known)[:_LISTED])}{more}."
