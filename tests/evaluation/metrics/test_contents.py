"""Features of windows of all grids and streams."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.coded_windows import MELODY, TRIO, some_windows
from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.coding import StreamCoding
from gmd_vae.evaluation.metrics.contents import Contents, DrumContents, StreamContents
from gmd_vae.families.output_spec import OutputSpec


def check(contents: Contents, windows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    """All features are finite, follow from the window alone, and are different for different windows."""
    features = contents.features(windows)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(contents.features(windows[2:]), features[2:])
    assert len(np.unique(features, axis=0)) == len(windows)
    assert np.isfinite(contents.features(np.zeros_like(windows))).all()


@pytest.mark.parametrize(("classes", "meter", "steps"), [(9, Meter(12), 12), (61, Meter(16), 32), (3, Meter(7, 2), 28)])
def test_features_of_any_grid(classes: int, meter: Meter, steps: int) -> None:
    check(DrumContents(classes, meter), np.random.default_rng(0).integers(0, 2**classes, (5, steps)))


@pytest.mark.parametrize("output", [MELODY, TRIO], ids=["melody", "trio"])
def test_features_of_streams(output: OutputSpec) -> None:
    coding = StreamCoding(output)
    check(StreamContents(coding), coding.encode_windows(some_windows(output, 5, seed=0)))
