"""Checks that a run that is killed and resumed ends with the weights of an uninterrupted one.

Trains the same run twice with ``gmd-vae train``, once undisturbed and once killed with SIGKILL at random moments and
resumed, and compares all variables of the two last checkpoints bit by bit.

    python tools/kill_test.py --examples-path data/examples/groove/hierdec-drum_4bar_small --folder /tmp/kill

Exits with 0 if they are equal, otherwise with 1.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    """Runs the comparison from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="a new folder for the two runs")
    parser.add_argument("--examples-path", type=Path, required=True)
    parser.add_argument("--config", default="hierdec-drum_4bar_small")
    parser.add_argument("--hparams", default="")
    parser.add_argument("--init-from", help="initial weights, as of gmd-vae train")
    parser.add_argument("--num-steps", type=int, default=60)
    parser.add_argument("--save-every", type=int, default=7, help="steps between checkpoints")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments of the kills")
    options = parser.parse_args()

    arguments = ["--config", options.config, "--examples-path", str(options.examples_path.resolve())]
    arguments += ["--num-steps", str(options.num_steps), "--save-every", str(options.save_every)]
    arguments += ["--validate-every", str(2 * options.save_every)]
    arguments += ["--hparams", options.hparams] if options.hparams else []
    arguments += ["--init-from", options.init_from] if options.init_from else []

    killed = options.folder / "killed"
    moments = random.Random(options.seed)
    for after in sorted(moments.sample(range(options.num_steps - options.save_every), options.kills)):
        step = kill_at(killed, arguments, after, moments.uniform(0, 0.3))
        print(f"killed after step {step}", flush=True)
    train(killed, arguments)
    train(options.folder / "undisturbed", arguments)
    different = differences(
        *(options.folder / name / "train" / f"model.ckpt-{options.num_steps}" for name in ("killed", "undisturbed"))
    )
    print("\n".join(different) or f"equal, bit for bit, at step {options.num_steps}")
    return 1 if different else 0


def train(run: Path, arguments: list[str]) -> None:
    """Trains to the last step."""
    subprocess.run(_command(run, arguments), env=_environment(), check=True, stdout=subprocess.DEVNULL)


def kill_at(run: Path, arguments: list[str], step: int, delay: float) -> int:
    """Starts or resumes a run and kills it.

    Args:
        run: Run folder.
        arguments: Arguments of ``gmd-vae train``.
        step: Step of the checkpoint after which it is killed.
        delay: Seconds between that checkpoint and the kill.

    Returns:
        The step of its last checkpoint.
    """
    process = subprocess.Popen(
        _command(run, arguments), env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    started = False
    while process.poll() is None:
        started = started or (run / "run.json").exists()
        if started and last_step(run) >= step:
            time.sleep(delay)
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    text = process.communicate()[1]
    if process.returncode != -signal.SIGKILL:
        raise SystemExit(f"the run ended with {process.returncode} before it could be killed:\n{text}")
    return last_step(run)


def last_step(run: Path) -> int:
    """Returns the highest step among a run's checkpoints; 0 if there is none."""
    steps = [re.search(r"ckpt-(\d+)\.index$", path.name) for path in (run / "train").glob("*.index")]
    return max((int(match[1]) for match in steps if match), default=0)


def differences(one: Path, other: Path) -> list[str]:
    """Lists the differing variables of two checkpoints, one line each; empty if all are equal bit for bit."""
    from gmd_vae.magenta.api import tf

    readers = [tf.train.load_checkpoint(str(prefix)) for prefix in (one, other)]
    names, others = (set(reader.get_variable_to_shape_map()) for reader in readers)
    found = [f"{name} is in only one of them" for name in sorted(names ^ others)]
    for name in sorted(names & others):
        values = [reader.get_tensor(name) for reader in readers]
        if values[0].tobytes() != values[1].tobytes():
            found.append(f"{name} differs, by at most {abs(values[0] - values[1]).max()}")
    return found


def _command(run: Path, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "gmd_vae", "train", "--run-dir", str(run), *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "pipeline")}


if __name__ == "__main__":
    raise SystemExit(main())
