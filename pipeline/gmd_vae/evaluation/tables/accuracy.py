"""Tables of reconstruction: each prediction of a model and each baseline, compared with the true windows."""

from __future__ import annotations

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.metrics.event_accuracy import EventReconstruction
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction
from gmd_vae.evaluation.metrics.stream_accuracy import StreamReconstruction
from gmd_vae.evaluation.result import Reconstruction, Result
from gmd_vae.evaluation.tables.formats import Table, estimate, number
from gmd_vae.evaluation.tables.overview import BASELINES, DECODING, INTERVALS, MODELS

_SHARES = tuple(figure for figure in figures.RECONSTRUCTIONS if figure is not figures.ACCURACY_DROP)
_STEP_ACCURACY = figures.STEP_ACCURACY.heading.capitalize()


def accuracy(result: Result) -> Table | None:
    """Returns the table of all predictions: step accuracy and the other shares that the result has."""
    predictions = _titled(result)
    shares = [share for share in _SHARES if any(share.read(each) is not None for each in predictions.values())]
    rows = [
        (title, *(estimate(share.read(prediction), share.digits) for share in shares))
        for title, prediction in predictions.items()
    ]
    columns = ("", *(share.heading for share in shares))
    models = sum(name in MODELS for name in result.figures.reconstruction)
    lines = frozenset({models} - {0})
    return Table("Accuracy", columns, tuple(rows), (INTERVALS, DECODING), lines=lines) if rows else None


def event_kinds(result: Result) -> Table | None:
    """Returns the table of step accuracy by kind of event, of multitrack windows."""
    predictions = {title: each for title, each in _titled(result).items() if isinstance(each, EventReconstruction)}
    kinds = list(dict.fromkeys(kind for prediction in predictions.values() for kind in prediction.kinds))
    rows = [
        (title, *(estimate(prediction.kinds.get(kind), figures.STEP_ACCURACY.digits) for kind in kinds))
        for title, prediction in predictions.items()
    ]
    notes = (f"{INTERVALS} Events are compared position by position: one event too many shifts all later ones.",)
    return Table(f"{_STEP_ACCURACY}, by kind of event", ("", *kinds), tuple(rows), notes) if kinds else None


def bars(result: Result) -> Table | None:
    """Returns the table of step accuracy by bar."""
    predictions = {
        title: prediction.bars
        for title, prediction in _titled(result).items()
        if isinstance(prediction, LabelReconstruction | StreamReconstruction)
    }
    count = max(map(len, predictions.values()), default=0)
    rows = [
        (str(bar + 1), *(estimate(by_bar[bar], figures.STEP_ACCURACY.digits) for by_bar in predictions.values()))
        for bar in range(count)
    ]
    return Table(f"{_STEP_ACCURACY}, by bar", ("bar", *predictions), tuple(rows), (INTERVALS,)) if rows else None


def drum_classes(result: Result) -> Table | None:
    """Returns the table of each drum class, free-running."""
    free, teacher = (result.figures.reconstruction.get(name) for name in ("free_running", "teacher_forced"))
    if not isinstance(free, LabelReconstruction) or not isinstance(teacher, LabelReconstruction):
        return None
    rows = [
        (
            name,
            number(hits.hits),
            *(estimate(figure.read(hits), figure.digits) for figure in figures.DRUM_CLASSES[1:]),
            estimate(teacher_hits.f1, figures.F1.digits),
        )
        for name, hits, teacher_hits in zip(result.figures.voices or (), free.voices, teacher.voices, strict=False)
    ]
    headings = (figure.heading for figure in figures.DRUM_CLASSES)
    columns = ("drum class", *headings, f"{figures.F1.heading},\n{MODELS['teacher_forced']}")
    return Table("Drum classes, free-running", columns, tuple(rows), (INTERVALS,))


def streams(result: Result) -> Table | None:
    """Returns the table of each stream."""
    predictions = {title: each for title, each in _titled(result).items() if isinstance(each, StreamReconstruction)}
    rows: list[tuple[str, ...]] = []
    lines = set()
    for stream in result.figures.streams or ():
        lines.add(len(rows))
        for title, prediction in predictions.items():
            part = prediction.streams.get(stream)
            rows.append((stream, title, *(estimate(figure.read(part), figure.digits) for figure in figures.STREAMS)))
    notes = (f"{INTERVALS} Events: true steps at which a note or a drum begins, or a note ends.",)
    columns = ("stream", "", *(figure.heading for figure in figures.STREAMS))
    return Table("Streams", columns, tuple(rows), notes, names=2, lines=frozenset(lines - {0})) if rows else None


def _titled(result: Result) -> dict[str, Reconstruction]:
    """Returns the predictions of a result by their titles, those of the model first."""
    measured = result.figures.reconstruction
    return {title: measured[name] for name, title in {**MODELS, **BASELINES}.items() if name in measured}
