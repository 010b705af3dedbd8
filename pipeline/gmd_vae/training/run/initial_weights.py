"""The data and the licence of initial weights, and of those that they in turn began with. No TensorFlow here."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.run_places import BEST, TRAIN
from gmd_vae.models import checkpoints
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.card import MOST_INITIAL_WEIGHTS, Card, InitialWeights
from gmd_vae.models.export_manifest import read_exported_card
from gmd_vae.models.model_checkpoint import find_weights
from gmd_vae.models.model_file import is_model_file, read_model
from gmd_vae.training.run.folder import InitFrom, Run, read_run
from gmd_vae.windows.storage.examples_manifest import name_of_examples

_MOST_CHARACTERS = 200_000  # of all texts: with them, the header of a model file stays far below its largest size


def resolve_init_from(name: str | Path) -> InitFrom:
    """Resolves a spelling such as ``RUN/latest`` to the weights that it names now, see ``find_weights``.

    Raises:
        GmdVaeError: There is no such model or checkpoint, or too many trainings led to it.
    """
    path, digest = find_weights(name)
    began_with = _describe(path, digest)
    characters = sum(len(one.name + one.data + one.data_description + one.licence) for one in began_with)
    if len(began_with) > MOST_INITIAL_WEIGHTS or characters > _MOST_CHARACTERS:
        raise GmdVaeError(
            f"The card of '{printable(str(name))}' names so many initial weights that a further card cannot hold them",
            f"Begin with one of at most {MOST_INITIAL_WEIGHTS - 1} fine-tunings.",
        )
    return InitFrom(path, digest, began_with)


def began_with(run: Run) -> tuple[InitialWeights, ...]:
    """Returns the weights that a run began with, then those that they began with; empty for random weights.

    ``run.json`` of version 0.17 and earlier has only a path and a digest. Then the weights are described as long as
    they are still there.
    """
    if run.init_from is None or run.init_from.began_with:
        return () if run.init_from is None else run.init_from.began_with
    path, digest = run.init_from.path, run.init_from.digest
    try:
        if find_weights(str(path))[1] == digest:
            return _describe(path, digest)
    except (GmdVaeError, OSError):
        pass
    return Card(_file_name(path)).as_initial_weights(digest, None)


def data_of(run: Run, checkpoint: Path) -> tuple[str, str]:
    """Returns name and description of the music that a checkpoint was trained on.

    Args:
        run: The run.
        checkpoint: Prefix of one of its checkpoints.

    Returns:
        ``groove`` for ``data/examples/groove/CONFIG``, as `find_examples` names it, and what ``fetch`` recorded of the
        dataset, if it is a fetched one. Both empty for the initial weights themselves, which are the best of a run that
        made nothing better of them.
    """
    if run.init_from and checkpoints.step_of(checkpoint) == 0:
        return "", ""
    name = name_of_examples(run.examples, run.config.name)
    return name, run.data_source.in_words if run.data_source else ""


def _describe(path: Path, digest: str) -> tuple[InitialWeights, ...]:
    """Describes weights, and those that they began with.

    Args:
        path: Path from ``find_weights``.
        digest: Their digest.
    """
    file = bundled_models().get(str(path), path)
    if is_model_file(file):
        model = read_model(file)
        return model.card.as_initial_weights(digest, model.licence)
    if (run := _run_of(path)) is not None:
        data, description = data_of(run, path)
        name = run.folder.resolve().name
        card = Card(name, data=data, data_description=description, began_with=began_with(run))
        return card.as_initial_weights(digest, None)
    card, licence = read_exported_card(path) or (Card(_file_name(path)), None)
    return card.as_initial_weights(digest, licence)


def _run_of(prefix: Path) -> Run | None:
    """Returns the run of a checkpoint in its ``train`` or ``best``; ``None`` outside of runs, or if it is damaged."""
    if prefix.parent.name not in (BEST, TRAIN):
        return None
    try:
        return read_run(prefix.parent.parent)
    except GmdVaeError:
        return None


def _file_name(path: Path) -> str:
    """Returns the name of a model or an archive; of a checkpoint's prefix, with its folder."""
    is_prefix = checkpoints.step_of(path) is not None and path.parent.name
    return f"{path.parent.name}/{path.name}" if is_prefix else path.name
