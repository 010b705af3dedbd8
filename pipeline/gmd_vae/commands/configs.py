"""``gmd-vae configs``."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import Name, configs_option, json_option
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config


@click.command(cls=HelpCommand)
@click.argument("name", required=False, type=Name())
@click.option(
    "--plot-schedules",
    "picture",
    metavar="PNG",
    type=UserPath(path_type=Path, dir_okay=False),
    help="Draw learning rate, β, free bits and sampling probability of NAME over its steps to a PNG file. Replaces a "
    "picture of gmd-vae, and no other file.",
)
@configs_option
@json_option
def command(name: str | None, picture: Path | None, configs_file: Path | None, as_json: bool) -> None:
    """List the model configs, or show one.

    The list is grouped by the music that configs learn from, with places to get it. For each config it
    shows the number of parameters, an estimate of the memory for training on a CPU (where it is known),
    and "yes" if it is small enough for a laptop. NAME shows every number of one config, and the commands
    to train it and to generate with it.

    \b
    Examples:
      gmd-vae configs
      gmd-vae configs hierdec-drum_4bar_v2
      gmd-vae configs hierdec-drum_4bar_v2 --plot-schedules schedules.png
      gmd-vae configs --json
    """
    from gmd_vae.common import console
    from gmd_vae.common.errors import UsageError
    from gmd_vae.common.own_files import check_writable
    from gmd_vae.common.printable import as_command
    from gmd_vae.configuration.registry import DEFAULT_CONFIG, all_configs, get_config

    if picture is not None and name is None:
        raise UsageError(
            "--plot-schedules draws one config, but no config is named",
            f"Name one: {as_command('configs', DEFAULT_CONFIG, '--plot-schedules', picture)}",
        )
    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"The picture is a PNG file, but '{picture}' does not end in .png", "Give it that ending.")
    if picture is not None:
        check_writable(picture, inputs=[configs_file] if configs_file else [], option="--plot-schedules")
    if name:
        config = get_config(name, configs_file)
        if as_json:
            console.print_json(_facts(config))
        else:
            _show_one(config)
        if picture is not None:
            from gmd_vae.configuration.schedules import draw_schedules

            draw_schedules(config.hparams, config.num_steps, picture, config.name)
            out = console.stderr() if as_json else console.stdout()
            out.print(f"Wrote the schedules of {config.num_steps:,} steps to {picture}")
        if not as_json:
            _print_commands(config, configs_file)
        return
    configs = list(all_configs(configs_file).values())
    if as_json:
        console.print_json({"configs": [_facts(config) for config in configs]})
        return
    _show_all(configs)
    out = console.stdout()
    out.print("memory: estimated for training on a CPU; –: not known. laptop: small enough to train on two CPU cores")
    out.print(f"Default: {DEFAULT_CONFIG}")
    console.print_next(as_command("configs", DEFAULT_CONFIG), "for every number of a config")


def _facts(config: Config) -> dict[str, Any]:
    """Returns the facts of a config as JSON values."""
    from gmd_vae.families import family_of
    from gmd_vae.families.music import is_for_laptops
    from gmd_vae.families.parameters import checkpoint_bytes, count_parameters

    family = family_of(config)
    output, music, parameters = family.output(config), family.music(config), count_parameters(config)
    return {
        "name": config.name,
        "summary": config.summary,
        "source": config.source,
        "group": music.name,
        "for_laptops": is_for_laptops(config),
        "kind": family.kind,
        "streams": [dataclasses.asdict(stream) for stream in output.streams],
        "bars": output.bars,
        "tracks": output.tracks,
        "controls": output.controls,
        "sized_from": "" if config.is_magentas else config.magenta,
        "parameters": parameters,
        "checkpoint_bytes": checkpoint_bytes(parameters, averages=config.hparams["average_decay"] > 0),
        "training_bytes": family.training_bytes(config, config.hparams),
        "levels": list(config.levels),
        "conductor_autoregression": config.conductor_autoregression if config.levels else None,
        "num_steps": config.num_steps,
        "windows": dataclasses.asdict(config.windows),
        "hparams": config.hparams,
        "needs": music.needs,
        "stock": config.is_magentas,
    }


def _show_all(configs: list[Config]) -> None:
    """Prints a table of configs for each kind of music."""
    from rich.table import Table
    from rich.text import Text

    from gmd_vae.common import console
    from gmd_vae.common.printable import printable
    from gmd_vae.families.music import MUSIC

    out = console.stdout()
    listed = [_facts(config) for config in configs]
    for group in MUSIC.values():
        out.print(Text.assemble((group.heading, "bold"), f": {group.data}"))
        table = Table(box=None, pad_edge=False)
        table.add_column("config", no_wrap=True)
        rows = [facts for facts in listed if facts["group"] == group.name]
        rows.sort(key=lambda facts: facts["stock"])
        known = any(facts["training_bytes"] for facts in rows)
        for heading in ("parameters", *(("memory",) if known else ()), "laptop"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("summary", overflow="fold")  # names of configs are long words
        for number, facts in enumerate(rows):
            if facts["stock"] and not (number and rows[number - 1]["stock"]):
                table.add_row("Magenta's own:")
            memory = [f"{facts['training_bytes'] / 1e9:.1f} GB" if facts["training_bytes"] else "–"] if known else []
            summary = re.sub("[,;] for a laptop$", "", printable(facts["summary"]))
            laptop = "yes" if facts["for_laptops"] else "no"
            table.add_row(facts["name"], f"{facts['parameters'] / 1e6:.1f} M", *memory, laptop, summary)
        out.print(table)
        out.print()


def _show_one(config: Config) -> None:
    """Prints every number of a config."""
    from rich.table import Table
    from rich.text import Text

    from gmd_vae.common import console
    from gmd_vae.common.printable import printable
    from gmd_vae.configuration.config import HPARAM_DEFAULTS
    from gmd_vae.configuration.own_hparams import LEVERS, magentas
    from gmd_vae.families import family_of
    from gmd_vae.families.music import MUSIC

    facts = _facts(config)
    out = console.stdout()
    out.print(Text.assemble((printable(config.name), "bold"), f": {printable(config.summary, None)}"))
    out.print(f"Numbers from: {config.source}")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("name", no_wrap=True)
    table.add_column("value")
    table.add_row("parameters", f"{facts['parameters']:,}")
    table.add_row("checkpoint", f"{facts['checkpoint_bytes'] / 1e6:,.1f} MB")
    if facts["training_bytes"]:
        table.add_row("memory", f"{facts['training_bytes'] / 1e9:.1f} GB in training on a CPU (estimate)")
    table.add_row("decoder", _decoder(facts))
    group = MUSIC[facts["group"]]
    table.add_row("needs", f"{facts['needs']}: {group.data}")
    table.add_row("writes", family_of(config).describe_output(config))
    table.add_row("steps", f"{facts['num_steps']:,}")
    for name, value in facts["windows"].items():
        shown = f"{len(value)} drum classes" if name == "pitch_classes" else value
        table.add_row(f"windows.{name}", str(shown))
    for name, value in magentas(config.hparams).items():
        default = HPARAM_DEFAULTS.get(name, value)
        table.add_row(name, str(value) if value == default else f"{value}  (Magenta's default: {default})")
    out.print(table)
    out.print("")
    out.print(Text.assemble(("Levers of training", "bold"), ", hyperparameters beside Magenta's:"))
    levers = Table(box=None, pad_edge=False, show_header=False)
    levers.add_column("name", no_wrap=True)
    levers.add_column("value", no_wrap=True)
    levers.add_column("effect")
    for name, lever in LEVERS.items():
        value = config.hparams[name]
        levers.add_row(name, f"{value} (off)" if value == lever.off else str(value), lever.effect)
    out.print(levers)
    out.print("")


def _print_commands(config: Config, configs_file: Path | None) -> None:
    """Prints the commands from NoteSequences to new music."""
    from gmd_vae.commands.next_steps import generate_words
    from gmd_vae.common import console
    from gmd_vae.common.home import data_folder, runs_folder
    from gmd_vae.common.printable import as_command
    from gmd_vae.families import family_of
    from gmd_vae.families.music import MUSIC

    own = ("--configs", configs_file) if configs_file else ()
    # the Groove MIDI Dataset is found without a path; other music is the user's
    is_drums = family_of(config).music(config) in (MUSIC["drums"], MUSIC["groove"])
    path = () if is_drums else ("--examples-path", data_folder("notes") / "my_midi")
    then = generate_words(config, "--run-dir", runs_folder() / config.name)
    console.print_command("After training", as_command(*then))
    console.print_next(as_command("train", *own, "--config", config.name, *path))


def _decoder(facts: dict[str, Any]) -> str:
    """Returns the structure of the decoder in words."""
    if not facts["levels"]:
        return "flat"
    conductor = "autoregressive" if facts["conductor_autoregression"] else "not autoregressive"
    return f"hierarchical, {' × '.join(map(str, facts['levels']))} steps, conductor {conductor}"
