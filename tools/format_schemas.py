"""Writes the JSON schemas of the file formats from the types that read the files.

Usage: python tools/format_schemas.py [FOLDER]
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from pathlib import Path
from typing import Any, Union

import msgspec
from gmd_vae.common import manifest
from gmd_vae.common.code_state import Code
from gmd_vae.evaluation.data.identity import Identity
from gmd_vae.evaluation.figures import JSON_KEYS
from gmd_vae.evaluation.result import Figures
from gmd_vae.evaluation.settings import Settings
from gmd_vae.generation.latent import attribute_vectors
from gmd_vae.midi import notes_manifest
from gmd_vae.models import export_manifest, model_file
from gmd_vae.training import history
from gmd_vae.training.run.run_file import RunFile
from gmd_vae.windows import notes_input
from gmd_vae.windows.storage import examples_manifest

TARGET = Path(__file__).parent.parent / "docs" / "reference" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def attributes_of(docstring: str) -> dict[str, str]:
    """Returns the descriptions in the section ``Attributes`` of a docstring, by name."""
    _, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def of_msgspec(kind: Any) -> tuple[Schema, Schema]:
    """Returns the schema of a type that ``json_formats`` reads, and its ``$defs``, with a description of each field."""
    (schema,), components = msgspec.json.schema_components([kind])
    for part in components.values():
        _describe(part, part.pop("description", ""))
    return schema, components


def _describe(part: Schema, docstring: str) -> None:
    """Gives a part of a schema the first line of a docstring, and each property its line of ``Attributes``."""
    part["title"] = part.get("title", "").removeprefix("_")
    part["description"] = docstring.partition("\n")[0]
    for name, text in attributes_of(docstring).items():
        if name in part.get("properties", {}):
            part["properties"][name]["description"] = text


def manifests() -> Schema:
    """Returns the schema of ``manifest.json``: what all stages write, and what each adds."""
    kinds = {
        notes_manifest.STAGE: notes_manifest.ConvertManifest,
        examples_manifest.STAGE: examples_manifest.ExamplesManifest,
        notes_input.STOCK_STAGE: notes_input._StockManifest,
        attribute_vectors.STAGE: attribute_vectors._AttributeManifest,
        export_manifest.STAGE: export_manifest.ExportManifest,
    }
    listed = {"type": "object", "required": ["name", "bytes", "sha256"]}
    listed["properties"] = {"name": {"type": "string"}, "bytes": {"type": "integer", "minimum": 0}, "sha256": DIGEST}
    schema: Schema = {
        "type": "object",
        "required": ["format", "stage"],
        "properties": {
            "format": {"const": manifest.FORMAT},
            "stage": {"type": "string", "description": "The command that wrote the folder."},
            "other_files": {"type": "array", "items": listed, "description": "Files that no other entry describes."},
        },
        "allOf": [],
        "$defs": {},
    }
    for stage, kind in kinds.items():
        part, definitions = of_msgspec(kind)
        schema["$defs"] |= definitions
        schema["allOf"].append({"if": {"properties": {"stage": {"const": stage}}}, "then": part})
    return schema


def run_file() -> Schema:
    """Returns the schema of ``run.json``."""
    schema, definitions = of_msgspec(RunFile)
    return {**schema, "$defs": definitions}


def metrics_line() -> Schema:
    """Returns the schema of a line of ``metrics.jsonl``, with every figure that is written required.

    The reader needs less of a line. Figures that lines of earlier versions do not have are not required.
    """
    schema, definitions = of_msgspec(history._Line)
    _, written = of_msgspec(history.Measurements)
    figures = {name: _or_null(part) for name, part in written["Measurements"]["properties"].items()}
    speed = "Training steps per second since this start."
    figures["steps_per_second"] = {"type": "number", "minimum": 0, "description": speed}
    train, validated = definitions["_TrainLine"], definitions["_ValidationLine"]
    line = train["properties"]
    train["properties"] = {**line, **figures, "step": line["step"] | figures["step"]}
    train["required"] = ["split", *figures]
    validated["required"].append("accuracy")
    _, validation = of_msgspec(history.Validation)
    for name, part in validated["properties"].items():
        described = validation["Validation"]["properties"].get(name, {})
        part |= {"description": described["description"]} if "description" in described else {}
    return {**schema, "$defs": definitions}


def _or_null(part: Schema) -> Schema:
    return {**part, "type": ["number", "null"]} if part.get("type") == "number" else part


def model_metadata() -> Schema:
    """Returns the schema of the document in the metadata of a model's ``.safetensors`` file."""
    schema, definitions = of_msgspec(model_file._Document)
    explained = attributes_of(model_file.ModelFile.__doc__ or "")
    document = definitions["_Document"]
    for name, part in document["properties"].items():
        if name in explained:
            part.setdefault("description", explained[name])
    document["properties"] |= {
        "format": {"const": model_file.FORMAT, "description": "Name of the format."},
        "version": {"const": model_file.VERSION, "description": "A file of a newer version is refused."},
        "sha256": {**DIGEST, "description": "Of the entries before it and the tensors."},
    }
    document["required"].append("sha256")
    return {**schema, "$defs": definitions}


