"""Random and damaged MIDI files."""

from __future__ import annotations

import random
from pathlib import Path

from fixtures.midi_strategies import build, damage

from attacks.driver import Attack
from attacks.kinds import kind


def _random_midi(rng: random.Random, corpus: list[bytes]) -> bytes:
    if rng.random() < 0.5:
        return build(rng.randbytes(rng.randrange(200, 3000)))
    return damage(rng.randbytes(rng.randrange(50, 300)), corpus)


@kind()
def random_midi_files(rng: random.Random, home: Path) -> Attack:
    """A folder of random and damaged MIDI files."""
    corpus = [path.read_bytes() for path in sorted((home / "mine").glob("*.mid"))]
    folder = home / "wild"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.mid").write_bytes(_random_midi(rng, corpus))
    command = rng.choice([
        ["convert", "wild", "--output-dir", "new", "--json"],
        ["convert", "wild", "--output-dir", "new", "--stock"],
        ["inspect", "wild", "--json"],
        ["inspect", "wild"],
        ["inspect", "wild/00.mid"],
        ["inspect", "wild/01.mid", "--json"],
        ["render", "wild/02.mid", "wild/03.mid", "--output-dir", "new", "--png"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=120)


@kind(slow=True)
def random_midi_for_a_model(rng: random.Random, home: Path) -> Attack:
    """A random or damaged MIDI file as the input of `generate`."""
    corpus = [path.read_bytes() for path in sorted((home / "mine").glob("*.mid"))]
    (home / "wild.mid").write_bytes(_random_midi(rng, corpus))
    mode = rng.choice([["--around", "wild.mid"], *(["--mode", name, "--input-midi", "wild.mid"]
                       for name in ("reconstruct", "vary", "continue", "groove", "attribute"))])  # fmt: skip
    command = ["generate", "--run-dir", "run", "-n", "2", "--output-dir", "new", *mode]
    return Attack(command, outputs=["new*", ".new*", "run/*"], seconds=120, megabytes=3000)
