"""Fuzzes the MIDI reader: reads random files with our reader and with note_seq's until they disagree.

Each file is read twice. As Magenta's stack reads it, the bytes are compared with note_seq's. With every hit, they are
compared with note_seq's reading of the file rewritten (``tests/fixtures/rewritten.py``), and every note-on is accounted
for.

`make fuzz MINUTES=10` runs it. Half of the files are built from random events, half are real files with damage: our
own grooves, and the files in the folder GMD_VAE_TEST_DATA if it is set. Those are first compared undamaged. The first
file on which the readers disagree, or on which ours fails or takes too long, is shrunk and saved. A seed makes the run
repeatable.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "pipeline"), str(ROOT / "tests")]

from fixtures.against_note_seq import (  # noqa: E402
    ACCEPTED,
    Difference,
    compare,
    compare_every_hit,
    real_files,
    small_files,
)
from fixtures.midi_strategies import build, chunk, damage, split_chunks, split_events  # noqa: E402
from gmd_vae.datasets.starter.starter_set import write_starter  # noqa: E402
from gmd_vae.midi import midi_io  # noqa: E402

FILE_SECONDS = 20  # limit for one file
SHRINKING_SECONDS = 60.0

Fails = Callable[[bytes], bool]


class Hang(Exception):
    """A file takes too long to read."""


def problem(data: bytes) -> str | None:
    """Returns the fault in the reading of a file; None: no fault."""
    return outcome(data)[1]


def outcome(data: bytes) -> tuple[str, str | None]:
    """Returns the result of reading a file with every hit (`accepted`, or a reason), and a fault or None."""
    signal.setitimer(signal.ITIMER_REAL, FILE_SECONDS)
    try:
        compare(data)
        return compare_every_hit(data), None
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def smallest(data: bytes, fails: Fails, seconds: float = SHRINKING_SECONDS) -> bytes:
    """Shrinks a file as long as ``fails`` stays true: leaves out tracks, events and bytes (delta debugging).

    Args:
        data: File that fails.
        fails: Returns True for a file that fails.
        seconds: Time limit.

    Returns:
        The smallest failing file found.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        smaller = _fewer(split_chunks(data)[1:], lambda parts, head=data[:14]: _file(head, parts), fails, end, data)
        for place in range(len(split_chunks(smaller)) - 1):
            for take_apart in (split_events, _bytes):
                smaller = _shorter(smaller, place, take_apart, fails, end)
        if smaller == data:
            break
        data = smaller
    return data


def _bytes(track: bytes) -> list[bytes]:
    return [track[place : place + 1] for place in range(len(track))]


def _file(head: bytes, tracks: Sequence[bytes]) -> bytes:
    return head[:10] + len(tracks).to_bytes(2, "big") + head[12:] + b"".join(tracks)


def _shorter(data: bytes, place: int, take_apart: Callable[[bytes], list[bytes]], fails: Fails, end: float) -> bytes:
    """Leaves out parts of one track of a file as long as it fails."""
    chunks = split_chunks(data)

    def make(parts: Sequence[bytes]) -> bytes:
        body = chunk(chunks[place + 1][:4], b"".join(parts))
        return b"".join([*chunks[: place + 1], body, *chunks[place + 2 :]])

    return _fewer(take_apart(chunks[place + 1][8:]), make, fails, end, data)


def _fewer(
    parts: Sequence[bytes], make: Callable[[Sequence[bytes]], bytes], fails: Fails, end: float, data: bytes
) -> bytes:
    """Returns ``make(parts)`` with few parts that still fails. Leaves out runs of parts, long ones first."""
    kept, run = list(parts), max(1, len(parts) // 2)
    while run and time.monotonic() < end:
        place = 0
        while place < len(kept):
            fewer = [*kept[:place], *kept[place + run :]]
            candidate = make(fewer)
            if len(candidate) < len(data) and fails(candidate):
                kept, data = fewer, candidate
            else:
                place += run
        run //= 2
    return data


def corpus() -> list[bytes]:
    """Returns the files to damage."""
    folder = os.environ.get("GMD_VAE_TEST_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        write_starter(Path(scratch) / "starter")
        return small_files(Path(folder) if folder else None, Path(scratch).rglob("*.mid"))


def different_real_files() -> list[str]:
    """Compares the files of GMD_VAE_TEST_DATA, if it is set, and returns a line for each difference."""
    folder = os.environ.get("GMD_VAE_TEST_DATA")
    if not folder:
        return []
    differences = []
    counts: collections.Counter[str] = collections.Counter()
    for name, data in real_files(Path(folder)):
        try:
            counts[f"{compare(data)} as Magenta's stack"] += 1
            counts[f"{compare_every_hit(data)} with every hit"] += 1
        except Difference as difference:
            differences.append(f"FAILED: {name}: {difference}")
    print("Real files: " + ", ".join(f"{count:,} {how}" for how, count in counts.most_common()), flush=True)
    return differences


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the fuzzer and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="Seed of the first file; each next file adds 1.")
    parser.add_argument("--output-dir", type=Path, default=Path("fuzzed"), help="Folder for the file that fails.")
    options = parser.parse_args(arguments)
    first = seed = random.SystemRandom().randrange(1 << 40) if options.seed is None else options.seed

    def hang(_: int, __: types.FrameType | None) -> None:
        raise Hang(f"more than {FILE_SECONDS} s")

    signal.signal(signal.SIGALRM, hang)
    if different := different_real_files():
        print("\n".join(different))
        return 1
    files = corpus()
    counts: collections.Counter[str] = collections.Counter()
    by_note_seq, fault = 0, None
    started = time.monotonic()
    end = started + 60 * options.minutes
    while fault is None and time.monotonic() < end:
        rng = random.Random(seed)
        data = build(rng.randbytes(400)) if seed % 2 else damage(rng.randbytes(60), files)
        how, fault = outcome(data)
        counts[how] += 1
        by_note_seq += how == ACCEPTED and not midi_io.reads_without_note_seq(data)
        seed += 1
    seconds = time.monotonic() - started
    total = sum(counts.values())
    print(f"{total:,} files from seed {first}, {total / seconds * 60:,.0f} a minute, {len(files)} real ones to damage")
    for how, count in counts.most_common():
        print(f"  {count:9,} {how} ({count / total:.1%})")
    share = by_note_seq / max(1, counts[ACCEPTED])
    print(f"  {by_note_seq:9,} of the accepted have Magenta's bytes from note_seq, not from our reader ({share:.1%})")
    print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")
    if fault is None:
        return 0
    print(f"FAILED at seed {seed - 1}: {fault}")
    small = smallest(data, lambda candidate: problem(candidate) is not None)
    options.output_dir.mkdir(parents=True, exist_ok=True)
    for name, content in ((f"{seed - 1}.mid", data), (f"{seed - 1}-small.mid", small)):
        (options.output_dir / name).write_bytes(content)
        print(f"{options.output_dir / name}, {len(content):,} bytes")
    print(f"The small one: {problem(small)}\n{small.hex(' ')}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
