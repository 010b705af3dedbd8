"""Numbers that are none, endless or out of range, for every numeric option of every command."""

from __future__ import annotations

import random
from pathlib import Path

import click

from attacks.driver import Attack
from attacks.home import COMMANDS, CONFIG
from attacks.kinds import kind
from attacks.kinds.arguments import parameters

ODD = ("nan", "inf", "-inf", "1e400", "-0.0", "1e308", "5e-324", "-1", "0", "9" * 400, "1_0", "0x1p3", "١")
_BASE = {
    "inspect": ["song.mid"],
    "convert": ["mine", "--output-dir", "new"],
    "preprocess": ["notes", "--output-dir", "new"],
    "generate": ["--run-dir", "run", "--output-dir", "new"],
    "evaluate": ["run", "--samples", "5"],
}
_HPARAMS = (
    "dropout_keep_prob", "z_size", "batch_size", "learning_rate", "decay_rate", "min_learning_rate", "max_beta",
    "beta_rate", "free_bits", "grad_clip", "sampling_rate", "max_seq_len", "enc_rnn_size", "dec_rnn_size",
)  # fmt: skip


def _numeric(name: str) -> list[click.Option]:
    numeric = (click.types.IntParamType, click.types.FloatParamType)
    options = [one for one in parameters(name) if isinstance(one, click.Option)]
    return [
        one for one in options if isinstance(one.type, numeric) or one.name in ("tempo", "swing", "radius", "drift")
    ]


def _attack(rng: random.Random, names: list[str]) -> Attack:
    name = rng.choice(names)
    arguments = [name, *_BASE[name]]
    for option in rng.sample(_numeric(name), min(len(_numeric(name)), rng.randrange(1, 3))):
        if option.name != "jobs":
            arguments += [option.opts[-1], rng.choice(ODD)]
    if rng.random() < 0.5:
        arguments.append("--json")
    return Attack(arguments, outputs=["new*", ".new*", "run/eval/*"], replaces=["run/*"], seconds=120, megabytes=4000)


@kind()
def odd_numbers(rng: random.Random, home: Path) -> Attack:
    """An odd number for a numeric option of a command without TensorFlow."""
    return _attack(rng, ["inspect", "convert", "preprocess"])


@kind(slow=True)
def odd_numbers_for_a_model(rng: random.Random, home: Path) -> Attack:
    """An odd number for a numeric option of `generate` and `evaluate`."""
    return _attack(rng, ["generate", "evaluate"])


@kind(slow=True)
def odd_hyperparameters(rng: random.Random, home: Path) -> Attack:
    """An odd value for a hyperparameter."""
    value = rng.choice([*ODD, "[]", "[0]", "[-1]", "[nan]", "x", "", "5", "[1e9]", "1000000000"])
    hparams = f"{rng.choice(_HPARAMS)}={value}"
    command = ["train", "--config", CONFIG, "--examples-path", "examples", "--run-dir", "new", "--hparams", hparams,
               "--num-steps", "1", "--json"]  # fmt: skip
    small = "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=2,batch_size=4"
    if rng.random() < 0.7:
        command[command.index("--hparams") + 1] = f"{small},{hparams}"
    return Attack(command, outputs=["new*", ".new*"], seconds=180, megabytes=5000)


@kind(slow=True)
def more_than_anybody_wants(rng: random.Random, home: Path) -> Attack:
    """Counts that cannot be meant: refused at once, before any beat is drawn."""
    arguments = [*COMMANDS["beats"]]
    extra = rng.choice([
        ["-n", "100000", "--mode", "sample", "--bars", "4000", "--only", "0"],
        ["-n", "100000000"],
        ["--bars", "100000000"],
        ["--mode", "interpolate", "-n", "1000000000"],
    ])  # fmt: skip
    arguments[-1] = "new"
    return Attack([*arguments, *extra], outputs=["new*", ".new*"], seconds=60, megabytes=3000, refused=True)
