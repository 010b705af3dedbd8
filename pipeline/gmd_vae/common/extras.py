"""Packages that a light installation lacks: those of the extra ``train``, and Magenta. Imports none of them."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError

TRAINING = {
    "tensorflow": "tensorflow",
    "magenta": "magenta",
    "note_seq": "note-seq",
    "tf_keras": "tf-keras",
    "tf_slim": "tf-slim",
    "tensorflow_probability": "tensorflow-probability",
    "pretty_midi": "pretty-midi",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
}
"""Module → package, of those that our code or Magenta's models import."""

NEEDS_TRAINING = "train, evaluate, and all models but those of drum labels and GrooVAE"

MAGENTA = "magenta==2.1.4"  # without its own pins, which no current Python satisfies
_SHOWN = 4  # packages in an error
CHECKOUT = Path(__file__).resolve().parents[3]  # of an installed package some other folder: see `is_checkout`
MADE_BY_MAKE = ".made-by-make"  # tools/setup.sh marks its environments with this file


def missing(modules: Sequence[str] = tuple(TRAINING)) -> list[str]:
    """Returns the packages of these modules that are not installed."""
    return [TRAINING[module] for module in modules if importlib.util.find_spec(module) is None]


def require(subject: str, modules: Sequence[str] = tuple(TRAINING)) -> None:
    """Checks that packages of the extra ``train`` are installed.

    Args:
        subject: The work that needs them, the subject of the error's sentence.
        modules: Keys of ``TRAINING``.

    Raises:
        GmdVaeError: Some are not; the error names them, and an environment nearby that has them or the command that
            installs them.
    """
    packages = missing(modules)
    if packages:
        shown = (
            packages if len(packages) <= _SHOWN else [*packages[: _SHOWN - 1], f"{len(packages) - _SHOWN + 1} others"]
        )
        listed = ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else shown[0]
        verb = "are" if len(shown) > 1 else "is"
        other = other_environment(modules)
        action = (
            f"The environment '{other}' has {'them' if len(packages) > 1 else 'it'}: run "
            f"'source {shlex.quote(str(other / 'bin' / 'activate'))}', then the same command."
            if other is not None
            else f"Run '{install_training()}'."
        )
        raise GmdVaeError(f"{subject} needs {listed}, which {verb} not installed", action)


def other_environment(modules: Sequence[str] = tuple(TRAINING)) -> Path | None:
    """Returns an environment ``.venv`` that has modules and gmd-vae, as ``make setup`` makes it; ``None`` without one.

    It is looked for in the current folder, beside the environment of this process, and in the checkout.

    Args:
        modules: Keys of ``TRAINING``.
    """
    for folder in (Path(), Path(sys.prefix).parent, CHECKOUT):
        environment = folder / ".venv"
        if not (environment / "bin" / "activate").is_file() or environment.samefile(sys.prefix):
            continue
        has_command = (environment / "bin" / "gmd-vae").is_file()
        packages = environment.glob("lib/python3*/site-packages")
        if has_command and any(all((found / module).exists() for module in modules) for found in packages):
            return environment
    return None


def install_training() -> str:
    """Returns the command that installs everything, for the environment of this process."""
    if is_made_by_make():
        return make("setup")
    return f'{_pip()} "gmd-vae[train]" && {_pip()} --no-deps {MAGENTA}'


def install(requirement: str) -> str:
    """Returns the command that installs one package, for the environment of this process."""
    return make("setup") if is_made_by_make() else f'{_pip()} "{requirement}"'


def install_gpu() -> str:
    """Returns the command that adds NVIDIA's libraries, for the environment of this process."""
    return make("setup GPU=1") if is_made_by_make() else f'{_pip()} "gmd-vae[train,gpu]"'


def update() -> str:
    """Returns the sentence that says how to update gmd-vae, in the environment of this process."""
    command = make("setup") if is_made_by_make() else f"{_pip()} ."
    return f"Update gmd-vae: run 'git pull && {command}' in its folder."


def make(arguments: str) -> str:
    """Returns the command that runs targets of the checkout's Makefile, from wherever the user is.

    Args:
        arguments: Targets and variables.
    """
    folder = "" if CHECKOUT.samefile(Path()) else f"-C {shlex.quote(str(CHECKOUT))} "
    return f"make {folder}{arguments}"


def is_checkout() -> bool:
    """Returns True if the package lies in a checkout, which has a Makefile."""
    return (CHECKOUT / "Makefile").is_file() and (CHECKOUT / "tools" / "setup.sh").is_file()


def is_made_by_make() -> bool:
    """Returns True in an environment that ``make setup`` made from this checkout, and keeps complete."""
    return (Path(sys.prefix) / MADE_BY_MAKE).exists() and is_checkout()


def _pip() -> str:
    """Returns the start of a command that installs packages into the environment of this process."""
    folder = Path(sys.executable).parent
    if importlib.util.find_spec("pip") is None:  # an environment of uv
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    if Path(shutil.which("pip") or "").parent == folder:
        return "pip install"
    return f"{shlex.quote(sys.executable)} -m pip install"