def result() -> Schema:
    """Returns the schema of ``result.json``, by the rules of ``evaluation/json_form.py``."""
    definitions: Schema = {}
    parts = [_of_dataclass(kind, definitions) for kind in (Identity, Figures)]
    own: Schema = {
        "type": "object",
        "required": ["settings", "versions"],
        "properties": {
            "figures": {"type": "integer", "description": "Version of the figures; absent in old results."},
            "settings": _of_dataclass(Settings, definitions),
            "versions": {"type": "object", "additionalProperties": {"type": "string"}},
            "code": _of_dataclass(Code, definitions),
        },
    }
    return {"allOf": [own, *parts], "$defs": definitions}


def _of_dataclass(kind: Any, definitions: Schema) -> Schema:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = part = {"title": name, "type": "object", "properties": {}, "required": []}
        for field in dataclasses.fields(kind):
            key = JSON_KEYS.get(field.name, field.name)
            part["properties"][key] = _of_type(typing.get_type_hints(kind)[field.name], definitions)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                part["required"].append(key)
        texts = {
            key: text for base in reversed(kind.__mro__) for key, text in attributes_of(base.__doc__ or "").items()
        }
        part["description"] = (kind.__doc__ or "").partition("\n")[0]
        for field_name, text in texts.items():
            key = JSON_KEYS.get(field_name, field_name)
            if key in part["properties"]:
                part["properties"][key]["description"] = text
    return {"$ref": f"#/$defs/{name}"}


def _of_type(kind: Any, definitions: Schema) -> Schema:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of_type(part, definitions) for part in arguments]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(arguments[1], definitions)}
    if origin is tuple:
        return {"type": "array", "items": _of_type(arguments[0], definitions)}
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind, definitions)
    plain: dict[Any, Schema] = {
        float: {"type": ["number", "null"]},  # NaN is null
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        str: {"type": "string"},
        types.NoneType: {"type": "null"},
        Any: {},
    }
    return dict(plain[kind])


SCHEMAS = {
    "manifest": (manifests, "manifest.json"),
    "run": (run_file, "run.json"),
    "metrics": (metrics_line, "A line of metrics.jsonl"),
    "model": (model_metadata, "The entry gmd_vae in the metadata of a model's .safetensors file"),
    "result": (result, "result.json"),
}


def schema_of(name: str) -> Schema:
    """Returns a schema of ``SCHEMAS``. Keys without a description are allowed everywhere: readers ignore them."""
    make, title = SCHEMAS[name]
    made = json.dumps({"$schema": DRAFT, "title": title, **make()}, ensure_ascii=False)
    # names of types that are private in the code; code spans of docstrings
    return dict(json.loads(made.replace("#/$defs/_", "#/$defs/").replace('"_', '"').replace("``", "`")))


def main(folder: Path) -> None:
    """Writes one file for each format."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        text = json.dumps(schema_of(name), indent=1, ensure_ascii=False)
        (folder / f"{name}.schema.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
