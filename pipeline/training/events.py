"""TensorBoard events of a run: Magenta's tags, and those of the validation split."""

from __future__ import annotations

from typing import Any

from pipeline.models.magenta import tf
from pipeline.training.run import Run

STEPS_BETWEEN = 100  # as in stock Magenta


class Events:
    """Writes ``RUN/train`` as Magenta's training does, ``RUN/validation`` under the tags of its eval mode.

    Without the graph, which would add 12 MB at every start.
    """

    def __init__(self, run: Run) -> None:
        self._folder = run.folder
        self.train = tf.summary.FileWriter(str(run.train_folder))
        self.train.add_summary(_texts(run))
        self._validation: Any = None

    def validation(self, tags: dict[str, float], step: int) -> None:
        """Writes one validation."""
        if self._validation is None:
            self._validation = tf.summary.FileWriter(str(self._folder / "validation"))
        values = [tf.Summary.Value(tag=tag, simple_value=value) for tag, value in tags.items()]
        self._validation.add_summary(tf.Summary(value=values), step)
        self._validation.flush()

    def close(self) -> None:
        """Writes what is waiting."""
        self.train.close()
        if self._validation is not None:
            self._validation.close()


def _texts(run: Run) -> Any:
    """The texts that ``music_vae_train._trial_summary`` writes: the data and a table of hyperparameters."""
    rows = [f"| {name} | {value} |" for name, value in sorted(run.hparams.items())]
    table = "\n".join(["| Key | Value |", "| :--- | :--- |", *rows])
    return tf.Summary(value=[_text("examples_path", str(run.examples)), _text("hparams", table)])


def _text(tag: str, text: str) -> Any:
    metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text"))
    return tf.Summary.Value(tag=tag, metadata=metadata, tensor=tf.make_tensor_proto(text, dtype=tf.string))
