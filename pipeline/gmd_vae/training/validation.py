"""The validation split through a checkpoint: the figures that choose the best one.

Magenta's own eval mode takes ``count // batch_size`` batches (none, for the Groove MIDI Dataset's
validation split and a batch of 512), polls for ever, and turns scheduled sampling to "always". Here
every window counts, whatever the batch size, and the decoder is fed the true steps (teacher
forcing), as the likelihood of an autoregressive model asks.
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
from gmd_vae.models.elbo_terms import elbo_terms
from gmd_vae.models.sessions import session_config
from gmd_vae.training.examples import Split
from gmd_vae.training.history import Validation, elbo
from gmd_vae.training.run.folder import Run

BATCH_SIZE = 256  # rows at once: there is no gradient to keep, and small batches take longer
_STREAM = 1_000_000  # random numbers of its own, apart from those of any worker


class Validator:
    """A graph and a session of their own, so that validating cannot disturb the training.

    They are built at the first use. Use as a context manager.

    Args:
        run: what is trained.
        split: the validation examples; at least one.
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
            checkpoint: prefix of a checkpoint of this run.
            step: its step.

        Returns:
            The figures, and all of them by the tags that Magenta's eval mode gives them.
        """
        if self._session is None:
            self._build()
        self._saver.restore(self._session, str(checkpoint))
        self._session.run(self._reset)
        parts: list[list[Any]] = []
        for first in range(0, self._split.count, self._size):
            found = self._session.run([*self._per_window, self._update], {self._first: first})[:-1]
            parts.append([values[: self._split.count - first] for values in found])
        reconstruction, kl_bits, kl_loss = (
            float(np.concatenate(column).mean(dtype=np.float64)) for column in zip(*parts, strict=True)
        )
        metrics = {name: float(value) for name, value in self._session.run(self._metrics).items()}
        now = Validation(
            step=step,
            windows=self._split.count,
            elbo=elbo(reconstruction, kl_bits),
            reconstruction=reconstruction,
            kl_bits=kl_bits,
            kl_bits_above_free=kl_loss / float(np.log(2)),
            accuracy=accuracy_of(metrics),
        )
        tags = {"losses/r_loss": reconstruction, "losses/kl_bits": kl_bits, "losses/kl_loss": kl_loss, "elbo": now.elbo}
        return now, {**tags, **metrics}

    def _build(self) -> None:
        run, count = self._run, self._split.count
        self._size = size = min(BATCH_SIZE, count)
        teacher_forcing = {"sampling_schedule": "constant", "sampling_rate": 0.0}
        with tf.Graph().as_default() as graph:
            config = build_config(run.config, {**run.hparams, **teacher_forcing, "batch_size": size})
            layers = dataclasses.replace(run.layers, precision="fp32")  # figures to compare, whatever is trained in
            chosen = accelerate(config, run.config, layers)
            config.model.build(config.hparams, config.data_converter.output_depth, is_training=False)
            table = family_of(run.config).example_table(run.config, self._split, chosen.token_sequences)
            self._first = tf.placeholder(tf.int64, [])
            rows = self._first + tf.range(size, dtype=tf.int64)
            batch = table.batch(tf.minimum(rows, count - 1), present=rows < count)
            with stateless_randomness(run.seed, self._first, stream=_STREAM):
                metrics, figures = elbo_terms(config.model, batch.arguments())
            self._per_window = [figures[name] for name in ("losses/r_loss", "losses/kl_bits", "losses/kl_loss")]
            self._metrics = {name: value for name, (value, _) in metrics.items() if not name.startswith("segment/")}
            self._update = tf.group(*(update for _, update in metrics.values()))
            self._reset = tf.variables_initializer(tf.get_collection(tf.GraphKeys.METRIC_VARIABLES))
            self._saver = tf.train.Saver()
            self._session = tf.Session(graph=graph, config=session_config(chosen))
            self._session.run(tf.local_variables_initializer())


def accuracy_of(metrics: dict[str, float]) -> float | None:
    """The share of steps right, of several streams the mean; ``None`` where there is no such figure.

    Magenta's ``SplitMultiOutCategoricalLstmDecoder`` gives the mean too, its ``MultiOutCategoricalLstmDecoder`` the
    streams alone.
    """
    if "metrics/accuracy" in metrics:
        return metrics["metrics/accuracy"]
    streams = [value for name, value in metrics.items() if name.startswith("metrics/accuracy/output_")]
    return sum(streams) / len(streams) if streams else None
