"""TensorBoard events of a run: Magenta's training summaries, and the figures of the validation split."""

from __future__ import annotations

import functools
from typing import Any

from gmd_vae.common.printable import printable
from gmd_vae.magenta.api import tf
from gmd_vae.models.tensorflow_paths import tensorflow_folder
from gmd_vae.training.run.folder import Run

STEPS_BETWEEN = 100  # steps between two summaries, as in stock Magenta


class Events:
    """Writes ``RUN/train`` with the tags of Magenta's training, ``RUN/validation`` with those of its eval mode.

    Does not write the graph, which would add 12 MB at every start.

    Args:
        run: Run folder and hyperparameters.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @functools.cached_property
    def train(self) -> Any:
        """``tf.summary.FileWriter`` of the training split; creates its file at the first use."""
        writer = tf.summary.FileWriter(tensorflow_folder(self._run.train_folder))
        writer.add_summary(_texts(self._run))
        return writer

    @functools.cached_property
    def _validation(self) -> Any:
        folder = self._run.folder / "validation"
        folder.mkdir(exist_ok=True)
        return tf.summary.FileWriter(tensorflow_folder(folder))

    def validation(self, tags: dict[str, float], step: int) -> None:
        """Writes one validation: figures by tag."""
        values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in tags.items()]
        self._validation.add_summary(tf.Summary(value=values), step)
        self._validation.flush()

    def close(self) -> None:
        """Flushes and closes the writers."""
        for name in ("train", "_validation"):
            if name in self.__dict__:  # in the cache: the writer was used
                getattr(self, name).close()


def _texts(run: Run) -> Any:
    """Returns the text summaries of ``music_vae_train._trial_summary``: examples path, table of hyperparameters."""
    rows = [f"| {name} | {value} |" for name, value in sorted(run.hparams.items())]
    table = "\n".join(["| Key | Value |", "| :--- | :--- |", *rows])
    return tf.Summary(value=[_text("examples_path", printable(str(run.examples), limit=None)), _text("hparams", table)])


def _text(tag: str, text: str) -> Any:
    metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text"))
    return tf.Summary.Value(tag=tag, metadata=metadata, tensor=tf.make_tensor_proto(text, dtype=tf.string))
