"""docs/versions.md is true: the numbers of the formats are those of the code, and a deprecated option says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from fixtures.model_files import document_of, rewrite
from fixtures.models import random_model
from gmd_vae.cli import cli
from gmd_vae.commands.options import GroupedCommand
from gmd_vae.common import home, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.extras import update
from gmd_vae.configuration import registry
from gmd_vae.datasets import groove
from gmd_vae.evaluation import result
from gmd_vae.models import model_file
from gmd_vae.models.model_file import write_model
from gmd_vae.training.cluster import roles
from gmd_vae.training.run import run_file

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (.+?) \| (.+?) \|", PAGE, re.MULTILINE))


def test_the_numbers_are_those_of_the_code() -> None:
    assert ROWS["`manifest.json`"] == f"`format`, {manifest.FORMAT}"
    assert ROWS["`run.json`"] == f"`format`, {run_file.FORMAT}"
    assert ROWS["`result.json`"] == f"`figures`, {result.FORMAT}"
    model = f"`format` is `{model_file.FORMAT}`; `version`, {model_file.VERSION}"
    assert ROWS["metadata of `model.safetensors`"] == model


def test_the_page_names_what_is_installed_and_the_variables() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    optional = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = re.findall(r"^(\w+) = \[", optional, re.MULTILINE)
    row = ROWS["installation"]
    least, below = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project)[0]
    assert set(re.findall(r"`(\w+)`", row)) == set(extras)
    assert f"Python 3.{least} to 3.{int(below) - 1}" in row
    variables = {home.VARIABLE, registry.VARIABLE, groove.ARCHIVE_VARIABLE, roles.VARIABLE}
    assert set(re.findall(r"`([A-Z_]+)`", ROWS["environment variables"])) == variables
    assert {option.envvar for option in _options(click.Context(cli)) if option.envvar} <= variables
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`([a-z-]+)`", ROWS["`make`"])) <= targets


def test_every_format_of_a_newer_number_is_refused_with_both_numbers_and_the_advice_to_update(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 2, "stage": "convert"}))
    (tmp_path / "run.json").write_text(json.dumps({"format": 2}))
    write_model(tmp_path / "model.safetensors", random_model())
    rewrite(tmp_path / "model.safetensors", {**document_of(tmp_path / "model.safetensors"), "version": 2})
    reads: list[Callable[[], object]] = [
        lambda: manifest.read(tmp_path, "convert", "Do it again."),
        lambda: run_file.read_run_file(tmp_path),
        lambda: model_file.read_model(tmp_path / "model.safetensors"),
    ]
    for read in reads:
        with pytest.raises(GmdVaeError, match="has format 2, this version of gmd-vae reads 1") as caught:
            read()
        assert caught.value.next_action == update()
    with pytest.raises(GmdVaeError, match=r"has figures 99, this version of gmd-vae reads \d+ and earlier") as caught:
        result.Result.from_json({"figures": 99})
    assert caught.value.next_action == update()


def _options(context: click.Context) -> Iterator[click.Parameter]:
    yield from context.command.params
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _options(click.Context(command, context, info_name=name))


def test_the_page_knows_what_is_deprecated() -> None:
    deprecated = [option.name for option in _options(click.Context(cli)) if getattr(option, "deprecated", False)]
    assert ("nothing is deprecated" in PAGE) == (deprecated == [])


def test_a_deprecated_option_works_and_says_what_replaces_it(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command(cls=GroupedCommand)
    @click.option("--old", deprecated="Use --new.")
    def command(old: str) -> None:
        click.echo(old)

    command.main(["--old", "3"], standalone_mode=False)
    printed = capsys.readouterr()
    assert printed.out == "3\n"
    (line,) = printed.err.splitlines()
    assert "deprecated. Use --new." in line
    command.main(["--help"], standalone_mode=False)
    assert "(DEPRECATED: Use --new.)" in capsys.readouterr().out
