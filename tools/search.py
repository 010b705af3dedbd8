"""Searches hyperparameters of the drum models: sizes, levers of training, β, learning rate.

Every trial trains a config with ``gmd-vae train``, for the same CPU time on one core, or for the same number of steps.
The rule: trials are ranked by the free-running step accuracy on the validation split (windows decoded from the mean of
their posterior, each step from the model's own ones), at the checkpoint that ``best_by`` keeps in ``best/``. It rises
with every bit in z, so the ELBO, which charges for each bit, stands beside it, with repetition and hits a bar of
samples from N(0, I) at temperature 1. The result is a Pareto front of accuracy and ELBO; a person chooses from it and
writes the reason into configs.py. The test split is never read.

Trials by hand (``--try``) answer a question (``--question``) and may change any hyperparameter; without them Optuna
proposes trials (TPE). Failed trials stay in the table. After Ctrl-C the same command resumes from its journal.

    python tools/search.py --examples-path data/examples/groove/hierdec-drum_4bar_small --folder runs/search \\
        --trials 1 --try mix_windows=0.5,z_size=128 --question "Do mixed windows help a larger z?"
    python tools/search.py --folder runs/search --show
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import queue
import re
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import optuna
import psutil
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.hparams import changed, resolve
from gmd_vae.configuration.own_hparams import PLANNED
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

# The search space. The baseline, trial 0, is the default config as it is declared.
CONFIGS = [f"hierdec-drum_4bar{variant}" for variant in ("_small", "_small_half_bar", "-ar_small")]
CHOICES: dict[str, list[Any]] = {
    "config": CONFIGS,
    "z_size": [32, 64, 128, 256],
    "free_bits": [0, 24, 48, 96],
    "batch_size": [16, 32, 64],
    "decay_rate": [0.9999, 0.9997, 0.9995, 0.999],
    "encoder": [64, 128, 256],
    "decoder": [96, 128, 192, 256],
    "average_decay": [0.0, 0.99, 0.999],
    "warm_up_steps": [0, 200, 500],
    "beta_warm_up_steps": [0, 500, 2000],
    "free_bits_until": [0, 500, 2000],
    "best_by": ["elbo", "objective"],
}
RANGES = {
    "max_beta": (0.01, 1.0),
    "learning_rate": (5e-4, 5e-3),
    "sampling_rate": (0.0, 0.5),
    "mix_windows": (0.0, 0.7),
    "mix_bars": (0.0, 0.5),
    "replace_bars": (0.0, 0.5),
    "drop_voices": (0.0, 0.5),
    "swap_voices": (0.0, 0.4),
    "blank_inputs": (0.0, 0.9),
}
SCHEDULES = ["exponential", *PLANNED]  # of the learning rate; planned ones end with the run, whose steps are known then
INTERRUPTED = 130  # exit status of a training that saved its last step after the CPU time was used up
SAMPLES = 500  # from N(0, I), for repetition and hits a bar
FIGURES = ("free_running", "teacher_forced", "elbo", "kl_bits", "repeated_steps", "hits_per_bar")


def main() -> int:
    """Runs the search, or prints the table of its trials."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder for the trials' runs and the journal")
    parser.add_argument("--examples-path", type=Path)
    parser.add_argument("--trials", type=int, default=16, help="number of trials to start now")
    parser.add_argument("--cpu-seconds", type=float, default=300, help="training time of each trial on one core")
    parser.add_argument("--num-steps", type=int, help="steps of each trial, instead of a time")
    parser.add_argument(
        "--validate-every", type=int, default=500, help="steps between validations, which take time too"
    )
    parser.add_argument(
        "--try",
        dest="by_hand",
        action="append",
        type=parse_trial,
        default=[],
        metavar="NAME=VALUE,...",
        help="a trial by hand before Optuna's: changes of any hyperparameter, and config=NAME",
    )
    parser.add_argument("--question", default="", help="question that the trials by hand answer, for the table")
    parser.add_argument("--precision", default="auto", choices=["fp32", "bf16", "auto"])
    parser.add_argument("--show", action="store_true", help="only print the table")
    options = parser.parse_args()

    journal = options.folder / "journal.log"
    if options.show and not journal.exists():
        parser.exit(1, f"Error: '{options.folder}' holds no search: it has no {journal.name}.\n")
    options.folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    study = optuna.create_study(
        study_name="small",
        storage=JournalStorage(JournalFileBackend(str(journal))),
        sampler=optuna.samplers.TPESampler(multivariate=True, group=True, constant_liar=True, n_startup_trials=8),
        directions=["maximize", "maximize"],
        load_if_exists=True,
    )
    if not options.show:
        if options.examples_path is None:
            parser.error("--examples-path is missing")
        if options.num_steps is None and any(
            schedule in hparams for _, hparams in options.by_hand for schedule in PLANNED
        ):
            parser.error(f"a schedule of {', '.join(PLANNED)} ends with the run: give --num-steps")
        search(study, options)
    print(table(study))
    return 0


