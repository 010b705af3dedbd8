"""The schemas of the file formats: those of the code, and real files fit them."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from fixtures.models import random_model
from fixtures.results import result_json
from fixtures.tool_module import load_tool
from gmd_vae.export.write import export_model
from gmd_vae.models import bundled
from gmd_vae.models.card import Card, InitialWeights
from gmd_vae.training.history import History, Measurements, Validation
from safetensors import safe_open

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "reference" / "schemas"
OLD_RESULTS = sorted((ROOT / "tests" / "fixtures" / "results_0.8.3").glob("*.json"))
NOT_IN_OLD_LINES = {"cpu_seconds", "objective", "best_by"}  # of version 0.11 and earlier
MODELS = sorted(Path(bundled.__file__).parent.glob("*.safetensors"))


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("format_schemas")


def check(name: str, content: Any) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)


def refused(name: str, content: Any) -> bool:
    with pytest.raises(jsonschema.ValidationError):
        check(name, content)
    return True


def test_the_files_are_those_of_the_code(tool: ModuleType, tmp_path: Path) -> None:
    tool.main(tmp_path)
    written = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.iterdir()}
    assert written == {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}, "run make docs"


def test_every_field_that_is_read_is_described(tool: ModuleType) -> None:
    """Readers of a schema have no code to look at; entries of one file in a list explain themselves."""
    bare = {
        f"{name}: {title}.{key}"
        for name in tool.SCHEMAS
        for title, part in tool.schema_of(name)["$defs"].items()
        for key, field in part.get("properties", {}).items()
        if "description" not in field
    }
    assert {entry for entry in bare if not entry.startswith("manifest: ") and not entry.endswith(".split")} == set()


def test_the_manifests_of_the_data_fit(starter_notes: Path, starter_examples: Path) -> None:
    for folder in (starter_notes, starter_examples):
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        check("manifest", content)
        assert refused("manifest", {key: value for key, value in content.items() if key not in ("files", "splits")})
        assert refused("manifest", content | {"format": 99})


@pytest.mark.tensorflow
def test_the_files_of_a_run_fit(tiny_run: Path) -> None:
    content = json.loads((tiny_run / "run.json").read_text(encoding="utf-8"))
    check("run", content)
    assert refused("run", content | {"seed": -1})
    lines = [json.loads(line) for line in (tiny_run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["split"] for line in lines} == {"train", "validation"}
    for line in lines:
        check("metrics", line)
        check_line(line)


def check_line(line: dict[str, Any]) -> None:
    """Checks that the schema of ``metrics.jsonl`` describes a line: no figure more, and none less."""
    check("metrics", line)
    assert refused("metrics", line | {"split": "test"})
    assert line.keys() == _fields("metrics", f"{line['split'].title()}Line"), "a figure without a description"
    for name in line.keys() - NOT_IN_OLD_LINES:
        assert refused("metrics", {key: value for key, value in line.items() if key != name})
        assert name == "split" or refused("metrics", line | {name: "text"})


def test_the_lines_of_metrics_fit_with_every_figure(tmp_path: Path) -> None:
    """A figure that is not finite is null; a line without its figures is none."""
    path = tmp_path / "metrics.jsonl"
    with History(path, 0) as history:
        history.train(Measurements(20, 4.0, 3.5, 2.0, -4.9, 0.001, 0.03, 0.0, 1.5), 3.25)
        history.train(Measurements(40, math.nan, 3.5, 2.0, -4.9, 0.001, 0.03, 0.0, math.inf), 3.25)
        history.validation(Validation(40, 7, -4.9, 3.5, 2.0, 1.0, None, 3.6, "objective"))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["split"] for line in lines] == ["train", "train", "validation"]
    assert lines[1]["loss"] is lines[1]["gradient_norm"] is lines[2]["accuracy"] is None
    for line in lines:
        check_line(line)
    assert refused("metrics", {"split": "train", "step": 20})
    assert refused("metrics", {"split": "train"})
    assert refused("metrics", {})


def _fields(name: str, title: str) -> set[str]:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return set(schema["$defs"][title]["properties"])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_models_of_the_package_fit(path: Path) -> None:
    with safe_open(path, "numpy") as model:
        document = json.loads(model.metadata()["gmd_vae"])
    check("model", document)
    assert document.keys() <= _fields("model", "Document")
    assert refused("model", document | {"dtype": "int8"})
    assert refused("model", {key: value for key, value in document.items() if key != "card"})


def test_the_manifest_of_an_export_fits(tmp_path: Path) -> None:
    model = random_model(card=Card("tuned", began_with=(InitialWeights("base", "a" * 64),)))
    export_model(model, "magenta", tmp_path / "stock", "fp32", ())
    content = json.loads((tmp_path / "stock" / "manifest.json").read_text(encoding="utf-8"))
    check("manifest", content)
    assert refused("manifest", content | {"card": {}})


@pytest.mark.parametrize("path", OLD_RESULTS, ids=lambda path: path.stem)
def test_results_of_version_0_8_3_fit(path: Path) -> None:
    check("result", json.loads(path.read_text(encoding="utf-8")))


def test_a_result_of_this_version_fits() -> None:
    content = result_json()
    check("result", content)
    for place in ("likelihood", "reconstruction", "settings", "checkpoint"):
        broken = copy.deepcopy(content)
        del broken[place]
        assert refused("result", broken)
