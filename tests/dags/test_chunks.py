"""Nothing is mapped over but chunks, and chunks come from one function."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from local.proofs.scale import workloads

DAGS = Path(__file__).parents[2] / "dags"


def unchunked(source: str) -> list[str]:
    """What a DAG file expands over that is not answered by `in_chunks` alone."""
    tree = ast.parse(source)
    tasks = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    given = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr.startswith("expand"):
            values = [keyword.value for keyword in call.keywords] + list(call.args)
            found += [ast.unparse(value) for value in values if not _is_chunked(value, tasks, given)]
    return found


def _is_chunked(value, tasks, given) -> bool:
    value = given.get(value.id) if isinstance(value, ast.Name) else value
    task = tasks.get(value.func.id) if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else None
    answers = [node.value for node in ast.walk(task) if isinstance(node, ast.Return)] if task else []
    return bool(answers) and all(
        isinstance(answer, ast.Call) and isinstance(answer.func, ast.Name) and answer.func.id == "in_chunks"
        for answer in answers
    )


CHUNKED = ["strava_backfill.py", "strava_retention.py"]


@pytest.mark.parametrize(
    "path", [path for path in DAGS.glob("*.py") if path.name in CHUNKED], ids=lambda path: path.stem
)
def test_every_mapped_task_is_mapped_over_chunks_of_the_one_function(path):
    assert unchunked(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "def find():\n    return [1]\nwork.expand(key=find())",
        "def find():\n    if x:\n        return in_chunks(x, 5)\n    return x\nwork.expand(key=find())",
        "work.expand(key=[1, 2])",
        "found = other()\nwork.partial(a=1).expand_kwargs(found)",
    ],
)
def test_other_ways_to_map_are_found(source):
    assert len(unchunked(source)) == 1


@pytest.mark.parametrize(
    ("dag_id", "single", "mapped"),
    [
        pytest.param("strava_ingest", workloads.INGEST_TASKS, workloads.INGEST_TASKS_OF_A_CHUNK),
        pytest.param("strava_retention", workloads.NIGHT_TASKS, workloads.NIGHT_TASKS_OF_A_CHUNK),
        pytest.param("strava_reconcile", workloads.RECONCILE_TASKS, 0),
        pytest.param("strava_erase", workloads.ERASE_TASKS, 0),
    ],
)
def test_page_of_scale_counts_the_tasks_that_the_dags_have(dag_bag, dag_id: str, single: int, mapped: int) -> None:
    tasks = dag_bag.dags[dag_id].tasks
    of_chunks = [task for task in tasks if "chunk" in str(getattr(task, "map_index_template", "") or "")]

    assert (len(tasks) - len(of_chunks), len(of_chunks)) == (single, mapped)
