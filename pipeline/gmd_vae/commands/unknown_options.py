"""Hints for options that people look for and that do not exist: the options and commands that do the same."""

from __future__ import annotations

_STYLE = (
    "The style of new beats is that of the training data: 'gmd-vae convert --style rock' takes rock only. For beats "
    "near one of yours: --around FILE."
)
_SOUND = "Sound is written as WAV, by 'gmd-vae render FILE' and 'gmd-vae generate --wav'; other programs make {} of it."
_ARGUMENT = "The {} is an argument without an option: 'gmd-vae {} {}'."
_HPARAM = "It is a hyperparameter: --hparams {}."

# command → option → hint; "" has the options of all commands
_HINTS: dict[str, dict[str, str]] = {
    "": {f"--{kind}": _SOUND.format(kind.upper()) for kind in ("mp3", "ogg", "flac")},
    **{
        name: dict.fromkeys(("--run-dir", "--run", "--model"), _ARGUMENT.format(kind, name, example))
        for name, kind, example in (
            ("evaluate", "run", "runs/small"),
            ("report", "run", "runs/small"),
            ("export", "model", "runs/small -o small.safetensors"),
            ("studio", "model", "runs/small"),
            ("models", "model", "runs/small"),
        )
    },
    "generate": {
        **dict.fromkeys(("--style", "--genre"), _STYLE),
        "--bpm": "Did you mean '--tempo'?",
        **dict.fromkeys(("--length", "--measures"), "Did you mean '--bars'?"),
        **dict.fromkeys(("--count", "--number", "--num", "--samples"), "Did you mean '-n'?"),
        **dict.fromkeys(("--out", "--output", "-o"), "Did you mean '--output-dir'?"),
        **dict.fromkeys(
            ("--input", "--midi", "--file"),
            "Did you mean '--input-midi' (with --mode vary, continue and others), or '--around' for beats near a beat?",
        ),
        "--format": "Beats are MIDI files; --wav and --png write sound and pictures beside them.",
    },
    "train": {
        "--epochs": "Did you mean '--num-steps'? The plan that train prints says how many steps an epoch has.",
        **dict.fromkeys(("--batch-size", "--batch_size"), _HPARAM.format("batch_size=64")),
        **dict.fromkeys(("--learning-rate", "--lr"), _HPARAM.format("learning_rate=0.0003")),
        **dict.fromkeys(("--data", "--dataset", "--input"), "Did you mean '--examples-path'?"),
        **dict.fromkeys(("--resume", "--continue"), "The same command continues a run that was stopped."),
    },
}


def hint_for(command: str, option: str) -> str | None:
    """Returns a sentence on what takes the place of an option, or ``None``.

    Args:
        command: Name of the command.
        option: The option as it was typed.
    """
    return {**_HINTS[""], **_HINTS.get(command, {})}.get(option)
