"""Makes the trained models of the package again from the Groove MIDI Dataset, with fixed seeds.

For each model: fetch, convert, preprocess, train, evaluate, export, compare. Every stage is a gmd-vae command, as a
user would run it. Work lies in ``runs/weights``. After a kill the same command goes on: finished stages are kept, and
training resumes from its last checkpoint. A model of the package is replaced only if no held-out figure that counts
falls short of its card by more than the tolerance; otherwise the exit status is 1.

    make weights                           # all models; the dataset is downloaded
    make weights MODELS=groove-4bar ARCHIVE=groove-v1.0.0-midionly.zip
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import resource
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from gmd_vae.common.files import whole_file
from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.models import bundled
from gmd_vae.models.card import Card, HeldOutFigure
from gmd_vae.models.model_file import SUFFIX, read_model, write_model
from gmd_vae.training import history

ROOT = Path(__file__).parent.parent
PACKAGE = Path(bundled.__file__).parent  # the models of the package
MAX_BYTES = 8_000_000  # of a model: pip downloads all of them with the package
VALIDATE_EVERY = 1_000  # steps; at train's 200, validations would take a tenth of these long runs


@dataclasses.dataclass(frozen=True)
class Counts:
    """A held-out figure that a new model must reach.

    Attributes:
        place: Place of the figure in ``result.json``.
        figure: The figure. Where neither direction is better, the model is better that is nearer to held-out music.
        tolerance: Largest amount by which a new model may be worse than the card.
    """

    place: str
    figure: Figure
    tolerance: float


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that makes a model of the package, and the part of its card that no command can measure.

    Attributes:
        reason: Reason for this recipe, with its source.
        config: Name of the config.
        hparams: Changes of its hyperparameters, as for ``--hparams``; empty: none.
        seed: Seed of the training.
        num_steps: Training steps.
        cpu_hours: CPU time of the training in hours on 2 cores, an estimate until a run was measured.
        counts: Held-out figures that count.
        intended_use: Text of the card.
        limits: Texts of the card.
        evaluation: More options of ``gmd-vae evaluate``.
    """

    reason: str
    config: str
    hparams: str
    seed: int
    num_steps: int
    cpu_hours: float
    counts: tuple[Counts, ...]
    intended_use: str
    limits: tuple[str, ...]
    evaluation: tuple[str, ...] = ()


DATA = (
    "The Groove MIDI Dataset 1.0.0 (Gillick et al. 2019): ten drummers on one electronic drum kit, more than 80 % of "
    "it played by hired professionals; much rock, funk, jazz, Latin and hip-hop. Its parts in 4/4, on a grid of "
    "sixteenths. Training, validation and test files are those of its authors."
)
LICENCE = (
    "Apache-2.0. Trained on the Groove MIDI Dataset (Gillick et al., Learning to Groove with Inverse Sequence "
    "Transformations, ICML 2019), CC BY 4.0."
)
RECIPES = {
    "groove-4bar": Recipe(
        reason="The default config (docs/small-config.md), with more blanks and nearly four times its steps: the "
        "decoder then loses almost nothing when it reads its own past. The learning rate falls in the last fifth "
        "of the run: three seeds ended at a validation objective of 32.3, 18.5 and 26.0 nats, with a cosine at 39.9, "
        "40.0 and 34.5. Of the three, the samples of seed 2 have the density of the validation windows.",
        config="hierdec-drum_4bar_small",
        hparams="blank_inputs=0.8",
        seed=2,
        num_steps=60_000,
        cpu_hours=1.3,
        # A quarter of the range of three seeds with a cosine (docs/evaluation.md), and of the interval of the AUC.
        # Another processor may end further away, as one did with a cosine. The ELBO does not count: with this β it
        # falls while the reconstructions improve. Nor does the teacher-forced accuracy: no beat is made that way, and
        # a decoder that reads less of its past has a lower one.
        counts=(
            Counts("reconstruction.free_running", figures.STEP_ACCURACY, 0.01),
            Counts("window_sets.samples", figures.REPEATED_STEPS, 0.02),
            Counts("window_sets.samples_usual", figures.REPEATED_STEPS, 0.02),
            Counts("window_sets.samples_usual", figures.HITS_PER_BAR, 0.5),
            Counts("window_sets.samples_usual", figures.SILENT_STEPS, 0.015),
            Counts("window_sets.samples_usual", figures.AUC_ABOVE_TRAINING, 0.03),
            Counts("novelty.samples_usual", figures.COPIES, 0.01),
            Counts("novelty.samples_usual.steps", figures.MEDIAN, 3),
        ),
        intended_use="Ideas for drum beats of four bars: samples, variations of a beat, paths between two beats, "
        "changes by attribute vectors. Use them as starting points, and choose by ear.",
        limits=(
            "Only 4/4, in sixteenths: no triplets, no other metres, no fills across windows.",
            "It writes hits of nine drum classes, without velocities and offsets; generate adds those of drummers, "
            "measured on the dataset, or of a GrooVAE (--humanize).",
            "Ten drummers on one kit, mostly Western popular music: other traditions are rare or absent.",
            "It does not know the style or the tempo of a beat.",
        ),
    ),
    "humanize-2bar": Recipe(
        reason="A GrooVAE whose decoder is given the hits (docs/systems.md): it need not remember them.",
        config="groovae_2bar_humanize_hits_small",
        hparams="",
        seed=0,
        num_steps=16_000,
        cpu_hours=0.5,
        # Not yet measured over seeds: a quarter of the intervals
        counts=(
            Counts("groove.answers.hits_given", figures.TIMING_MAE_MS, 0.8),
            Counts("groove.answers.hits_given", figures.VELOCITY_MSE, 0.004),
            Counts("groove.answers.hits_given", figures.TIMING_KL, 0.06),
            Counts("groove.answers.hits_given", figures.VELOCITY_KL, 0.06),
        ),
        intended_use="Velocities and timing for drum patterns that are written on the grid: --humanize of generate, "
        "and --mode groove for your own MIDI files. It neither adds nor removes hits.",
        limits=(
            "Only 4/4, in sixteenths, two bars at a time: it does not know what was before.",
            "The same hits always get the same velocities and timing. They vary less than those of drummers, but more "
            "than the mean of what drummers play.",
            "Ten drummers on one kit, mostly Western popular music: other traditions are rare or absent.",
            "It does not know the style or the tempo of a beat.",
        ),
    ),
}


