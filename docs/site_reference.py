"""The parts of the reference that are written from the code while the site is built.

A page marks the place with a comment, ``<!-- site: NAME -->``, which a forge does not show. ``fill`` replaces it.
"""

from __future__ import annotations

import importlib
import re

import site_errors
from site_errors import escaped

MARK = re.compile(r"^<!-- site: ([a-z-]+) -->$", re.MULTILINE)


def config_tables() -> str:
    """Returns a table of configs for each kind of music, as ``gmd-vae configs`` prints them."""
    configs = importlib.import_module("gmd_vae.commands.configs")
    registry = importlib.import_module("gmd_vae.configuration.registry")
    music = importlib.import_module("gmd_vae.families.music").MUSIC
    facts = [configs._facts(config) for config in registry.all_configs().values()]
    lines = []
    for group in music.values():
        lines += [f"### {group.heading}", "", f"{escaped(group.data)}", ""]
        lines += ["| config | parameters | bars | z | steps of training | laptop | summary |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | --- | --- |"]
        for config in (fact for fact in facts if fact["group"] == group.name):
            millions, laptop = f"{config['parameters'] / 1e6:.1f} M", "yes" if config["for_laptops"] else ""
            summary = escaped(config["summary"].removesuffix(", for a laptop")) + ("; Magenta's" * config["stock"])
            bars, size, steps = config["bars"] or "", config["hparams"]["z_size"], f"{config['num_steps']:,}"
            cells = (f"`{config['name']}`", millions, bars, size, steps, laptop, summary)
            lines.append(f"| {' | '.join(map(str, cells))} |")
        lines.append("")
    return "\n".join(lines)


PARTS = {"error-messages": site_errors.tables, "configs": config_tables}


def fill(text: str) -> str:
    """Returns a page with its marks replaced.

    Raises:
        KeyError: A mark has a name that there is not.
    """
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)
