"""Explains why a MIDI file gives no window: problems and actions as sentences."""

from __future__ import annotations

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.drum_channels import ON_CHANNEL_10
from gmd_vae.windows.extraction import REASONS, Dropped, of_count

_SHORTER = "Give a longer file."


def why_no_window(
    spec: DrumWindows, dropped: Dropped, fitting: str = "", without_drums: str = ON_CHANNEL_10
) -> list[dict[str, str]]:
    """Explains why music gives no window.

    Args:
        spec: Drum windows that were looked for.
        dropped: Music that gave no window.
        fitting: Next action that names a config that fits the music; empty if there is none.
        without_drums: Next action for music without drum notes.

    Returns:
        Dicts with ``what`` and ``next_action``, the most informative first.
    """
    bars = f"{spec.slice_bars} bar" + ("s" if spec.slice_bars > 1 else "")
    signatures = ", ".join(f"{name}" for name in list(dropped.time_signatures)[:5])
    pitches = ", ".join(str(pitch) for pitch in sorted(dropped.pitches)[:10])
    short = dropped.reasons["too_short"]
    texts = {
        "no_drums": ("It has no drum notes", without_drums),
        "no_known_drums": (
            f"None of its drum notes has a pitch of the config's drum classes (it has MIDI pitch {pitches})",
            "Move them to General MIDI's drum pitches (36 kick, 38 snare, 42 closed hi-hat, ...).",
        ),
        "other_bar_length": (
            f"It is in {signatures}, and the config takes bars of {spec.quarters_per_bar} quarter notes",
            fitting
            or "Correct the time signature in your music program if it is wrong; else declare a config with these bars "
            "(docs/metres.md).",
        ),
        "bad_time_signature": (
            f"Its time signature {signatures} is impossible",
            "Correct the time signature in your music program.",
        ),
        "too_short": (
            f"{short:,} {of_count(short, 'stretches of drums')} shorter than {bars}"
            + (
                f" (a pause of {spec.gap_bars:g} bar ends a stretch, as does a change of time signature)"
                if spec.gap_bars
                else ""
            ),
            fitting or _SHORTER,
        ),
        "no_length": ("Its notes have no length in time", "Save it again in your music program."),
    }
    other = "Save it again in your music program."
    first = [{"what": text, "next_action": action} for key, (text, action) in texts.items() if dropped.reasons[key]]
    rest = [
        {"what": f"{count:,} {of_count(count, REASONS[key])}", "next_action": other}
        for key, count in dropped.reasons.items()
        if count and key not in texts
    ]
    return first + rest