def search(study: optuna.Study, options: argparse.Namespace) -> None:
    """Runs the trials, one per core."""
    if not study.trials:
        by_hand(study, DEFAULT_CONFIG, "", "the baseline")
    for config, hparams in options.by_hand:
        by_hand(study, config, hparams, options.question)
    defaults: dict[str, Any] = {"prior_components": 0}  # samples are drawn from N(0, I)
    if options.num_steps is None:
        defaults["learning_rate_schedule"] = SCHEDULES[0]
    cores: queue.Queue[int] = queue.Queue()
    for core in _cores():
        cores.put(core)
    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())

    def objective(trial: Trial) -> tuple[float, float]:
        if stopped.is_set():
            trial.study.stop()
            raise optuna.TrialPruned
        if "config" not in trial.user_attrs:
            config, hparams = proposal(trial, knows_steps=options.num_steps is not None)
            trial.set_user_attr("config", config)
            trial.set_user_attr("hparams", hparams)
        budget = f"{options.num_steps:,} steps" if options.num_steps else f"{options.cpu_seconds:g} s"
        trial.set_user_attr("budget", budget)
        core = cores.get()
        trial.set_user_attr("hparams", with_defaults(trial.user_attrs["hparams"], defaults))
        try:
            run = options.folder / f"trial-{trial.number:03d}"
            steps = train(run, trial, core, options, stopped)
            with multiprocessing.get_context("spawn").Pool(1, _stay_on, (core,)) as pool:
                figures = pool.apply(evaluate, (run,))
        finally:
            cores.put(core)
        for name, value in {"steps": steps, **figures}.items():
            trial.set_user_attr(name, value)
        print(f"trial {trial.number}: {json.dumps(figures)}  {_changes(trial)}", flush=True)
        return figures["free_running"], figures["elbo"]

    study.optimize(objective, n_trials=options.trials, n_jobs=cores.qsize())


def with_defaults(hparams: str, defaults: dict[str, Any]) -> str:
    """Returns hyperparameters with others, where they are not given."""
    given = {pair.partition("=")[0] for pair in hparams.split(",")}
    added = [f"{name}={value}" for name, value in defaults.items() if name not in given]
    return ",".join([hparams] * bool(hparams) + added)


def by_hand(study: optuna.Study, config: str, hparams: str, question: str) -> None:
    """Adds a trial by hand to the queue of a study."""
    study.enqueue_trial({}, user_attrs={"config": config, "hparams": hparams, "question": question})


def parse_trial(text: str) -> tuple[str, str]:
    """Parses ``--try NAME=VALUE,...``; ``config=NAME`` in it names a config instead of the default one.

    Returns:
        The config and its changed hyperparameters, as for ``--hparams``.

    Raises:
        argparse.ArgumentTypeError: There is no such config or hyperparameter, or a value does not fit.
    """
    config, pairs = DEFAULT_CONFIG, []
    for pair in re.split(r",(?![^\[]*\])", text):  # not the commas within brackets
        name, _, value = pair.partition("=")
        if name == "config":
            config = value
        else:
            pairs.append(pair)
    try:
        resolve(get_config(config), ",".join(pairs))
    except GmdVaeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return config, ",".join(pairs)


def proposal(trial: Trial, *, knows_steps: bool) -> tuple[str, str]:
    """Returns the config and the changed hyperparameters of a trial of Optuna's.

    Args:
        trial: The trial.
        knows_steps: True if the number of steps is known, which a planned schedule needs.
    """
    choices = {**CHOICES, "learning_rate_schedule": SCHEDULES} if knows_steps else CHOICES
    params = {name: trial.suggest_categorical(name, values) for name, values in choices.items()}
    for name, (low, high) in RANGES.items():
        params[name] = trial.suggest_float(name, low, high, log=low > 0)
    params.setdefault("learning_rate_schedule", SCHEDULES[0])
    config, encoder, decoder = (params.pop(name) for name in ("config", "encoder", "decoder"))
    hparams = {**params, "enc_rnn_size": f"[{encoder}]", "dec_rnn_size": f"[{decoder},{decoder}]"}
    return config, ",".join(f"{name}={value}" for name, value in hparams.items())


