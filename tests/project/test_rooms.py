"""The rooms of the package: imports point one way, and only one room imports Magenta and TensorFlow."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "pipeline" / "gmd_vae"

# From the ground up: a module may import from its own place and from the places before it. A place is a room, a
# sub-room or a single module; the longest name that fits a module counts.
ORDER = (
    *("common", "engines", "datasets", "datasets.starter"),
    *(
        "midi.tfrecord",
        "midi.note_sequence_schema",
        "midi.note_sequence",
        "midi.refusals",
        "midi.reading",
        "midi.reader",
        "midi.fallback",
        "midi",
    ),
    # the names of the families and their interface, which every room may ask; then the configs
    *("families", "configuration"),
    *("families.output_spec", "families.groove_columns", "families.parameters", "families.music"),
    "magenta",
    *("windows.extraction", "windows.storage.records", "windows.notes_input", "windows.cutting", "windows.storage"),
    *("windows.summary", "windows.stock", "windows"),
    "inspection",
    *("models.label_vectors", "models.accelerated", "models.forward", "models", "models.inference"),
    *("training.examples", "training.history", "training.run", "training.augmentation", "training", "training.cluster"),
    *("evaluation.settings", "evaluation.figures", "evaluation.data", "evaluation.model"),
    *("evaluation.metrics", "evaluation.latent", "evaluation.likelihood", "evaluation.json_form"),
    *("evaluation.result", "evaluation.measure", "evaluation.key_figures", "evaluation.seeds"),
    *("evaluation.tables", "evaluation.plots"),
    "evaluation",
    *("generation.request", "generation.model", "generation.inputs", "generation.latent", "generation.performance"),
    *("generation.decoded", "generation"),
    *("rendering", "rendering.web", "rendering.report", "rendering.studio"),
    *("export", "api"),
    # the families themselves: they use all rooms, and no room imports them (``families.family_of`` loads them by name)
    *("families.magenta_family", "families.drum_labels", "families.nade_drums", "families.streams"),
    *("families.multitrack", "families.groovae"),
    "commands",
)
ROOMS = {name.partition(".")[0] for name in ORDER}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] in ROOMS)
HEAVY = {"magenta", "tensorflow", "tf_keras", "tf_slim", "tensorflow_probability"}


def dotted(module: Path) -> str:
    """The name of a module within the package: ``windows.preprocess``; of a package without ``__init__``."""
    return ".".join(module.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


@functools.cache  # two tests ask for each module
def imported(module: Path) -> frozenset[str]:
    """The dotted names that a module imports, anywhere in it but under TYPE_CHECKING."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []  # types alone make no dependency
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(names)


def place_of(name: str) -> int:
    """The place of a module in ``ORDER``."""
    fitting = [place for place in ORDER if name == place or name.startswith(f"{place}.")]
    assert fitting, f"{name} has no place"
    return ORDER.index(max(fitting, key=len))


def test_every_folder_is_a_room_with_a_place() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == ROOMS


def test_every_place_is_there() -> None:
    for place in ORDER:
        path = PACKAGE / place.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), place


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_a_module_imports_from_the_places_before_it(module: Path) -> None:
    place = place_of(dotted(module))
    for name in imported(module):
        package, _, rest = name.partition(".")
        if package == "gmd_vae" and rest.partition(".")[0] in ROOMS:
            assert place_of(rest) <= place, f"{name} lies behind {ORDER[place]}"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_only_the_magenta_room_imports_magenta_and_tensorflow(module: Path) -> None:
    found = {name.split(".")[0] for name in imported(module)} & HEAVY
    assert not found or module.is_relative_to(PACKAGE / "magenta")


@pytest.mark.parametrize("folder", sorted({module.parent for module in MODULES}), ids=dotted)
def test_every_room_says_what_is_in_it(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert text


def compares_the_name_of_a_family(code: str) -> bool:
    """True if code compares a ``family`` attribute with a text: a question that ``families.Family`` is to answer."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            names = any(isinstance(side, ast.Attribute) and side.attr == "family" for side in sides)
            texts = any(isinstance(part, ast.Constant) for side in sides for part in ast.walk(side))
            if names and texts:
                return True
    return False


def test_no_room_tests_for_the_name_of_a_family() -> None:
    assert compares_the_name_of_a_family("if config.family == 'streams': pass")
    assert compares_the_name_of_a_family("x = other.config.family not in ('streams', 'groovae')")
    assert not compares_the_name_of_a_family("x = other.family != config.family")
    found = [dotted(module) for module in MODULES if compares_the_name_of_a_family(module.read_text(encoding="utf-8"))]
    assert found == []
