"""What goes wrong, as users meet it: one line that names the thing, the reason and the next action."""

from __future__ import annotations


class GmdVaeError(Exception):
    """The work could not be done. Printed as one line on stderr; the process exits with 1.

    Args:
        problem: what is wrong and why, naming the file, config or value. No final full stop.
        next_action: what the user can do about it, as a sentence.
    """

    exit_code = 1

    def __init__(self, problem: str, next_action: str = "") -> None:
        self.problem = problem
        self.next_action = next_action
        super().__init__(problem, next_action)

    def __str__(self) -> str:
        text = f"{self.problem}. {self.next_action}" if self.next_action else f"{self.problem}."
        return " ".join(text.split())


class UsageError(GmdVaeError):
    """What was asked for cannot be meant: an unknown config, a value out of range. Exits with 2."""

    exit_code = 2


class Interrupted(GmdVaeError):
    """The user stopped the work (Ctrl-C, SIGTERM). ``problem`` says what was saved. Exits with 130."""

    exit_code = 130


def nearest(name: str, known: list[str]) -> str:
    """The known names closest to a mistyped one, as the start of a sentence for ``next_action``.

    >>> nearest("hierdec-drum_4bat", ["hierdec-drum_4bar", "flat-mel_16bar"])
    "Did you mean 'hierdec-drum_4bar'?"
    """
    import difflib

    matches = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if matches:
        return "Did you mean " + " or ".join(f"'{match}'" for match in matches) + "?"
    return "Known: " + ", ".join(sorted(known)) + "."
