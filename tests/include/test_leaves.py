"""Every implementation of a leaf that a setting can choose runs through the contract suite of its protocol."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def functions(path: Path, name: str) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]


def opened(backend: str, name: str) -> set[str]:
    """The classes of which the function returns one."""
    (function,) = functions(ROOT / "include" / backend / "backend.py", name)
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    calls = [value for value in values if isinstance(value, ast.Call) and isinstance(value.func, ast.Name)]
    unread = [ast.unparse(value) for value in values if value not in calls]
    assert not unread, f"in {name} write `return Class(…)` for each class, which is all this test reads, not {unread}"
    return {call.func.id for call in calls}


def played(fixture: str) -> int:
    """With how many parameters the contract suites use the fixture."""
    places = [each for path in (ROOT / "tests" / "contract").rglob("*.py") for each in functions(path, fixture)]
    given = [keyword.value for place in places for decorator in place.decorator_list for keyword in decorator.keywords]
    return sum(len(params.elts) for params in given if isinstance(params, ast.List))


@pytest.mark.parametrize(
    ("backend", "name", "fixture"),
    [
        pytest.param("store", "open_store", "store_url", id="store"),
        pytest.param("queue", "open_queue", "queue_url", id="queue"),
        pytest.param("crypto", "open_cipher", "cipher_url", id="cipher"),
        pytest.param("lake", "open_objects", "lake_url", id="objects"),
        pytest.param("lake", "open_catalog", "place", id="catalogue"),
        pytest.param("trigger", "open_airflow", "open_trigger", id="trigger"),
    ],
)
def test_contract_suite_plays_every_implementation_that_a_setting_can_choose(backend, name, fixture) -> None:
    classes = opened(backend, name)

    assert len(classes) >= 2
    assert played(fixture) == len(classes), (
        f"{name} in include/{backend}/backend.py returns {sorted(classes)}, the fixture {fixture} in tests/contract "
        f"has {played(fixture)} parameters: give each class a return there and a parameter here"
    )
