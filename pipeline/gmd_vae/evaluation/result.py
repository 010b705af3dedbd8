"""The result of an evaluation: typed from the metric to the table, and in ``result.json``.

``Result.from_json`` reads the files of version 0.8.3 and later. ``figures.py`` describes the single figures.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

from gmd_vae.common.code_state import Code
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.newer_files import unusable, wrong_number
from gmd_vae.evaluation import json_form
from gmd_vae.evaluation.data.identity import Identity
from gmd_vae.evaluation.latent.space import LatentSpace
from gmd_vae.evaluation.likelihood import Likelihood
from gmd_vae.evaluation.metrics.distributions import FeatureComparison
from gmd_vae.evaluation.metrics.event_accuracy import EventReconstruction
from gmd_vae.evaluation.metrics.groove_errors import Errors, Feel
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction
from gmd_vae.evaluation.metrics.novelty import Novelty
from gmd_vae.evaluation.metrics.repetition import Repetition
from gmd_vae.evaluation.metrics.stream_accuracy import StreamReconstruction
from gmd_vae.evaluation.settings import Settings

Reconstruction: TypeAlias = LabelReconstruction | StreamReconstruction | EventReconstruction


@dataclasses.dataclass(frozen=True)
class NoveltyOfSets:
    """Novelty of samples, and of held-out windows as the yardstick.

    Attributes:
        samples: Samples from the prior: the fitted density of z of a model that has one, else N(0, I).
        held_out: Windows of the split.
        samples_usual: Samples from the prior at the temperature of ``generate``; ``None`` where ``samples`` have it, of
            multitrack models, and in results of version 0.21 and earlier.
        samples_normal: Samples from N(0, I), of a model with a fitted density of z; ``None`` without one.
        samples_usual_normal: The same at the temperature of ``generate``.
    """

    samples: Novelty
    held_out: Novelty
    samples_usual: Novelty | None = None
    samples_normal: Novelty | None = None
    samples_usual_normal: Novelty | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowSet(Repetition):
    """A set of windows: samples, held-out windows or training windows.

    Attributes:
        windows: Number of windows.
        temperature: Temperature of samples.
        prior: Prior of samples, one of ``priors.PRIORS``.
        auc: AUC of a classifier that separates them from held-out windows; ``None`` for held-out windows, and where
            there are fewer than two files.
        auc_above_training: Of samples, the AUC minus that of training windows, which is the yardstick.
    """

    windows: int
    temperature: float | None = None
    prior: str | None = None
    auc: Estimate | None = None
    auc_above_training: Estimate | None = None


@dataclasses.dataclass(frozen=True)
class Groove:
    """Velocities and timing of a GrooVAE.

    Attributes:
        hits: Number of true hits.
        windows_with_tempo: Number of windows whose tempo a catalogue lists.
        answers: Errors of each prediction and baseline, by name.
        samples: Distributions of samples from the prior.
    """

    hits: int
    windows_with_tempo: int
    answers: dict[str, Errors]
    samples: Feel


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a model on one split.

    Attributes:
        windows: Number of windows.
        files: Number of source files.
        file_ids: Their ids, in the order of all sums by file; ``None`` in results of version 0.19 and earlier.
        steps: Steps of a window; multitrack: the largest number of events.
        steps_per_bar: Steps of a bar; ``None`` where steps are events.
        voices: Names of the drum classes, of drum models.
        streams: Names of the streams, of all others.
        in_training: Number of windows that are training windows too.
        likelihood: Likelihood and its bounds.
        reconstruction: Comparison of each prediction with the windows: those of the model (``teacher_forced``,
            ``free_running``, ``free_running_sampled``) and those of the baselines.
        groove: Velocities and timing, of GrooVAE.
        novelty: Distances to the training windows.
        window_sets: Repetition, density and two-sample test, of all but multitrack models: ``samples`` at the
            temperature of the settings, ``samples_usual`` at that of ``generate``, ``held_out`` and ``training``.
            A model with a fitted density of z has the same sets from N(0, I) too: ``samples_normal`` and
            ``samples_usual_normal``.
        distribution: Comparison of samples with the windows by each musical feature, of drum models and GrooVAE;
            empty if one of them is a single window.
        latent: Latent space.
    """

    windows: int
    files: int
    file_ids: tuple[str, ...] | None = None
    steps: int
    steps_per_bar: int | None
    voices: tuple[str, ...] | None = None
    streams: tuple[str, ...] | None = None
    in_training: int
    likelihood: Likelihood
    reconstruction: dict[str, Reconstruction]
    groove: Groove | None = None
    novelty: NoveltyOfSets
    window_sets: dict[str, WindowSet] | None = None
    distribution: dict[str, FeatureComparison] | None = None
    latent: LatentSpace


@dataclasses.dataclass(frozen=True)
class Result:
    """Figures, with all that they follow from.

    Attributes:
        identity: Checkpoint and data.
        settings: Settings of the evaluation.
        versions: Version of each package.
        figures: The figures.
        code: Code that measured them; ``None`` in results of version 0.15 and earlier. A result stays valid at another
            commit of the same version.
    """

    identity: Identity
    settings: Settings
    versions: dict[str, str]
    figures: Figures
    code: Code | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the content of ``result.json``."""
        code = {} if self.code is None else {"code": json_form.to_json(self.code)}
        return {**origin(self.identity, self.settings, self.versions), **code, **json_form.to_json(self.figures)}

    @staticmethod
    def from_json(content: Any, name: str = "result.json") -> Result:
        """Reads the content of a ``result.json``.

        Args:
            content: JSON value.
            name: Name of the file in errors.

        Raises:
            NewerFileError: A newer version of gmd-vae wrote it: its figures may mean something else, or have another
                form.
            GmdVaeError: The content is not that of an evaluation.
        """
        again = "Delete its folder, and run 'gmd-vae evaluate' again."
        if not isinstance(content, dict):
            raise GmdVaeError(f"{name} is not of an evaluation (it is no object)", again)
        number = content.get("figures", FORMAT)  # none in old results
        if isinstance(number, int) and number > FORMAT:
            raise wrong_number(name, "figures", number, FORMAT, again)
        try:
            return Result(
                json_form.from_json(Identity, content),
                json_form.from_json(Settings, content.get("settings"), "settings"),
                json_form.from_json(dict[str, str], content.get("versions"), "versions"),
                json_form.from_json(Figures, content),
                json_form.from_json(Code, content["code"], "code") if "code" in content else None,
            )
        except ValueError as error:
            raise unusable(f"{name} is not of an evaluation ({error})", content, again) from None


FORMAT = 6  # of the definitions of the figures: a result of another number is measured again (docs/versions.md)


def origin(identity: Identity, settings: Settings, versions: dict[str, str]) -> dict[str, Any]:
    """Returns all that a result follows from, as JSON: while it is the same, a result stays valid."""
    return {
        "figures": FORMAT,  # "format" is the manifest's own key
        **json_form.to_json(identity),
        "settings": json_form.to_json(settings),
        "versions": dict(versions),
    }
