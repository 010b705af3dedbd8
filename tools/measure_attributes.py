"""Measures what the attribute vectors of a drum model do to its beats (``gmd-vae generate --mode attribute``).

For each attribute and amount: its mean change, and the share of the beats in which it changes in the direction asked
for. Then the other attributes that change, in standard deviations of the unmoved beats. All beats are the likeliest
music of z from the model's prior.

    python tools/measure_attributes.py groove-4bar
"""

from __future__ import annotations

import argparse

import gmd_vae
import numpy as np
from gmd_vae.evaluation.latent.attributes import BUSIER, drum_attributes
from gmd_vae.generation.find_model import find_model
from gmd_vae.models.latent_density import draw_latents

AMOUNTS = (-1.0, 1.0, 1.5, 2.0)
_NOTABLE = 0.3  # standard deviations


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("model", help="A model of the package or a model file, with attribute vectors.")
    parser.add_argument("--amounts", type=float, nargs="+", default=AMOUNTS)
    parser.add_argument("--beats", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with find_model(options.model) as found, gmd_vae.load(options.model) as model:
        source = found.source
        vectors, spec = source.stored_vectors or {}, source.config.drum_windows
        z = draw_latents(source.density, options.beats, model.z_size, options.seed)
        moved = [z + amount * vector for vector in vectors.values() for amount in options.amounts]
        labels = np.array([beat.labels for beat in model.decode(np.concatenate([z, *moved]).astype(np.float32))])
    values = drum_attributes(labels, spec.voice_names, spec.meter)
    parts = {name: np.split(of_all, 1 + len(moved)) for name, of_all in values.items()}
    before = {name: part[0] for name, part in parts.items()}
    heading = [f"{amount:+g}" for amount in options.amounts]
    print(
        f"| {options.model} | {' | '.join(heading)} | others at {heading[-1]} |\n| --- |{' --- |' * (len(heading) + 1)}"
    )
    for number, name in enumerate(vectors):
        columns = []
        for place, amount in enumerate(options.amounts):
            change = parts[name][1 + number * len(options.amounts) + place] - before[name]
            columns.append(f"{change.mean():+.2f} ({(change * amount > 0).mean():.0%})")
        last = (number + 1) * len(options.amounts)
        others = {
            other: (parts[other][last] - before[other]).mean() / max(float(before[other].std()), 1e-9)
            for other in vectors
            if other not in (name, BUSIER)
        }
        notable = ", ".join(f"{other} {moves:+.1f}" for other, moves in others.items() if abs(moves) >= _NOTABLE)
        print(f"| {name} | {' | '.join(columns)} | {notable} |")


if __name__ == "__main__":
    main()
