"""A made-up result, as ``gmd-vae evaluate`` writes it, for tables and charts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from gmd_vae.configuration.window_specs import CLASS_NAMES

MakeResult = Callable[..., dict[str, Any]]

_HITS = (10_412, 6_120, 13_977, 1_871, 402, 655, 218, 390, 0)  # no ride: its figures are not defined


def estimate(value: float | None, half: float = 0.015) -> dict[str, float | None]:
    """A figure with an interval of ``half`` on both sides."""
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": round(value, 6), "low": round(value - half, 6), "high": round(value + half, 6)}


def reconstruction(right: float, fade: float, bars: int) -> dict[str, Any]:
    """A prediction whose share of right steps changes by ``fade`` from the first bar to the last."""
    along = [bar / max(1, bars - 1) - 0.5 for bar in range(bars)]
    voices = [
        {
            key: estimate(right * by if hits else None)
            for key, by in (("precision", 1.05), ("recall", 0.95), ("f1", 1.0))
        }
        | {"hits": hits}
        for hits in _HITS
    ]
    return {
        "steps_right": estimate(right),
        "hits_f1": estimate(right * 0.9),
        "windows_right": estimate(right**8, right**8 / 4),
        "bars": [estimate(right + fade * place) for place in along],
        "fade": estimate(fade if bars > 1 else 0.0),
        "voices": voices,
        "confusion": [_confused(voice, right) for voice in range(len(_HITS))],
    }


def _confused(voice: int, right: float) -> list[float | None]:
    """Found; instead the voices on both sides, the nearer the likelier; or nothing at all."""
    if not _HITS[voice]:
        return [None] * (len(_HITS) + 1)
    found = right * (1 - voice / 20)
    shares = [0.0 if other == voice else 0.5 / (1 + (other - voice) ** 2) for other in range(len(_HITS))]
    wrong = [(1 - found) * share / sum(shares) * 0.4 for share in shares]
    wrong[voice] = found
    return [*wrong, 1 - sum(wrong)]


def _novelty(count: int, centre: int, copies: float) -> dict[str, Any]:
    steps = [int(count * 0.9 / (1 + (distance - centre) ** 2 / 9) / 9) for distance in range(2 * centre)]
    steps[0] = count - sum(steps[1:])
    spread = {"minimum": 0, "quarter": centre - 3.0, "median": float(centre), "three_quarters": centre + 4.25}
    spread |= {"maximum": 2 * centre - 1, "mean": centre + 0.4}
    return {
        "samples": count,
        "distinct": 0.98,
        "copies": estimate(copies, copies / 3),
        "steps": spread | {"histogram": steps},
        "hits": spread | {"histogram": steps},
    }


def _curve(points: int, bend: float) -> dict[str, Any]:
    along = [point / (points - 1) for point in range(points)]
    mean = [x + bend * x * (1 - x) for x in along]
    band = [0.1 * x * (1 - x) for x in along]
    return {
        "mean": mean,
        "low": [value - half for value, half in zip(mean, band, strict=True)],
        "high": [value + half for value, half in zip(mean, band, strict=True)],
        "pairs": 98,
        "left_out": 2,
    }


def _comparison(overlap: float) -> dict[str, float]:
    inter = 2.0 - overlap / 2
    return {
        "overlap": overlap,
        "kl_divergence": 1 - overlap,
        "intra_samples": 1.4,
        "intra_reference": 1.5,
        "inter": inter,
    }


def _result(bars: int = 4) -> dict[str, Any]:
    attributes = ("kick", "snare", "syncopation")
    return {
        "figures": 2,
        "run": "runs/small",
        "config": "hierdec-drum_4bar_small",
        "split": "test",
        "checkpoint": {"name": "model.ckpt-6800", "step": 6800, "sha256": "c" * 64},
        "examples": {"folder": "data/examples/groove/hierdec-drum_4bar_small", "sha256": "e" * 64},
        "training": {
            "folder": "data/examples/groove/hierdec-drum_4bar_small",
            "sha256": "e" * 64,
            "windows": 13226,
        },
        "windows": 1760,
        "files": 74,
        "steps": 16 * bars,
        "steps_per_bar": 16,
        "voices": list(CLASS_NAMES),
        "in_training": 0,
        "settings": {
            "seed": 0,
            "temperature": 1.0,
            "importance_samples": 16,
            "samples": 1000,
            "resamples": 2000,
        },
        "likelihood": {
            "reconstruction": estimate(61.52, 2.1),
            "reconstruction_per_step": estimate(0.961, 0.033),
            "kl_bits": estimate(48.25, 0.9),
            "elbo": estimate(-94.97, 2.4),
            "importance_bound": estimate(-90.12, 2.3),
        },
        "reconstruction": {
            "teacher_forced": reconstruction(0.742, -0.01, bars),
            "free_running": reconstruction(0.485, -0.034, bars),
            "free_running_sampled": reconstruction(0.402, -0.05, bars),
            "silence": reconstruction(0.217, 0.004, bars),
            "most_frequent_step": reconstruction(0.236, 0.0, bars),
            "previous_bar": reconstruction(0.562, 0.3, bars),
            "nearest_training": reconstruction(0.688, 0.002, bars),
        },
        "novelty": {"samples": _novelty(1000, 27, 0.003), "held_out": _novelty(1760, 19, 0.02)},
        "distribution": {
            name: {"samples": _comparison(overlap), "training": _comparison(0.97)}
            for name, overlap in (("hits_per_bar", 0.81), ("syncopation", 0.88), ("groove_consistency", 0.6))
        },
        "latent": {
            "activity": {
                "active": 41,
                "size": 256,
                "variance": [0.4] * 41 + [0.001] * 215,
                "kl_bits_by_dimension": [1.1] * 41 + [0.01] * 215,
                "collapsed": False,
            },
            "interpolation": {"latent": _curve(11, 0.25), "data": _curve(11, 0.0), "pairs": 98, "left_out": 2},
            "decodability": {
                "accuracy": estimate(0.61, 0.05),
                "balanced_accuracy": estimate(0.4, 0.05),
                "shuffled_accuracy": estimate(0.3, 0.05),
                "shuffled_balanced_accuracy": estimate(0.11, 0.02),
                "majority_accuracy": estimate(0.35, 0.1),
                "majority_balanced_accuracy": estimate(0.5, 0.0),
                "styles": ["funk", "rock"],
                "left_out": ["gospel"],
                "training_windows": 4000,
                "training_files": 378,
                "windows": 1700,
                "files": 70,
            },
            "decodability_reason": None,
            "attributes": {
                vector: {
                    name: {"added": 0.9 if name == vector else 0.1, "removed": -0.7 if name == vector else 0.02}
                    for name in attributes
                }
                for vector in attributes
            },
            "attributes_without": ["ride"],
        },
        "versions": {"gmd-vae": "0.3.0"},
    }


@pytest.fixture
def made_up_result() -> MakeResult:
    """``made_up_result(bars=4, **changes)``: a whole result, with other values at its top level where asked."""

    def make(bars: int = 4, **changes: Any) -> dict[str, Any]:
        # as read from a file: tuples are lists
        result: dict[str, Any] = json.loads(json.dumps(_result(bars)))
        return result | copy.deepcopy(changes)

    return make
