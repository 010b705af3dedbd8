"""The temperature at which samples are drawn where a user names none."""

from __future__ import annotations

# Of ``generate`` for samples, interpolations and continuations. At 1, the model's own distribution, the rare steps of
# the distribution's tail add up over a window; lower temperatures leave them out.
SAMPLING = 0.5
