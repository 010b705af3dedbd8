"""Errors of the calls in Python: one kind, in the words of Python.

The rooms write their errors for the command line, and name its options. A Python program has arguments in their
place. ``in_python`` changes the words of every error of a public function, so that no room writes two texts.
"""

from __future__ import annotations

import functools
import inspect
import re
import shlex
from collections.abc import Callable, Collection
from typing import ParamSpec, TypeVar

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.system_errors import translated

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_RENAMED = {"configs": "configs_file"}  # arguments with another name than their option
# Options for reading MIDI are attributes of one argument
_READING = {"drum_channel": "reading=gmd_vae.Reading(drum_channel={})", "stock": "reading=gmd_vae.Reading(stock=True)"}
_TRAIN = "gmd-vae train"
_VALUE = r"'[^']*'|[a-z_]+=\.\.\.|\d+|[A-Z]{2,}|fp32|bf16|(?:[^\s',;)]|,(?=\S))*[/=](?:[^\s',;)]|,(?=\S))*[^\s',.;:)]"
_TOKEN = re.compile(
    rf"'{_TRAIN} (?P<quoted>[^']*)'|{_TRAIN} (?P<words>.*)"
    r"|(?:gmd-vae|pip install|uv pip) .*"  # commands without a function stay, up to the end of the message,
    r"|(?<!\w)'[^']*'"  # and so does what stands in quotation marks: names, and commands in the middle of a message
    rf"|--(?P<option>[a-z][a-z-]*)(?: (?P<value>{_VALUE})(?!\w))?"
)


def in_python(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Decorates a public function: its errors are ``GmdVaeError``, those of the system too, and name its arguments."""
    arguments = frozenset(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*given: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
        try:
            with translated():
                return function(*given, **named)
        except GmdVaeError as error:
            error.problem = in_words(error.problem, arguments)
            error.next_action = in_words(error.next_action, arguments)
            error.args = (error.problem, error.next_action)
            raise

    return call


def in_words(text: str, arguments: Collection[str]) -> str:
    """Returns a text with the arguments of a function in the place of the options of the command line.

    Commands stay as they are, except ``gmd-vae train``, which is ``gmd_vae.train``; and so do options for which there
    is no argument.

    Args:
        text: Text with options, such as ``Train with --hparams batch_size=16 or less.``
        arguments: Names of the arguments.

    >>> in_words("Train with --hparams batch_size=16 or less, in another --run-dir.", {"hparams", "run_dir"})
    "Train with hparams={'batch_size': 16} or less, in another run_dir."
    """

    def replaced(match: re.Match[str]) -> str:
        if words := match["quoted"] or match["words"]:
            return _call_of_train(words) or match[0]
        if match["option"] is None:
            return match[0]
        name = _name(match["option"])
        value = match["value"]
        if name in _READING:
            return _READING[name].format(value or "...")
        if name not in arguments:
            return match[0]
        return name if value is None else f"{name}={_value(name, value)}"

    return _TOKEN.sub(replaced, text)


def _name(option: str) -> str:
    """Returns the argument of an option: ``run-dir`` → ``run_dir``."""
    return _RENAMED.get(option, option.replace("-", "_"))


def _value(name: str, text: str) -> str:
    """Returns the value of an option as Python writes it; words in capitals stand for one, and stay."""
    if name == "hparams":
        pairs = [pair.partition("=") for pair in re.split(r",(?![^\[]*\])", text)]
        return "{" + ", ".join(f"{key!r}: {_literal(value)}" for key, _, value in pairs) + "}"
    return text if text.startswith("'") or text.isupper() else _literal(text)


def _literal(text: str) -> str:
    """Returns numbers, booleans, lists and ``...`` as they are, and other text in quotation marks."""
    return text if re.fullmatch(r"[\d.+e-]+|\[.*\]|True|False|\.\.\.", text) else repr(text)


def _call_of_train(words: str) -> str | None:
    """Returns the words of a command as a call of ``gmd_vae.train``; ``None`` if they are not options with values."""
    from gmd_vae.api.training import train

    text, dot = words.removesuffix("."), "." * words.endswith(".")
    try:
        pieces = shlex.split(text)
    except ValueError:
        return None
    names, values = pieces[::2], pieces[1::2]
    known = inspect.signature(train).parameters
    if len(names) != len(values) or not all(piece.startswith("--") and _name(piece[2:]) in known for piece in names):
        return None
    given = {_name(piece[2:]): value for piece, value in zip(names, values, strict=True)}
    return "gmd_vae.train(" + ", ".join(f"{name}={_value(name, value)}" for name, value in given.items()) + ")" + dot
