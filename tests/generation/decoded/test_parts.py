"""Chord symbols as texts of a MIDI file."""

from __future__ import annotations

from gmd_vae.generation.decoded.parts import chord_texts


def test_a_chord_is_written_where_it_changes() -> None:
    assert chord_texts(["C", "C", "Am", "C"]) == [(0, "C"), (2 * 1920, "Am"), (3 * 1920, "C")]
    assert chord_texts([]) == []
