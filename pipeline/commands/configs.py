"""``gmd-vae configs``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import configs_option, json_option

if TYPE_CHECKING:
    from pipeline.models.registry import Config


@click.command()
@click.argument("name", required=False)
@click.option(
    "--plot-schedules",
    "picture",
    metavar="PNG",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw NAME's learning rate, β and sampling probability over its steps, as a PNG file.",
)
@configs_option
@json_option
def command(name: str | None, picture: Path | None, configs_file: Path | None, as_json: bool) -> None:
    """List the model configs, or show one.

    The list says what each config needs: parameters, and about how much memory training takes on a
    CPU at its batch size. Magenta's own 23 configs stand at its end.

    \b
    Examples:
      gmd-vae configs
      gmd-vae configs hierdec-drum_4bar_v2
      gmd-vae configs hierdec-drum_4bar_v2 --plot-schedules schedules.png
      gmd-vae configs --json
    """
    from pipeline import console
    from pipeline.errors import UsageError
    from pipeline.models.registry import DEFAULT_CONFIG, all_configs, get_config

    if picture is not None and name is None:
        raise UsageError(
            "--plot-schedules draws one config, and none is named",
            f"Name one: gmd-vae configs {DEFAULT_CONFIG} --plot-schedules {picture}",
        )
    if picture is not None and picture.suffix.lower() != ".png":
        raise UsageError(f"The picture is a PNG file, and '{picture}' does not end in .png", "Give it that ending.")
    if name:
        config = get_config(name, configs_file)
        if as_json:
            console.print_json(_facts(config))
        else:
            _show_one(config)
        if picture is not None:
            from pipeline.models.schedules import draw_schedules

            draw_schedules(config.hparams, config.num_steps, picture, config.name)
            out = console.stderr() if as_json else console.stdout()
            out.print(f"Wrote the schedules of {config.num_steps:,} steps to {picture}", markup=False)
        return
    configs = list(all_configs(configs_file).values())
    if as_json:
        console.print_json([_facts(config) for config in configs])
        return
    _show_all(configs)
    console.stdout().print(f"Default: {DEFAULT_CONFIG}. 'gmd-vae configs NAME' shows every number of one.")


def _facts(config: Config) -> dict[str, Any]:
    """One config for programs."""
    from pipeline.models.config import VaeConfig, checkpoint_bytes, training_bytes

    ours = isinstance(config, VaeConfig)
    return {
        "name": config.name,
        "summary": config.summary,
        "source": config.source,
        "parameters": config.parameters,
        "checkpoint_bytes": checkpoint_bytes(config.parameters),
        "training_bytes": training_bytes(config, config.hparams) if isinstance(config, VaeConfig) else None,
        "levels": list(config.levels) if isinstance(config, VaeConfig) else None,
        "conductor_autoregression": (
            config.conductor_autoregression if isinstance(config, VaeConfig) and config.levels else None
        ),
        "num_steps": config.num_steps,
        "windows": dataclasses.asdict(config.windows) if config.windows else None,
        "hparams": config.hparams,
        "needs": config.needs if not isinstance(config, VaeConfig) else "drums",
        "stock": not ours,
    }


def _show_all(configs: list[Config]) -> None:
    from rich.table import Table

    from pipeline import console

    out = console.stdout()
    for stock in (False, True):
        table = Table(box=None, pad_edge=False)
        table.add_column("Magenta's own configs" if stock else "config", no_wrap=True)
        for heading in ("parameters",) if stock else ("parameters", "memory"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("what")
        for facts in map(_facts, configs):
            if facts["stock"] is not stock:
                continue
            sizes = [f"{facts['parameters'] / 1e6:.1f} M"]
            if not stock:
                sizes.append(f"{facts['training_bytes'] / 1e9:.1f} GB")
            table.add_row(facts["name"], *sizes, facts["summary"])
        out.print(table)
        out.print()


def _show_one(config: Config) -> None:
    from rich.table import Table

    from pipeline import console
    from pipeline.models.config import HPARAM_DEFAULTS

    facts = _facts(config)
    out = console.stdout()
    out.print(f"[bold]{config.name}[/bold]: {config.summary}")
    out.print(f"From: {config.source}", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("value")
    table.add_row("parameters", f"{facts['parameters']:,}")
    table.add_row("checkpoint", f"{facts['checkpoint_bytes'] / 1e6:,.1f} MB")
    if facts["training_bytes"]:
        table.add_row("memory", f"{facts['training_bytes'] / 1e9:.1f} GB in training on a CPU (estimate)")
        table.add_row("decoder", _decoder(facts))
    table.add_row("needs", facts["needs"])
    table.add_row("steps", f"{facts['num_steps']:,}")
    for name, value in (facts["windows"] or {}).items():
        shown = f"{len(value)} drum classes" if name == "pitch_classes" else value
        table.add_row(f"windows.{name}", str(shown))
    for name, value in config.hparams.items():
        default = HPARAM_DEFAULTS.get(name, value)
        table.add_row(name, str(value) if value == default else f"{value}  (Magenta's default: {default})")
    out.print(table)


def _decoder(facts: dict[str, Any]) -> str:
    if not facts["levels"]:
        return "flat"
    conductor = "autoregressive" if facts["conductor_autoregression"] else "not autoregressive"
    return f"hierarchical, {' × '.join(map(str, facts['levels']))} steps, conductor {conductor}"
