"""Searches hyperparameters of the small config within a fixed training time on one CPU core.

Every trial trains a config with ``gmd-vae train`` for the same CPU time. Two figures on the validation split, which
trade off against each other, rate it: the free-running step accuracy (windows decoded from the mean of their posterior,
each step from the model's own ones), which rises with every bit in z; and the ELBO, which charges for each bit. The
result is a Pareto front; a person chooses from it and writes the reason into configs.py. Optuna proposes the trials
(TPE). After Ctrl-C the same command resumes from its journal.

    python tools/search.py --examples-path data/examples/groove/hierdec-drum_4bar_small --folder runs/search
    python tools/search.py --folder runs/search --show
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

# baseline: the config before the first search
FIRST: dict[str, Any] = {
    "config": "hierdec-drum_4bar_small_half_bar",
    "z_size": 64,
    "free_bits": 48,
    "max_beta": 0.2,
    "batch_size": 64,
    "learning_rate": 1e-3,
    "decay_rate": 0.9999,
    "sampling_rate": 0.0,
    "encoder": 128,
    "decoder": 128,
}
CONFIGS = [
    f"hierdec-drum_4bar{conductor}_small{segments}" for segments in ("", "_half_bar") for conductor in ("", "-no_ar")
]
CHOICES: dict[str, list[Any]] = {
    "config": CONFIGS,
    "z_size": [32, 64, 128],
    "free_bits": [0, 24, 48, 96, 192],
    "batch_size": [16, 32, 64],
    "decay_rate": [0.9999, 0.9997, 0.9995, 0.999],
    "encoder": [64, 128, 256],
    "decoder": [96, 128, 192],
}
RANGES = {"max_beta": (0.01, 1.0), "learning_rate": (5e-4, 5e-3), "sampling_rate": (0.0, 0.5)}


def main() -> int:
    """Runs the search, or prints the table of its trials."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder for the trials' runs and the journal")
    parser.add_argument("--examples-path", type=Path)
    parser.add_argument("--trials", type=int, default=16, help="number of trials to start now")
    parser.add_argument("--cpu-seconds", type=float, default=300, help="training time of each trial on one core")
    parser.add_argument(
        "--try",
        dest="enqueued",
        action="append",
        type=parse_trial,
        default=[],
        metavar="NAME=VALUE,...",
        help="a trial of your own before Optuna's, as changes to the baseline",
    )
    parser.add_argument("--precision", default="auto", choices=["fp32", "bf16", "auto"])
    parser.add_argument("--show", action="store_true", help="only print the table")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name="small",
        storage=JournalStorage(JournalFileBackend(str(options.folder / "journal.log"))),
        sampler=optuna.samplers.TPESampler(multivariate=True, constant_liar=True, n_startup_trials=8),
        directions=["maximize", "maximize"],
        load_if_exists=True,
    )
    if not options.show:
        if options.examples_path is None:
            parser.error("--examples-path is missing")
        search(study, options)
    print(table(study))
    return 0


def search(study: optuna.Study, options: argparse.Namespace) -> None:
    """Runs the trials, one per core."""
    if not study.trials:
        study.enqueue_trial(FIRST)
    for params in options.enqueued:
        study.enqueue_trial(params)
    cores: queue.Queue[int] = queue.Queue()
    for core in _cores():
        cores.put(core)
    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())

    def objective(trial: Trial) -> tuple[float, float]:
        if stopped.is_set():
            trial.study.stop()
            raise optuna.TrialPruned
        core = cores.get()
        try:
            run = options.folder / f"trial-{trial.number:03d}"
            steps = train(run, proposal(trial), core, options, stopped)
            with multiprocessing.get_context("spawn").Pool(1, _stay_on, (core,)) as pool:
                figures = pool.apply(evaluate, (run,))
        finally:
            cores.put(core)
        for name, value in {"steps": steps, **figures}.items():
            trial.set_user_attr(name, value)
        print(f"trial {trial.number}: {json.dumps(figures)}  {_changes(trial.params)}", flush=True)
        return figures["free_running"], figures["elbo"]

    study.optimize(objective, n_trials=options.trials, n_jobs=cores.qsize())


def parse_trial(text: str) -> dict[str, Any]:
    """Parses ``--try NAME=VALUE,...``: the parameters of the baseline with changes.

    Raises:
        argparse.ArgumentTypeError: a value is not in the search space.
    """
    found = dict(FIRST)
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        try:
            found[name] = type(FIRST[name])(value)
            if name in CHOICES:
                CHOICES[name].index(found[name])
            elif not RANGES[name][0] <= found[name] <= RANGES[name][1]:
                raise ValueError
        except (KeyError, ValueError):
            known = CHOICES.get(name) or RANGES.get(name) or list(FIRST)
            raise argparse.ArgumentTypeError(f"'{pair}' is not one of {known}") from None
    return found


