"""Every implementation of a leaf that a setting can choose runs through the contract suite of its protocol."""

from __future__ import annotations

import ast
import re
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


def methods(class_: ast.ClassDef) -> set[str]:
    return {node.name for node in class_.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}


def implementations(protocol: str) -> set[str]:
    """The classes of `include` that have all methods of the protocol, itself and what wraps another one left out."""
    sources = (ROOT / "include").rglob("*.py")
    classes = [
        node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
    ]
    (wanted,) = (methods(each) for each in classes if each.name == protocol)
    return {each.name for each in classes if methods(each) >= wanted} - {protocol}


def played(fixture: str) -> int:
    """With how many parameters the contract suites use the fixture; a starred one is another server for a class."""
    places = [each for path in (ROOT / "tests" / "contract").rglob("*.py") for each in functions(path, fixture)]
    given = [keyword.value for place in places for decorator in place.decorator_list for keyword in decorator.keywords]
    lists = [params.elts for params in given if isinstance(params, ast.List)]
    return sum(not isinstance(param, ast.Starred) for params in lists for param in params)


LEAVES = [
    pytest.param("store", "open_store", "store_url", "Store", "STATE_URL", id="store"),
    pytest.param("queue", "open_queue", "queue_url", "Queue", "QUEUE_URL", id="queue"),
    pytest.param("crypto", "open_cipher", "cipher_url", "Cipher", "KEY_URL", id="cipher"),
    pytest.param("lake", "open_objects", "lake_url", "ObjectStore", "LAKE_URL", id="objects"),
    pytest.param("lake", "open_catalog", "place", "Catalog", "CATALOG_URL", id="catalogue"),
    pytest.param("trigger", "open_airflow", "open_trigger", "AirflowApi", "AIRFLOW_URL", id="trigger"),
]
WRAPPERS = {"NotedObjects"}
"""What no setting chooses: it stands before an implementation and adds to it."""


@pytest.mark.parametrize(("backend", "name", "fixture", "protocol", "setting"), LEAVES)
def test_contract_suite_plays_every_implementation_that_a_setting_can_choose(
    backend, name, fixture, protocol, setting
) -> None:
    classes = opened(backend, name)

    assert len(classes) >= 2
    assert played(fixture) == len(classes), (
        f"{name} in include/{backend}/backend.py returns {sorted(classes)}, the fixture {fixture} in tests/contract "
        f"has {played(fixture)} parameters: give each class a return there and a parameter here"
    )


@pytest.mark.parametrize(("backend", "name", "fixture", "protocol", "setting"), LEAVES)
def test_every_implementation_can_be_chosen_and_is_documented(backend, name, fixture, protocol, setting) -> None:
    classes = implementations(protocol) - WRAPPERS
    assert opened(backend, name) == classes, (
        f"give each class a scheme in {name} of include/{backend}/backend.py, and define each method of {protocol} in "
        "its own body, where this test looks for them"
    )

    (row,) = re.findall(rf"^\| [^|]+ \| `{setting}` \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = re.split(r" \| |, ", row)
    assert len(named) == len(classes), f"name each of {sorted(classes)} in the table of leaves of README.md"

    (function,) = functions(ROOT / "include" / backend / "backend.py", name)
    shown = set(re.findall(r"`([a-z0-9+]+)://", ast.get_docstring(function) or ""))
    assert len(shown) >= len(classes), f"name the scheme of each of {sorted(classes)} in the docstring of {name}"
    settings = (ROOT / "docs" / "settings.md").read_text()
    (described,) = re.findall(rf"^## {setting}\n(.*?)(?=\n## |\Z)", settings, re.MULTILINE | re.DOTALL)
    missing = {scheme for scheme in shown if f"{scheme}://" not in described}
    assert missing == set(), f"name these in the docstring of {setting} in include/settings.py, then `make docs`"
