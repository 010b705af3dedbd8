"""The temperatures at which samples are drawn where a user names none."""

from __future__ import annotations

# Of ``generate`` for samples, interpolations and continuations, and of one set of samples of ``evaluate``. At 1, the
# model's own distribution, the rare steps of the distribution's tail add up over a window; lower temperatures leave
# them out.
SAMPLING = 0.5
# Of ``generate`` for drum labels: on the flat part of the figures, which hardly change below 0.5
# (tools/measure_temperature.py, docs/generation.md).
DRUM_LABELS = 0.25
