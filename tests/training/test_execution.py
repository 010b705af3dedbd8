"""Training on one machine uses no cluster code: loop and graph depend on the interface `Execution` alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import gmd_vae.training
import pytest

TRAINING = Path(gmd_vae.training.__file__).parent
ONE_MACHINE = sorted(path for path in TRAINING.rglob("*.py") if "cluster" not in path.relative_to(TRAINING).parts)


@pytest.mark.parametrize("module", ONE_MACHINE, ids=lambda path: str(path.relative_to(TRAINING)))
def test_no_module_outside_the_cluster_folder_imports_it(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("gmd_vae.training.cluster")
            assert node.module != "gmd_vae.training" or "cluster" not in {alias.name for alias in node.names}


@pytest.mark.parametrize("name", ["loop.py", "graph.py"])
def test_loop_and_graph_mention_no_cluster(name: str) -> None:
    text = (TRAINING / name).read_text(encoding="utf-8")
    assert re.findall(r"\b(replicas?|servers?|cluster|tasks?|workers?|chief|ps)\b", text, re.IGNORECASE) == []


@pytest.mark.tensorflow
def test_both_executions_implement_the_interface() -> None:
    """The protocol's members, called as it declares them, are in both classes with the same parameters."""
    import inspect

    from gmd_vae.training.cluster.replica import Replica
    from gmd_vae.training.execution import Execution, SingleProcess

    members = [name for name in vars(Execution) if not name.startswith("_")]
    assert len(members) == 10
    for implementation in (SingleProcess, Replica):
        for name in members:
            declared, implemented = vars(Execution)[name], vars(implementation)[name]
            if callable(declared):
                assert list(inspect.signature(implemented).parameters) == list(inspect.signature(declared).parameters)


@pytest.mark.tensorflow
def test_a_single_process_computes_the_whole_batch() -> None:
    from gmd_vae.training.execution import SingleProcess

    process = SingleProcess()
    optimizer = object()
    assert process.rows(48) == (0, 48)
    assert process.wrap_optimizer(optimizer) is optimizer
    assert process.rng_stream == 0
