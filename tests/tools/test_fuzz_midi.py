"""`make fuzz`: its counts, its failures, and how it shrinks a failing file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fixtures.midi_strategies import build
from fixtures.tool_module import load_tool

fuzz_midi = load_tool("fuzz_midi")


def test_a_short_run_counts_what_it_reads(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GMD_VAE_TEST_DATA", raising=False)
    assert fuzz_midi.main(["--minutes", "0.02", "--seed", "5"]) == 0
    out = capsys.readouterr().out
    assert "files from seed 5" in out
    assert "accepted" in out


def test_a_failing_file_is_saved_small(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = fuzz_midi.compare

    def wrong(data: bytes) -> str:
        if b"\x99\x26" in data:  # a snare drum
            raise AssertionError("no snare drums")
        return read(data)

    monkeypatch.delenv("GMD_VAE_TEST_DATA", raising=False)
    monkeypatch.setattr(fuzz_midi, "compare", wrong)
    assert fuzz_midi.main(["--minutes", "1", "--seed", "5", "--output-dir", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "AssertionError: no snare drums" in out
    (small,) = tmp_path.glob("*-small.mid")
    assert small.read_bytes().hex(" ") in out
    assert b"\x99\x26" in small.read_bytes()
    assert len(small.read_bytes()) < 40


def test_a_file_shrinks_by_tracks_events_and_bytes() -> None:
    rng = random.Random(4)
    tempo = b"\xff\x51"
    data = next(data for data in iter(lambda: build(b"\x00" + rng.randbytes(900)), b"") if data.count(tempo) > 2)
    assert len(fuzz_midi.smallest(data, lambda candidate: tempo in candidate, seconds=20)) == 14 + 8 + 2


def test_a_hang_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(_: bytes) -> str:
        raise fuzz_midi.Hang("more than 20 s")

    monkeypatch.setattr(fuzz_midi, "compare", hang)
    assert fuzz_midi.outcome(b"") == ("failed", "Hang: more than 20 s")
