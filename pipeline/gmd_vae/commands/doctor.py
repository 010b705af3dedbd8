"""``gmd-vae doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import json_option
from gmd_vae.common import console, extras
from gmd_vae.common.home import home
from gmd_vae.common.printable import as_command, printable
from gmd_vae.common.progress_line import Part

if TYPE_CHECKING:
    from rich.table import Table


@click.command("doctor", cls=HelpCommand)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check this machine: versions, devices, memory, disk.

    Starts TensorFlow and Magenta once, which takes about ten seconds; where they are not installed it
    lists the commands that need them. Lists every problem with a next action. Exits with 1 if a problem
    would stop the work.

    \b
    Examples:
      gmd-vae doctor
      gmd-vae doctor --json > environment.json
    """
    from gmd_vae.commands import doctor_checks

    with console.progress_line() as line:
        if line is not None:
            line.show(Part(0, "Starting TensorFlow and Magenta ..."))
        report = doctor_checks.examine(home().absolute())
    if as_json:
        console.print_json(report)
    else:
        _print(report)
    context.exit(0 if report["ok"] else 1)


def _print(report: dict[str, Any]) -> None:
    """Prints the report on one screen: a table of facts, then the problems."""
    from rich.text import Text

    out = console.stdout()
    out.print(_table(report))
    out.print()
    if not report["problems"]:
        out.print("Nothing is wrong.", style="green")
    for problem in report["problems"]:
        label = ("Error:", "bold red") if problem["level"] == "error" else ("Warning:", "yellow")
        out.print(Text.assemble(label, " ", f"{printable(problem['what'], None)}. {problem['next_action']}"))
    if report["problems"] and report["ok"]:
        out.print("Nothing that stops the work.", style="green")
    if report["ok"]:
        console.print_next(as_command("generate"), "for beats")


def _table(report: dict[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in _rows(report):
        table.add_row(name, Text(value))
    return table


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns the facts as names and values."""
    python, cpu, memory, disk = report["python"], report["cpu"], report["memory"], report["disk"]
    rows = [
        ("Python", f"{python['version']}  {python['executable']}"),
        ("Platform", f"{python['platform']}"),
    ]
    rows += [(name, version or "not installed") for name, version in report["packages"].items()]
    cores = f"{cpu['usable_cores']} cores"
    if cpu["limited_to_cores"] is not None:
        cores += f", limited to the time of {cpu['limited_to_cores']:g}"
    rows.append(("Processor", f"{cpu['model']}, {cores}"))
    if cpu["flags"]:
        rows.append(("Instructions", " ".join(cpu["flags"])))
    limit = f", limited to {_size(memory['limit_bytes'])}" if memory["limit_bytes"] is not None else ""
    rows.append(("Memory", f"{_size(memory['available_bytes'])} free of {_size(memory['total_bytes'])}{limit}"))
    rows.append(("Disk", f"{_size(disk['free_bytes'])} free of {_size(disk['total_bytes'])} at {disk['folder']}"))
    for gpu in report["gpus"]:
        driver = f"driver {gpu['driver']}"
        free = f"{_size(gpu['free_bytes'])} free of {_size(gpu['memory_bytes'])}"
        rows.append(("GPU", f"{gpu['name']}, {free}, {driver}"))
    rows += _tensorflow_rows(report)
    rows.append(("data and runs in", str(home().absolute())))
    rows += [(folder, ", ".join(names) or "nothing yet") for folder, names in report["folders"].items()]
    return rows


def _tensorflow_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    tensorflow, training = report["tensorflow"], report["training"]
    if tensorflow is None:
        return [
            ("Training", f"not installed; {extras.NEEDS_TRAINING} need it"),
            ("To install it", training["install"]),
        ]
    if "error" in tensorflow:
        return [("Magenta", "does not start")]
    devices = []
    for device in tensorflow["devices"]:
        model = f" ({device['model']}, compute {device['compute_capability']})" if device["model"] else ""
        devices.append(device["name"] + model)
    return [
        ("Magenta", f"{tensorflow['magenta_configs']} configs, started in {tensorflow['start_seconds']} s"),
        ("TensorFlow sees", ", ".join(devices)),
    ]


def _size(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 10**9:.1f} GB"