def train(run: Path, trial: Trial, core: int, options: argparse.Namespace, stopped: threading.Event) -> int:
    """Trains until the CPU time or the steps are used up; the time before the first step does not count.

    Returns:
        The number of steps done.

    Raises:
        optuna.TrialPruned: The training failed, which the trial then says, or was stopped.
    """
    command = [sys.executable, "-m", "gmd_vae", "train", "--run-dir", str(run), "--config", trial.user_attrs["config"]]
    command += ["--examples-path", str(options.examples_path), "--precision", options.precision]
    command += ["--hparams", trial.user_attrs["hparams"], "--validate-every", str(options.validate_every)]
    command += ["--num-steps", str(options.num_steps or 1_000_000)]
    with (options.folder / f"{run.name}.out").open("w") as output:
        process = psutil.Popen(command, stdout=output, stderr=output, start_new_session=True)
    with contextlib.suppress(AttributeError):  # macOS has no CPU affinity
        process.cpu_affinity([core])
    started = None
    while process.poll() is None and not stopped.is_set():
        used = sum(process.cpu_times()[:2])
        if started is None and _lines(run):
            started = used
        if started is not None and not options.num_steps and used - started > options.cpu_seconds:
            break
        time.sleep(1)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # saves a checkpoint
    process.wait()
    if stopped.is_set():
        raise optuna.TrialPruned
    if process.returncode not in (0, INTERRUPTED) or not _lines(run):
        lines = (options.folder / f"{run.name}.out").read_text().splitlines()
        trial.set_user_attr("failed", lines[-1] if lines else f"exit status {process.returncode}")
        raise optuna.TrialPruned
    step: int = json.loads(_lines(run)[-1])["step"]
    return step


def evaluate(run: Path) -> dict[str, float]:
    """Returns the figures of a run on the validation split: of its best checkpoint, or without one of its last."""
    import numpy as np
    from gmd_vae.configuration.layers import ACCELERATED
    from gmd_vae.evaluation.data.target import find_target
    from gmd_vae.evaluation.latent.posterior import kl_bits
    from gmd_vae.evaluation.model import LIKELIEST, open_model

    best = any((run / "best").glob("*.index"))
    target = find_target(run if best else run / "latest", None, None)
    labels = target.load("validation").windows.labels
    with open_model(target.run.config, target.run.hparams, target.checkpoint, 0, ACCELERATED) as model:
        means, scales = model.encode(labels)
        noise = np.random.default_rng(0).standard_normal(means.shape, dtype=np.float32)
        nats = model.score(labels, means + scales * noise).losses["steps"].sum(axis=1, dtype=np.float64).mean()
        teacher_forced = (model.score(labels, means).likeliest == labels).mean()
        free_running = (model.decode(means, LIKELIEST) == labels).mean()
        z = np.random.default_rng(1).standard_normal((SAMPLES, means.shape[1]), dtype=np.float32)
        samples = np.asarray(model.decode(z, 1.0))
    per_bar = target.run.config.drum_windows.steps_per_bar
    bits = kl_bits(means, scales).mean()
    figures = {
        "free_running": free_running,
        "elbo": -nats - bits * np.log(2),
        "teacher_forced": teacher_forced,
        "kl_bits": bits,
        "repeated_steps": (samples[:, per_bar:] == samples[:, :-per_bar]).mean(),
        "hits_per_bar": np.bitwise_count(samples).sum(axis=1).mean() * per_bar / samples.shape[1],
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def table(study: optuna.Study) -> str:
    """Returns all trials as Markdown, by free-running step accuracy; a star marks the Pareto front.

    Trials that failed are below, with the reason. Trials that were stopped are left out: they run again.
    """
    done = [trial for trial in study.trials if trial.state is TrialState.COMPLETE]
    front = {trial.number for trial in study.best_trials} if done else set()
    baseline = next((trial.values[0] for trial in done if trial.number == 0), None)
    columns = ("trial", "budget", "steps", *FIGURES, "against trial 0", "changes", "question")
    lines = [f"| {' | '.join(columns)} |", "| --- " * len(columns) + "|"]
    for trial in sorted(done, key=lambda trial: -trial.values[0]):
        attributes, star = trial.user_attrs, " *" if trial.number in front else ""
        figures = [f"{attributes[name]:.6g}" if name in attributes else "" for name in ("steps", *FIGURES)]
        against = "" if baseline is None else f"{trial.values[0] - baseline:+.3f}"
        rest = [*figures, against, _changes(trial), attributes.get("question", "")]
        lines.append(_row(f"{trial.number}{star}", attributes.get("budget", ""), *rest))
    for trial in study.trials:
        if failed := trial.user_attrs.get("failed"):
            empty = [""] * (1 + len(FIGURES))
            question = trial.user_attrs.get("question", "")
            lines.append(
                _row(trial.number, trial.user_attrs["budget"], *empty, f"failed: {failed}", _changes(trial), question)
            )
    return "\n".join(lines)


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _changes(trial: Trial | optuna.trial.FrozenTrial) -> str:
    """Returns the config, if it is not the default one, and the hyperparameters that differ from its own."""
    config = get_config(trial.user_attrs["config"])
    found = changed(config, resolve(config, trial.user_attrs["hparams"]))
    named = [] if config.name == DEFAULT_CONFIG else [config.name]
    values = (
        f"{name}={value:.3g}"
        if isinstance(value, float) and name not in ("decay_rate", "average_decay")
        else f"{name}={value}"
        for name, value in found.items()
    )
    return ", ".join([*named, *values]) or "nothing"


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
