"""The drum kit of the pages."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from gmd_vae.rendering.drum_part import VOICES
from gmd_vae.rendering.web.kit_samples import kit, loudness


def test_the_encoded_kit_is_small_and_decodes_to_full_scale_strokes() -> None:
    voices = kit()
    assert [voice["name"] for voice in voices] == list(VOICES)
    assert sum(len(voice["samples"]) for voice in voices) < 400_000
    for voice in voices:
        coded = (np.frombuffer(base64.b64decode(voice["samples"]), np.uint8).astype(float) - 128) / 127
        sound = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
        assert np.abs(sound).max() == pytest.approx(1, abs=0.01)
        assert np.abs(sound[-20:]).max() < 0.01  # it ends without a click
        assert abs(sound.mean()) < 0.02
        assert 8_000 <= voice["rate"] <= 44_100
        assert -1 <= voice["pan"] <= 1
    assert loudness(127) > loudness(100) > loudness(30) > loudness(0) > 0
