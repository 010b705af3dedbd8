"""What a training run shows while it runs: one line that renews itself, or a line now and then."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pipeline import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SECONDS_BETWEEN_LINES = 10.0  # where stderr is a file or a pipe


@dataclasses.dataclass(frozen=True)
class Measurements:
    """The figures of one training step, in Magenta's terms.

    Attributes:
        step: steps done since the run began.
        loss: what is minimised: reconstruction plus β times the KL divergence above the free bits.
        reconstruction: nats per window.
        kl_bits: the whole KL divergence from posterior to prior, in bits per window.
        learning_rate: Adam's.
    """

    step: int
    loss: float
    reconstruction: float
    kl_bits: float
    learning_rate: float


class TrainingProgress:
    """Shows progress on stderr and keeps ``metrics.jsonl``, one line per `log_every` steps.

    Args:
        first: the step the run starts at.
        last: the step it ends at.
        metrics: the file to append to.
        log_every: steps between two lines of ``metrics.jsonl``.
    """

    def __init__(self, first: int, last: int, metrics: Path, log_every: int = 20) -> None:
        self._first, self._last, self._log_every = first, last, log_every
        self._metrics_path = metrics
        self._started: float | None = None
        self._shown = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TrainingProgress:
        _keep_until(self._metrics_path, self._first)
        self._metrics = self._metrics_path.open("a", encoding="utf-8")
        if sys.stderr.isatty():
            self._bar, self._task = self._new_bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._metrics.close()

    def update(self, now: Measurements) -> None:
        """Takes the figures of one step."""
        if self._started is None:
            # the first step also compiles the graph; the rate counts from its end
            self._started, self._counted_from = time.monotonic(), now.step
        seconds = time.monotonic() - self._started
        rate = (now.step - self._counted_from) / seconds if now.step > self._counted_from and seconds > 0 else 0.0
        if now.step % self._log_every == 0 or now.step == self._last:
            line = {**dataclasses.asdict(now), "steps_per_second": round(rate, 3)}
            self._metrics.write(json.dumps(line) + "\n")
            self._metrics.flush()
        figures = f"loss {now.loss:.1f}  reconstruction {now.reconstruction:.1f} nats  KL {now.kl_bits:.1f} bits"
        if self._bar is not None:
            assert self._task is not None
            self._bar.update(self._task, completed=now.step, figures=figures, rate=f"{rate:.2f} steps/s")
        elif self._due(now.step):
            left = f"  {_duration((self._last - now.step) / rate)} left" if rate and now.step < self._last else ""
            speed = f"  {rate:.2f} steps/s" if rate else ""
            sys.stderr.write(f"step {now.step}/{self._last}  {figures}{speed}{left}\n")
            sys.stderr.flush()

    def _due(self, step: int) -> bool:
        now = time.monotonic()
        if step in (self._first + 1, self._last) or now - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = now
            return True
        return False

    def _new_bar(self) -> tuple[Any, Any]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[figures]}  {task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console.stderr(),
        )
        return bar, bar.add_task("", total=self._last, completed=self._first, figures="", rate="")


def _keep_until(path: Path, step: int) -> None:
    """Drops the lines a killed run wrote after its last checkpoint: the steps will be done again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # half a line: the run was killed while it wrote
    path.write_text("".join(kept), encoding="utf-8")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