class StageError(Exception):
    """A stage failed; the text is one line for the user."""


def main() -> int:
    """Makes the models, and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"models to make: {', '.join(RECIPES)} (default: all)"
    )
    parser.add_argument("--archive", type=Path, help="groove-v1.0.0-midionly.zip, instead of a download")
    parser.add_argument("--folder", type=Path, default=Path("runs/weights"), help="folder for data and runs")
    options = parser.parse_args()
    if unknown := [name for name in options.models if name not in RECIPES]:
        parser.error(f"there is no recipe '{unknown[0]}'; there are {', '.join(RECIPES)}")
    names = list(dict.fromkeys(options.models)) or list(RECIPES)
    for name in names:
        recipe = RECIPES[name]
        print(f"{name}: {recipe.config}, seed {recipe.seed}, {recipe.num_steps:,} steps. {recipe.reason}")
    print(f"CPU hours, about: {sum(RECIPES[name].cpu_hours for name in names) + 0.2 * len(names):.1f}", flush=True)
    try:
        return max([make(name, RECIPES[name], options.folder, options.archive) for name in names])
    except StageError as error:
        print(f"{error} The same command goes on from there.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from there.", file=sys.stderr)
        return 130


def make(name: str, recipe: Recipe, folder: Path, archive: Path | None) -> int:
    """Makes one model; returns 1 if it falls short of the card of the model in the package, else 0.

    Args:
        name: Name of the model.
        recipe: Its recipe.
        folder: Folder for data and runs.
        archive: The dataset; ``None``: it is downloaded.

    Raises:
        StageError: A command failed, or the model is too large.
    """
    raw, notes, examples = (folder / "data" / kind / "groove" for kind in ("raw", "notes", "examples"))
    windows, run, output = examples / recipe.config, folder / name, folder / f"{name}{SUFFIX}"
    source = ["--archive", archive] if archive else []
    folder.mkdir(parents=True, exist_ok=True)
    _prepare(raw, "fetch", "groove", *source, "--output-dir", raw)
    _prepare(notes, "convert", raw, "--output-dir", notes)
    _prepare(windows, "preprocess", notes, "--config", recipe.config, "--output-dir", windows)
    commit = _commit_of(folder / f"{name}.commit")
    _announce_training(run, recipe)
    hparams = ["--hparams", recipe.hparams] if recipe.hparams else []
    training = [
        "--run-dir",
        run,
        "--seed",
        recipe.seed,
        "--num-steps",
        recipe.num_steps,
        "--validate-every",
        VALIDATE_EVERY,
    ]
    _gmd_vae("train", "--config", recipe.config, *hparams, "--examples-path", windows, *training)
    _gmd_vae("evaluate", run, "--table", *recipe.evaluation)
    _gmd_vae("export", run, "-o", output, "--dtype", "fp16", "--licence", LICENCE)
    model = read_model(output)
    card = complete_card(model.card, recipe, commit)
    write_model(output, dataclasses.replace(model, card=card), "fp16")
    if (size := output.stat().st_size) > MAX_BYTES:
        raise StageError(f"'{output}' has {size:,} bytes, and a model of the package at most {MAX_BYTES:,}.")
    return _replace(name, recipe, output, card)


def complete_card(card: Card, recipe: Recipe, commit: str) -> Card:
    """Returns the card of an export with the texts of the recipe, and the commit at which the training began."""
    return dataclasses.replace(
        card,
        data_description=DATA,
        intended_use=recipe.intended_use,
        limits=recipe.limits,
        code=", ".join(filter(None, (card.code.partition(", commit ")[0], commit and f"commit {commit}"))),
    )


def shortfalls(recipe: Recipe, new: Card, old: Card) -> list[str]:
    """Returns a line for each figure that counts in which a new model falls short of a card, with both values.

    Args:
        recipe: Recipe with the figures that count.
        new: Card of the new model.
        old: Card of the model in the package. Figures that it does not have are not compared.
    """
    lines = []
    for counts in recipe.counts:
        before, now = figure_of(old, counts), figure_of(new, counts)
        what = f"{counts.place}.{counts.figure.name}"
        if before is None:
            print(f"{what}: not compared, since the card in the package does not have it")
        elif now is None:
            lines.append(f"{what}: not measured, the card has {before:g}")
        elif badness(now, new, counts) - badness(before, old, counts) > counts.tolerance:
            lines.append(f"{what}: {now:g}, the card has {before:g} (tolerance {counts.tolerance:g})")
    return lines


def badness(value: float, card: Card, counts: Counts) -> float:
    """Returns a number that rises as a figure gets worse: the figure, or its distance to that of held-out music.

    Args:
        value: The figure.
        card: Card that has the figure.
        counts: Place and direction of the figure.

    Raises:
        StageError: The figure has no direction, and the card does not have it for held-out music.
    """
    if counts.figure.better:
        return value if counts.figure.better == "lower" else -value
    section, _, rest = counts.place.partition(".")
    place = ".".join([section, "held_out", *rest.split(".")[1:]])
    music = figure_of(card, dataclasses.replace(counts, place=place))
    if music is None:
        raise StageError(f"The card has no {place}.{counts.figure.name}, the yardstick of {counts.place}.")
    return abs(value - music)


def figure_of(card: Card, counts: Counts) -> float | None:
    """Returns a held-out figure of a card; ``None`` if it has none."""
    if card.held_out is not None:
        found: HeldOutFigure | None = card.held_out.figures.get(counts.place, {}).get(counts.figure.name)
        return None if found is None else found.value
    name = counts.figure.name  # of a card of version 0.11.0, which has few figures
    if counts.place.startswith("reconstruction."):
        name += counts.place.replace("reconstruction.", "_")
    value = (card.evaluation or {}).get(name)
    return value if isinstance(value, (int, float)) else None


def _replace(name: str, recipe: Recipe, output: Path, card: Card) -> int:
    """Puts a new model into the package, unless it falls short of the card of the one that is there."""
    target = PACKAGE / output.name
    if target.exists() and (lines := shortfalls(recipe, card, read_model(target).card)):
        print(
            f"{name} falls short of its card; '{target}' was not replaced. The new model is '{output}'.",
            *lines,
            sep="\n  ",
        )
        return 1
    with whole_file(target) as partial:
        shutil.copyfile(output, partial)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{name}: wrote '{target}' ({output.stat().st_size / 1e6:.1f} MB).")
    print(
        f"CPU hours: training {card.cpu_hours or 0:.1f}; this call {(children.ru_utime + children.ru_stime) / 3600:.1f}"
    )
    return 0


def _prepare(folder: Path, *arguments: object) -> None:
    """Runs a command that writes a folder, unless the folder is there. Such a folder is complete."""
    if (folder / "manifest.json").exists():
        print(f"There already: {folder}", flush=True)
    else:
        _gmd_vae(*arguments)


def _announce_training(run: Path, recipe: Recipe) -> None:
    path = run / history.NAME
    done = max((line["step"] for line in history.read_lines(path)), default=0) if path.exists() else 0
    left = recipe.cpu_hours * max(0.0, 1 - done / recipe.num_steps)
    used = history.cpu_seconds_of(path) / 3600
    print(
        f"Training: {done:,} of {recipe.num_steps:,} steps done, {used:.1f} CPU hours used, about {left:.1f} left",
        flush=True,
    )


def _gmd_vae(*arguments: object) -> None:
    """Runs a command. Ctrl-C and SIGTERM stop it, and it is waited for: training saves a checkpoint first.

    Raises:
        KeyboardInterrupt: It was stopped.
        StageError: It failed; it has said why.
    """
    words = [str(argument) for argument in arguments]
    print(f"$ gmd-vae {shlex.join(words)}", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "gmd_vae", *words])
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = None
    while code is None:
        with contextlib.suppress(KeyboardInterrupt):  # the terminal sends it to the command too
            code = process.wait()
    signal.signal(signal.SIGTERM, before)
    if code in (130, 143, -signal.SIGINT, -signal.SIGTERM):
        raise KeyboardInterrupt
    if code:
        raise StageError(f"'gmd-vae {words[0]}' failed with exit status {code}.")


def _commit_of(path: Path) -> str:
    """Returns the commit at which the training began, and keeps it in a file; empty outside a checkout."""
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    commit = ""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        commit = _git("rev-parse", "HEAD") + (" with changes" if _git("status", "--porcelain", "-uno") else "")
    with whole_file(path) as partial:
        partial.write_text(commit + "\n", encoding="utf-8")
    return commit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
