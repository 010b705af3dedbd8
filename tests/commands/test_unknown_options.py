"""Options that do not exist: the error names what takes their place, and nothing that does not exist either."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest
from fixtures.command_line import run_here
from gmd_vae.cli import COMMANDS
from gmd_vae.commands.unknown_options import _HINTS, hint_for


def options_of(name: str) -> set[str]:
    command = importlib.import_module(f"gmd_vae.commands.{name}").command
    return {option for one in command.params if isinstance(one, click.Option) for option in one.opts}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", "--style", "rock"], "training data: 'gmd-vae convert --style rock' takes rock only"),
        (["generate", "--style=rock"], "No such option '--style'. The style"),
        (["generate", "--mp3"], "'gmd-vae generate --wav'; other programs make MP3 of it"),
        (["render", "a.mid", "--ogg"], "Sound is written as WAV, by 'gmd-vae render FILE'"),
        (["generate", "--midi", "a.mid"], "Did you mean '--input-midi'"),
        (["train", "--epochs", "3"], "Did you mean '--num-steps'?"),
        (["train", "--batch-size", "8"], "--hparams batch_size=64."),
        (
            ["evaluate", "--run-dir", "runs/a"],
            "The run is an argument without an option: 'gmd-vae evaluate runs/small'.",
        ),
        (["export", "--model", "runs/a"], "'gmd-vae export runs/small -o small.safetensors'."),
        (["generate", "--temprature", "1"], "'--temperature', '--tempo'?)"),  # click's own
    ],
)
def test_an_unknown_option_gets_a_hint_in_one_line(tmp_path: Path, words: list[str], said: str) -> None:
    answer = run_here(tmp_path, *words, expect=2)
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert f"See 'gmd-vae {words[0]} --help'." in answer.stderr


@pytest.mark.parametrize("name", [name for name in _HINTS if name])
def test_hints_are_for_options_that_do_not_exist_and_name_some_that_do(name: str) -> None:
    known = options_of(name)
    for option in {**_HINTS[""], **_HINTS[name]}:
        assert option not in known
        hint = hint_for(name, option) or ""
        for part in re.split(r"(?='gmd-vae )|(?<=[';])\s", hint):
            of = re.match(r"'gmd-vae (\w+)", part)
            mentioned = set(re.findall(r"(?<!\S)'?(--?[a-z][a-z-]*)", part))
            assert mentioned <= options_of(of[1] if of else name), (option, part)


def test_hints_are_for_commands_that_exist() -> None:
    assert {name for name in _HINTS if name} <= set(COMMANDS)
