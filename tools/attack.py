"""Attacks the installed command for some minutes; exits with 1 if anything failed.

`make attack MINUTES=30` runs it. The folder of each failed attack is kept, and its line says how to repeat it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "pipeline"), str(ROOT / "tests")]

from attacks import campaign  # noqa: E402
from attacks.driver import Outcome  # noqa: E402
from attacks.home import build  # noqa: E402
from attacks.kinds import Kind, kinds  # noqa: E402


def main() -> None:
    """Runs the attacks and prints a table."""
    parser = argparse.ArgumentParser(description="Attack the installed command.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kind", action="append", help="only this kind; more than once for several")
    parser.add_argument("--number", type=int, help="with --kind: only the attack of this number")
    parser.add_argument("--fast", action="store_true", help="only commands that do not start TensorFlow")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    every = kinds()
    if unknown := set(options.kind or ()) - set(every):
        parser.error(f"unknown kind: {', '.join(sorted(unknown))}; known: {', '.join(every)}")
    chosen = [kind for kind in every.values() if kind.name in (options.kind or every)]
    chosen = [kind for kind in chosen if not (options.fast and kind.slow)]
    folder = Path(tempfile.mkdtemp(prefix="gmd-vae-attacks-"))
    print(f"Seed {options.seed}. Building a home in {folder} ...", flush=True)
    template = folder / "template"
    build(template)
    started = time.monotonic()
    if options.number is not None:
        sandbox = folder / "attack"
        outcome = campaign.attack(template, sandbox, chosen[0], options.seed, options.number)
        print("\n".join(outcome.problems) or "held", f"in {sandbox}")
        sys.exit(bool(outcome.problems))

    def shown(kind: Kind, number: int, outcome: Outcome) -> None:
        for problem in outcome.problems:
            print(f"FAILED --kind '{kind.name}' --number {number} --seed {options.seed}: {problem}", flush=True)

    tallies = campaign.run(
        template, folder, chosen, options.seed, seconds=options.minutes * 60, jobs=options.jobs, shown=shown
    )
    print(f"\n{'kind':<36} {'attacks':>8} {'failed':>7} {'most s':>7} {'most MB':>8}")
    for name, tally in tallies.items():
        print(f"{name:<36} {tally.attacks:>8} {len(tally.failures):>7} {tally.seconds:>7.1f} {tally.megabytes:>8.0f}")
    failures = sum(len(tally.failures) for tally in tallies.values())
    attacks = sum(tally.attacks for tally in tallies.values())
    minutes = (time.monotonic() - started) / 60
    print(f"\n{attacks} attacks of {len(tallies)} kinds in {minutes:.1f} minutes, {failures} failed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
