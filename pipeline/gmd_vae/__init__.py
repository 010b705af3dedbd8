"""gmd-vae: from MIDI drum beats to a trained MusicVAE and back to MIDI.

The rooms follow the data: ``datasets`` → ``midi`` → ``windows`` → ``models`` → ``training`` → ``evaluation``, and from
``models`` to ``generation`` → ``rendering``. ``configuration`` and ``families`` say what a config is and what depends
on its kind of music; ``magenta`` is the door to Magenta and TensorFlow; ``common`` and ``engines`` serve all of them;
``inspection`` shows the contents of files and folders; ``commands`` are the command line. ``configs.py`` is the file of
the same name at the top level of the project.

Each room's ``__init__.py`` says what goes in, what comes out and what to read first. ``docs/architecture.md`` has the
picture, and follows one window and one latent vector through the files.

The public names are ``load``, ``Model``, ``Beat``, ``Reading``, ``train``, ``Training``, ``__version__``, and the
errors ``GmdVaeError``, ``UsageError`` and ``Interrupted``. They are imported when they are first used:

>>> import gmd_vae
>>> model = gmd_vae.load()
>>> model.sample(2, seed=7)[0].labels.shape
(64,)
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, whose import takes longer than everything else here
if TYPE_CHECKING:
    from typing import Any

    from gmd_vae.api.beat import Beat as Beat
    from gmd_vae.api.model import Model as Model
    from gmd_vae.api.model import load as load
    from gmd_vae.api.reading import Reading as Reading
    from gmd_vae.api.training import Training as Training
    from gmd_vae.api.training import train as train
    from gmd_vae.common.errors import GmdVaeError as GmdVaeError
    from gmd_vae.common.errors import Interrupted as Interrupted
    from gmd_vae.common.errors import UsageError as UsageError

    __version__: str

_HOMES = {
    "load": "api.model",
    "Model": "api.model",
    "Beat": "api.beat",
    "train": "api.training",
    "Training": "api.training",
    "GmdVaeError": "common.errors",
    "UsageError": "common.errors",
    "Reading": "api.reading",
    "Interrupted": "common.errors",
}

__all__ = [
    "Beat",
    "GmdVaeError",
    "Interrupted",
    "Model",
    "Reading",
    "Training",
    "UsageError",
    "__version__",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    """Imports a public name on its first use: ``import gmd_vae`` alone takes a few milliseconds."""
    if name not in __all__:
        raise AttributeError(f"module 'gmd_vae' has no attribute '{name}'")
    if name == "__version__":
        import importlib.metadata

        value: Any = importlib.metadata.version("gmd-vae")
    else:
        import importlib

        value = getattr(importlib.import_module(f"gmd_vae.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
