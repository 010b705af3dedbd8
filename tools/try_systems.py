"""Runs every system once, from NoteSequences to MIDI: windows, a few steps of training, an evaluation, two samples.

Magenta's own configs are trained with tiny layers; small configs of ours at their own sizes.

    python tools/try_systems.py --drums data/notes/groove --music data/notes/freedoom --output-dir build/systems

Each config adds a line to ``systems.jsonl``; the table ``systems.md`` is written at the end. Configs in
``systems.jsonl`` are not run again. The exit code is 0 if all commands of all configs succeeded, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gmd_vae.cli import main as gmd_vae
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families import family_of

TINY = "enc_rnn_size=[16],dec_rnn_size=[16,16],z_size=8,batch_size=16"
COLUMNS = (
    "config",
    "data",
    "windows",
    "sizes",
    "steps",
    "loss first",
    "loss last",
    "step accuracy",
    "written",
    "seconds",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the configs and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drums", type=Path, required=True, help="NoteSequences for configs of drums")
    parser.add_argument("--music", type=Path, required=True, help="NoteSequences for all other configs")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--config", action="append", help="config to run; all of Magenta's systems by default")
    options = parser.parse_args(arguments)
    configs = [config for config in all_configs().values() if _is_tried(config, options.config)]
    options.output_dir.mkdir(parents=True, exist_ok=True)
    lines = options.output_dir / "systems.jsonl"
    done = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    for config in configs:
        if config.name in [row["config"] for row in done]:
            continue
        notes = options.drums if family_of(config).only_drums else options.music
        row = _try(config, notes, options.output_dir, options.steps)
        done.append(row)
        with lines.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
    (options.output_dir / "systems.md").write_text(_table(done))
    return int(any("error" in row for row in done))


def _is_tried(config: Config, names: Sequence[str] | None) -> bool:
    if names:
        return config.name in names
    return bool(config.magenta)


def _try(config: Config, notes: Path, folder: Path, steps: int) -> dict[str, Any]:
    """Runs all commands of a config and returns its row, with ``error`` if a command failed."""
    started = time.monotonic()
    tiny = config.is_magentas
    model = config.magenta or config.name
    examples, run = folder / "examples" / model, folder / "runs" / config.name
    row: dict[str, Any] = {
        "config": config.name,
        "data": notes.name,
        "sizes": "tiny" if tiny else "own",
        "steps": steps,
    }
    try:
        if not examples.exists():  # sizes do not change windows
            _run("preprocess", notes, "--config", config.name, "--output-dir", examples)
        splits = json.loads((examples / "manifest.json").read_text())["splits"]
        row["windows"] = sum(split["windows"] for split in splits.values())
        sizes = ["--hparams", TINY] if tiny else []
        for goal in (steps // 2, steps):  # the second command continues the run
            _run(
                "train",
                "--config",
                config.name,
                "--examples-path",
                examples,
                "--run-dir",
                run,
                "--num-steps",
                goal,
                *sizes,
            )
        losses = [line["loss"] for line in _lines(run / "metrics.jsonl") if "loss" in line]
        row["loss first"], row["loss last"] = losses[0], losses[-1]
        of_test = _run("evaluate", run, "--samples", 20, "--importance-samples", 1, "--json")
        row["step accuracy"] = _step_accuracy(json.loads(of_test)["results"][0])
        made = folder / "made" / config.name
        written = _run(
            *("generate", "--run-dir", run, "-n", 2, "--temperature", 1, "--output-dir", made, "--json"),
            *_controls(config, folder),
        )
        row["written"] = sum(file["notes"] for file in json.loads(written)["files"])
    except _Failed as error:
        row["error"] = str(error)
    row["seconds"] = round(time.monotonic() - started)
    return row


class _Failed(Exception):
    """A command failed."""


def _run(*words: Any) -> str:
    """Runs a command of gmd-vae in this process and returns its stdout.

    Raises:
        _Failed: The command failed.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            gmd_vae([str(word) for word in words])
        except SystemExit as ended:
            if ended.code:
                raise _Failed(f"{words[0]}: {err.getvalue().splitlines()[-1]}") from None
        except Exception as error:  # a traceback is a bug, and a row of the table
            raise _Failed(f"{words[0]}: {type(error).__name__}: {error}") from error
    return out.getvalue()


def _controls(config: Config, folder: Path) -> list[Any]:
    """Returns the options that give a sample its conditioning input: chords, or the hits of a starter-set beat."""
    controls = family_of(config).output(config).controls
    if controls == "chords":
        return ["--chords", "C G Am F"]
    if controls == "hits":
        starter = folder / "starter"
        if not starter.exists():
            _run("fetch", "starter", "--output-dir", starter)
        return ["--around", min(starter.rglob("*.mid"))]
    return []


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _step_accuracy(result: dict[str, Any]) -> Any:
    figure = result["reconstruction"]["teacher_forced"]["steps_right"]
    return figure["value"] if isinstance(figure, dict) else figure


def _table(rows: Sequence[dict[str, Any]]) -> str:
    def cell(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

    lines = [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join('---' for _ in COLUMNS)} |"]
    lines += [f"| {' | '.join(cell(row.get(column, row.get('error', ''))) for column in COLUMNS)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
