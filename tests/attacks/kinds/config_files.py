"""Files of the user's own configs with mistakes in them. The files are trusted Python; the messages must help."""

from __future__ import annotations

import random
from pathlib import Path

from attacks.driver import Attack
from attacks.kinds import kind

_REPLACEMENTS = (
    'name="[red]x[/red]"', 'name=""', "name=7", "name=None", 'name="../../evil"', 'name="a/b"', 'name="\\x1b[2J"',
    'name="x" * 500', 'name="mine", z_size="64"', 'name="mine", z_size=-1', 'name="mine", z_size=0',
    'name="mine", enc_rnn_size=[]', 'name="mine", enc_rnn_size="big"', 'name="mine", dec_rnn_size=[0]',
    'name="mine", learning_rate=float("nan")', 'name="mine", batch_size=True', 'name="mine", nonsense=1',
    'name="mine", max_beta=float("inf")', 'name="mine", dropout_keep_prob=5', 'name="mine", free_bits=-3',
    'name="hierdec-drum_4bar"', 'name="mine", max_seq_len=10**9', 'name="mine", sampling_rate=float("nan")',
)  # fmt: skip
_TEXTS = (
    "import sys\nsys.exit(0)\n", "raise SystemExit\n", "raise KeyboardInterrupt\n", "1/0\n", "def x(:\n", "\x00",
    "import no_such_module\n", "print('noise')\n", "", "CONFIGS = 7\n", "raise Exception('\\x1b[2J[red]')\n",
    "def f(): f()\nf()\n", "import os\nos.close(1)\n", "raise BaseException('x')\n", "\ufeff# a mark\n",
)  # fmt: skip


@kind()
def mistakes_in_a_config_file(rng: random.Random, home: Path) -> Attack:
    """A config file with a mistake, used by the commands that list and use configs."""
    path = home / "my_configs.py"
    if rng.random() < 0.4:
        path.write_text(rng.choice(_TEXTS))
    else:
        change = rng.choice(_REPLACEMENTS)
        path.write_text(f"from gmd_vae.configs import HIERDEC_SMALL\n\nCONFIGS = [HIERDEC_SMALL.replace({change})]\n")
    command = rng.choice([
        ["configs", "--configs", "my_configs.py"],
        ["configs", "mine", "--configs", "my_configs.py", "--json"],
        ["configs", "mine", "--configs", "my_configs.py", "--plot-schedules", "new.png"],
        ["preprocess", "notes", "--config", "mine", "--configs", "my_configs.py", "--output-dir", "new"],
        ["preprocess", "notes", "--config", "mine", "--configs", "my_configs.py"],
        ["inspect", "song.mid", "--config", "mine", "--configs", "my_configs.py"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*", "data*"], seconds=60)


@kind(slow=True)
def mistakes_in_a_trained_config(rng: random.Random, home: Path) -> Attack:
    """A config file with a mistake, trained."""
    change = rng.choice(_REPLACEMENTS)
    (home / "my_configs.py").write_text(
        "from gmd_vae.configs import FLAT_1_SMALL\n\n"
        f"CONFIGS = [FLAT_1_SMALL.replace(**{{'batch_size': 4, **dict({change})}})]\n"
    )
    command = ["train", "--config", rng.choice(["mine", "../../evil", "[red]x[/red]"]), "--configs", "my_configs.py",
               "--examples-path", "examples", "--num-steps", "1"]  # fmt: skip
    return Attack(command, outputs=["runs*"], seconds=150, megabytes=4000)