def proposal(trial: Trial) -> list[str]:
    """Returns the arguments of ``gmd-vae train`` for a trial."""
    params = {name: trial.suggest_categorical(name, choices) for name, choices in CHOICES.items()}
    for name, (low, high) in RANGES.items():
        params[name] = trial.suggest_float(name, low, high, log=low > 0)
    config, encoder, decoder = (params.pop(name) for name in ("config", "encoder", "decoder"))
    hparams = {**params, "enc_rnn_size": f"[{encoder}]", "dec_rnn_size": f"[{decoder},{decoder}]"}
    return ["--config", config, "--hparams", ",".join(f"{name}={value}" for name, value in hparams.items())]


def train(run: Path, arguments: list[str], core: int, options: argparse.Namespace, stopped: threading.Event) -> int:
    """Trains until the CPU time is used up; start-up time does not count.

    Returns:
        The number of steps done.
    """
    command = [sys.executable, "-m", "gmd_vae", "train", "--run-dir", str(run), *arguments]
    command += ["--examples-path", str(options.examples_path), "--precision", options.precision]
    command += ["--num-steps", "1000000", "--validate-every", "1000000"]
    with (options.folder / f"{run.name}.out").open("w") as output:
        process = psutil.Popen(command, stdout=output, stderr=output, start_new_session=True)
    with contextlib.suppress(AttributeError):  # macOS has no CPU affinity
        process.cpu_affinity([core])
    started = None
    while process.poll() is None and not stopped.is_set():
        used = sum(process.cpu_times()[:2])
        if started is None and _lines(run):
            started = used
        if started is not None and used - started > options.cpu_seconds:
            break
        time.sleep(1)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # saves a checkpoint
    process.wait()
    if stopped.is_set() or not _lines(run):
        raise optuna.TrialPruned
    step: int = json.loads(_lines(run)[-1])["step"]
    return step


def evaluate(run: Path) -> dict[str, float]:
    """Returns the figures of a run's last checkpoint on the validation split."""
    import numpy as np
    from gmd_vae.configuration.layers import ACCELERATED
    from gmd_vae.evaluation.data.target import find_target
    from gmd_vae.evaluation.latent.posterior import kl_bits
    from gmd_vae.evaluation.model import LIKELIEST, open_model

    target = find_target(run / "latest", None, None)
    labels = target.load("validation").windows.labels
    with open_model(target.run.config, target.run.hparams, target.checkpoint, 0, ACCELERATED) as model:
        means, scales = model.encode(labels)
        noise = np.random.default_rng(0).standard_normal(means.shape, dtype=np.float32)
        nats = model.score(labels, means + scales * noise).losses["steps"].sum(axis=1, dtype=np.float64).mean()
        teacher_forced = (model.score(labels, means).likeliest == labels).mean()
        free_running = (model.decode(means, LIKELIEST) == labels).mean()
    bits = kl_bits(means, scales).mean()
    figures = {
        "free_running": free_running,
        "elbo": -nats - bits * np.log(2),
        "teacher_forced": teacher_forced,
        "kl_bits": bits,
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def table(study: optuna.Study) -> str:
    """Returns all trials as Markdown, by free-running step accuracy; a star marks the Pareto front."""
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    front = {trial.number for trial in study.best_trials}
    columns = ("steps", "free_running", "teacher_forced", "elbo", "kl_bits")
    lines = [f"| trial | {' | '.join(columns)} | changes to the baseline |", "| --- " * (len(columns) + 2) + "|"]
    for trial in sorted(done, key=lambda trial: -trial.values[0]):
        figures = " | ".join(f"{trial.user_attrs[name]:.6g}" for name in columns)
        star = " *" if trial.number in front else ""
        lines.append(f"| {trial.number}{star} | {figures} | {_changes(trial.params)} |")
    return "\n".join(lines)


def _changes(params: dict[str, Any]) -> str:
    found = [
        f"{name}={value:.3g}" if isinstance(value, float) and name != "decay_rate" else f"{name}={value}"
        for name, value in params.items()
        if value != FIRST[name]
    ]
    return ", ".join(found) or "nothing"


def _lines(run: Path) -> list[str]:
    path = run / "metrics.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def _cores() -> list[int]:
    with contextlib.suppress(AttributeError):
        return list(psutil.Process().cpu_affinity())
    return list(range(psutil.cpu_count(logical=False) or 1))


def _stay_on(core: int) -> None:
    with contextlib.suppress(AttributeError):
        psutil.Process().cpu_affinity([core])
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
