"""Evaluates a checkpoint on the validation split, with the averages of its weights if it has them.

The figures choose the best checkpoint (``history.improves``).

Every window counts once, whatever the batch size. The decoder is teacher-forced, as the likelihood of an
autoregressive model requires. Magenta's eval mode differs: it evaluates ``count // batch_size`` batches (none, for the
validation split of the Groove MIDI Dataset and a batch of 512), polls forever, and samples every input of the decoder.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.magenta.randomness import stateless_randomness
from gmd_vae.models.accelerated.select_layers import accelerate
from gmd_vae.models.elbo_terms import TEACHER_FORCING, elbo_terms
from gmd_vae.models.sessions import session_config, weights_saver
from gmd_vae.models.tensorflow_paths import tensorflow_path
from gmd_vae.training.examples import Split
from gmd_vae.training.history import Validation, elbo, objective
from gmd_vae.training.run.folder import Run

BATCH_SIZE = 256  # larger than in training: no gradients take memory, and small batches are slower
_RNG_STREAM = 1_000_000  # differs from the stream of every training process


class Validator:
    """Validation graph and session, separate from those of the training. Use as a context manager.

    Both are created at the first use.

    Args:
        run: Config, hyperparameters, layers and seed.
        split: Validation examples; at least one.
    """

    def __init__(self, run: Run, split: Split) -> None:
        self._run, self._split = run, split
        self._session: Any = None

    def __enter__(self) -> Validator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()

    def validate(self, checkpoint: Path, step: int) -> tuple[Validation, dict[str, float]]:
        """Evaluates every window of the split.

        Args:
            checkpoint: Prefix of a checkpoint of this run, from ``RUN/train``.
            step: Step of the checkpoint.

        Returns:
            The figures; and all figures by the tags of Magenta's eval mode.
        """
        if self._session is None:
            self._build(checkpoint)
        self._saver.restore(self._session, tensorflow_path(checkpoint))
        self._session.run(self._reset)
        parts: list[list[Any]] = []
        for first in range(0, self._split.count, self._size):
            columns = self._session.run([*self._per_window, self._update], {self._first: first})[:-1]
            parts.append([values[: self._split.count - first] for values in columns])  # drops the padding rows
        reconstruction, kl_bits, kl_loss = (
            float(np.concatenate(column).mean(dtype=np.float64)) for column in zip(*parts, strict=True)
        )
        metrics = {name: float(value) for name, value in self._session.run(self._metrics).items()}
        hparams = self._run.hparams
        kl_bits_above_free = kl_loss / float(np.log(2))
        last_loss = objective(hparams, reconstruction, kl_bits, kl_bits_above_free)
        measured = Validation(
            step=step,
            windows=self._split.count,
            elbo=elbo(reconstruction, kl_bits),
            reconstruction=reconstruction,
            kl_bits=kl_bits,
            kl_bits_above_free=kl_bits_above_free,
            accuracy=accuracy_of(metrics),
            objective=last_loss,
            best_by=hparams["best_by"],
        )
        tags = {"losses/r_loss": reconstruction, "losses/kl_bits": kl_bits, "losses/kl_loss": kl_loss}
        return measured, {**tags, "elbo": measured.elbo, "objective": last_loss, **metrics}

    def _build(self, checkpoint: Path) -> None:
        run, count = self._run, self._split.count
        self._size = size = min(BATCH_SIZE, count)
        with tf.Graph().as_default() as graph:
            config = build_config(run.config, {**run.hparams, **TEACHER_FORCING, "batch_size": size})
            layers = dataclasses.replace(
                run.layers, precision="fp32"
            )  # comparable figures for every training precision
            chosen = accelerate(config, run.config, layers)
            config.model.build(config.hparams, config.data_converter.output_depth, is_training=False)
            table = family_of(run.config).example_table(run.config, self._split, chosen.token_sequences)
            self._first = tf.placeholder(tf.int64, [])
            rows = self._first + tf.range(size, dtype=tf.int64)
            batch = table.batch(tf.minimum(rows, count - 1), present=rows < count)
            with stateless_randomness(run.seed, self._first, stream=_RNG_STREAM):
                metrics, figures = elbo_terms(config.model, batch.arguments())
            self._per_window = [figures[name] for name in ("losses/r_loss", "losses/kl_bits", "losses/kl_loss")]
            self._metrics = {name: value for name, (value, _) in metrics.items() if not name.startswith("segment/")}
            self._update = tf.group(*(update for _, update in metrics.values()))
            self._reset = tf.variables_initializer(tf.get_collection(tf.GraphKeys.METRIC_VARIABLES))
            self._saver = weights_saver(checkpoint)
            self._session = tf.Session(graph=graph, config=session_config(chosen))
            self._session.run(tf.local_variables_initializer())


def accuracy_of(metrics: dict[str, float]) -> float | None:
    """Returns the step accuracy, for several streams their mean; ``None`` for decoders without this metric.

    Magenta's ``SplitMultiOutCategoricalLstmDecoder`` computes the mean, its ``MultiOutCategoricalLstmDecoder`` only the
    accuracy of each stream.

    Args:
        metrics: Metrics by the tags of Magenta's eval mode.
    """
    if "metrics/accuracy" in metrics:
        return metrics["metrics/accuracy"]
    streams = [value for name, value in metrics.items() if name.startswith("metrics/accuracy/output_")]
    return sum(streams) / len(streams) if streams else None
