"""The documentation tells the truth: its commands parse, its targets, configs and files exist.

Nothing is run: command lines go through click's own parser, `make` through its dry run.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fixtures.documented_commands import FENCE, SPAN, Line, command_lines, parse_command, pieces
from gmd_vae.cli import COMMANDS, cli
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.registry import BUILT_IN, DEFAULT_CONFIG, all_configs, get_config

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
FIRST_MODEL = ROOT / "docs" / "first-model.md"
CONFIGS_PAGE = ROOT / "docs" / "reference" / "configs.md"
PAGES = [README, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = ROOT / "Makefile"
PACKAGE = ROOT / "pipeline" / "gmd_vae"
SCRIPTS = sorted((ROOT / "tools").glob("*.sh"))
CODE = sorted((ROOT / "pipeline").rglob("*.py"))

# in messages and help: 'gmd-vae train --config NAME', `make data`, (gmd-vae fetch groove), Next: gmd-vae ...
QUOTED = re.compile(r"['`(]((?:gmd-vae|make) [^'`)]+)['`)]|Next: ((?:gmd-vae|make) [^\"\n]+)")


def _quoted_lines(path: Path) -> Iterator[Line]:
    """The command lines that messages, comments and help texts name; {what is filled in} becomes 1."""
    where = str(path.relative_to(ROOT))
    for match in QUOTED.finditer(path.read_text(encoding="utf-8")):
        text = re.sub(r"\{[^{}]*\}", "1", match[1] or match[2])
        if not text.startswith("gmd-vae 1"):  # which command it is, is filled in
            yield from command_lines(where, text)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _contexts(click.Context(command, context, info_name=name))


def _all_lines() -> list[Line]:
    found: list[Line] = []
    for page in PAGES:
        for piece in pieces(page.read_text(encoding="utf-8")):
            found += command_lines(str(page.relative_to(ROOT)), piece)
    for context in _contexts(click.Context(cli, info_name="gmd-vae")):
        where = f"the help of {context.command_path}"
        found += command_lines(where, context.command.help or "")
    for path in (MAKEFILE, *SCRIPTS, *CODE):
        found += _quoted_lines(path)
    return found


LINES = _all_lines()
GMD_VAE_LINES = list(dict.fromkeys(str(line) for line in LINES if line.words[0] == "gmd-vae"))


def test_the_lines_are_found() -> None:
    """Each kind of place has some: a change of layout cannot empty the tests below."""
    places = {line.where for line in LINES}
    assert {"README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/folders.md", "Makefile"} <= places
    assert {f"the help of gmd-vae {name}" for name in COMMANDS} <= places
    assert "pipeline/gmd_vae/training/examples.py" in places
    assert len([line for line in LINES if line.where == "README.md"]) > 15
    assert len(GMD_VAE_LINES) > 60


@pytest.mark.parametrize("text", GMD_VAE_LINES)
def test_every_gmd_vae_line_parses(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = next(line.words for line in LINES if str(line) == text)
    if words[1:2] == ["evaluate"] and "--examples-path" in words:  # a folder that has to exist
        monkeypatch.chdir(tmp_path)
        (tmp_path / words[words.index("--examples-path") + 1]).mkdir(parents=True)
    parse_command(words[1:], click.Context(cli, info_name="gmd-vae"))


@pytest.mark.parametrize(
    "line",
    [
        "gmd-vae trian",
        "gmd-vae train --step 3",
        "gmd-vae train --num-steps many",
        "gmd-vae train --config hierdec",
        "gmd-vae train --hparams z=3",
        "gmd-vae convert --bpm fast",
        "gmd-vae generate --mode sing",
        "gmd-vae fetch gmd",
    ],
)
def test_a_wrong_line_would_be_found(line: str) -> None:
    (found,) = command_lines("here", f"    !.venv/bin/{line}  # a comment")
    with pytest.raises((click.UsageError, GmdVaeError)):
        parse_command(found.words[1:], click.Context(cli, info_name="gmd-vae"))


def test_shell_is_understood() -> None:
    code = "!make data \\\n  train STEPS=7 && gmd-vae configs --json | head\ncd gmd-vae\n$ gmd-vae doctor > a.json\n"
    assert [line.words for line in command_lines("here", code)] == [
        ["make", "data", "train", "STEPS=7"],
        ["gmd-vae", "configs", "--json"],
        ["gmd-vae", "doctor"],
    ]


def test_options_named_alone_are_there() -> None:
    options = {
        name
        for context in _contexts(click.Context(cli, info_name="gmd-vae"))
        for parameter in context.command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    named = [
        (page.name, span)
        for page in (README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
        for span in SPAN.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        if span.startswith("--") and span != "--help"
    ]
    assert len(named) > 100
    assert [(page, span) for page, span in named if span.split()[0] not in options] == []


def _make_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def test_every_command_that_make_runs_parses() -> None:
    arguments = [
        "STYLE=rock",
        "BEAT_TYPE=beat",
        "HPARAMS=z_size=32",
        "NUM_OUTPUTS=8",
        "TEMPERATURE=0.5",
        "SEED=1",
        "WAV=1",
        "PNG=1",
    ]
    run = subprocess.run(
        ["make", "-nB", "VENV=.venv", "data", "train", "generate", "evaluate", "doctor", *arguments],
        cwd=ROOT,
        env=_make_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    lines = [line.words for line in command_lines("make -n", run.stdout) if line.words[0] == "gmd-vae"]
    commands = {"fetch", "convert", "preprocess", "train", "generate", "evaluate", "doctor"}
    assert {words[1] for words in lines} == commands
    for words in lines:
        parse_command(words[1:], click.Context(cli, info_name="gmd-vae"))


def test_every_make_line_has_targets_and_variables_that_there_are() -> None:
    makefile = MAKEFILE.read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) *[:?]?=", makefile, re.MULTILINE))
    for script in SCRIPTS:
        variables.update(re.findall(r"\$\{([A-Z_]+)[:}]", script.read_text()))  # UPGRADE is read by tools/lock.sh
    lines = [line for line in LINES if line.words[0] == "make" and "TARGET" not in line.words]
    assert len(lines) > 20
    for line in lines:
        for word in line.words[1:]:
            name, equals, value = word.partition("=")
            if equals:
                assert name in variables, line
                if name == "CONFIG":
                    get_config(value)
            elif re.fullmatch(r"[a-z-]+[.,]?", name) and not name.startswith("-"):
                assert name.rstrip(".,") in targets, f"{line}: the Makefile has no target '{name}'"


def test_the_reference_is_that_of_the_commands(tmp_path: Path) -> None:
    # in a process of its own: click remembers the help options of a command from its first use
    script = ROOT / "tools" / "cli_reference.py"
    subprocess.run([sys.executable, script, tmp_path / "cli.md"], cwd=ROOT, check=True, timeout=60)
    now = (tmp_path / "cli.md").read_text(encoding="utf-8")
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == now, "run make docs"


def test_the_readme_mentions_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"gmd-vae {name}" not in text] == []


OURS = runpy.run_path(str(BUILT_IN))["CONFIGS"]
DRUMS = {config.name for config in OURS if config.family == "drum-labels" and not config.magenta}
SYSTEMS = {config.name for config in OURS} - DRUMS


def test_the_page_of_configs_names_those_that_there_are_and_all_of_them() -> None:
    spans = SPAN.findall(CONFIGS_PAGE.read_text(encoding="utf-8"))
    named = {span for span in spans if re.fullmatch(r"(hierdec|flat)-drum_[\w-]+", span)}
    assert named <= DRUMS
    assert {name for name in DRUMS if not name.endswith("_bar")} <= named


def test_the_page_of_the_systems_names_all_of_magentas_configs_and_ours() -> None:
    spans = set(SPAN.findall((ROOT / "docs" / "systems.md").read_text(encoding="utf-8")))
    assert spans >= {*SYSTEMS, *(stock.name for stock in MAGENTA_CONFIGS)}
    configs = {span for span in spans if re.fullmatch(r"(cat|nade|flat|hier|hierdec|groovae)[-_][\w-]+", span)}
    assert configs <= set(all_configs())


def test_the_own_configs_of_the_page_work(tmp_path: Path) -> None:
    blocks = [block[2] for block in FENCE.finditer(CONFIGS_PAGE.read_text(encoding="utf-8")) if block[1] == "python"]
    for name in ("my-drums", "my-groove"):
        (block,) = (block for block in blocks if f'"{name}"' in block)
        (tmp_path / f"{name}.py").write_text(block)
        assert name in all_configs(tmp_path / f"{name}.py")


def test_python_in_the_pages_parses_and_imports_what_is_there() -> None:
    imports = 0
    for page in PAGES:
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            if block[1] != "python":
                continue
            for node in ast.walk(ast.parse(block[2])):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gmd_vae"):
                    module = (ROOT / "pipeline" / (node.module or "").replace(".", "/")).with_suffix(".py")
                    body = ast.parse(module.read_text()).body
                    defined = {getattr(item, "name", None) for item in body}
                    assigned = {
                        getattr(item.targets[0], "id", ""): item.value for item in body if isinstance(item, ast.Assign)
                    }
                    defined |= set(assigned)
                    if "__all__" in assigned:  # a module that names what is public: a page imports nothing else
                        defined = set(ast.literal_eval(assigned["__all__"]))
                    assert {alias.name for alias in node.names} <= defined, f"{page.name}: {ast.unparse(node)}"
                    imports += 1
    assert imports > 3


def test_the_steps_are_those_of_the_configs_and_the_makefile() -> None:
    text = FIRST_MODEL.read_text(encoding="utf-8") + CONFIGS_PAGE.read_text(encoding="utf-8")
    demo = re.findall(r"^DEMO_STEPS = (\d+)$", MAKEFILE.read_text(), re.MULTILINE)[0]
    steps = get_config(DEFAULT_CONFIG).num_steps
    assert f"for {steps:,} steps, into `runs/{DEFAULT_CONFIG}`" in text
    assert f"| step | 1 | 500 | 1,000 | 2,000 | 4,000 | 8,000 | 12,000 | {steps:,} |" in text
    assert f"{int(demo):,} steps" in text
    lengths = (
        f"{steps:,} steps for the default and its like, 6,000 for other small ones, 12,000 for the one for likelihood"
    )
    assert f"{lengths}, 10,000 for the rest" in " ".join(text.split())
    for config in all_configs().values():
        if config.name in DRUMS:
            small = steps if config.hparams["prior_components"] else 6000
            large = 12_000 if "likelihood" in config.name else 10_000
            assert config.num_steps == (small if "_small" in config.name else large)


@pytest.mark.parametrize("page", [FIRST_MODEL, ROOT / "docs" / "reference" / "errors.md"], ids=lambda page: page.name)
def test_the_messages_that_are_explained_are_ours(page: Path) -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", page.read_text(encoding="utf-8").partition("| message |")[2], re.MULTILINE)
    source = "\n".join(path.read_text(encoding="utf-8") for path in (*CODE, *SCRIPTS))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # literals that continue on the next line
    assert len(rows) >= 3
    assert [row for row in rows if row not in source and not row.endswith("command not found")] == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link
    for span in SPAN.findall(text):
        path = re.fullmatch(r"(?:pipeline|tests|tools|docs|\.ci)/[\w./-]*|[\w./-]+\.(?:py|md|toml)", span)
        if path and not span.startswith("my_"):
            # the page about the code names files from the package on
            assert (ROOT / span).exists() or (page.name == "architecture.md" and (PACKAGE / span).exists()), span


def test_the_changelogs_version_is_the_packages() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    newest = re.search(r"^## \[(\d.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert version is not None
    assert newest is not None
    assert newest[1] == version[1]


def test_the_citations_version_is_the_packages() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"\nversion: {version[1]}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_bug_report_asks_for_the_doctor() -> None:
    text = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")
    (command,) = re.findall(r"`gmd-vae (doctor[^`]*)`", text)
    parse_command(command.split(), click.Context(cli, info_name="gmd-vae"))


MAGENTAS_SCRIPTS = {
    "convert_dir_to_note_sequences": "magenta/scripts/convert_dir_to_note_sequences.py",
    "preprocess_tfrecord": "magenta/models/music_vae/preprocess_tfrecord.py",
    "music_vae_train": "magenta/models/music_vae/music_vae_train.py",
    "music_vae_generate": "magenta/models/music_vae/music_vae_generate.py",
}


@pytest.mark.parametrize("script", MAGENTAS_SCRIPTS)
def test_every_flag_of_magentas_scripts_has_a_place(script: str) -> None:
    installed = importlib.util.find_spec("magenta")
    if installed is None or installed.origin is None:
        pytest.skip("magenta is not installed")
    source = (Path(installed.origin).parent.parent / MAGENTAS_SCRIPTS[script]).read_text(encoding="utf-8")
    flags = set(re.findall(r"DEFINE_\w+\(\s*'(\w+)'", source))
    page = (ROOT / "docs" / "how-to" / "from-magenta.md").read_text(encoding="utf-8")
    section = page.partition(f"\n### {script}\n")[2].partition("\n#")[0]
    named = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in re.findall(r"^\|.*", section, re.M)[2:])))
    assert len(flags) >= 4
    assert named == flags


def test_the_changelog_counts_the_configs() -> None:
    text = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    assert f"{len(DRUMS)} drum configs" in text
    assert f"{sum(bool(config.magenta) for config in OURS)} configs of Magenta's other systems" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_blank_line_splits_a_table(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    assert _rows_outside_tables(text) == []


def test_a_split_table_would_be_found() -> None:
    table = "| a | b |\n| --- | :-: |\n| 1 | 2 |\n"
    assert _rows_outside_tables(f"{table}\n{table}") == []
    assert _rows_outside_tables(f"{table}\n| 3 | 4 |\n| 5 | 6 |\n") == ["| 3 | 4 |"]


def _rows_outside_tables(text: str) -> list[str]:
    """Table rows after a blank line that no line of dashes follows: Markdown shows them as plain text."""
    lines = ["", *text.splitlines(), ""]
    return [
        line
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if line.startswith("|") and not before.strip() and not re.fullmatch(r"\|(?: *:?-+:? *\|)+", after.strip())
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nothing_is_left_to_fill_in(page: Path) -> None:
    assert sorted(set(re.findall(r"@@\w*(?:@@)?", page.read_text(encoding="utf-8")))) == []
