"""What a use case takes is in its signature: no more than it touches; that it is no less is mypy's to say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import include
from include.pipeline import uses

ROOT = Path(include.__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
    for folder in ("include/pipeline", "include/linking")
    for path in (ROOT / folder).rglob("*.py")
    if path.stem not in {"__init__", "services", "uses"}
}
GROUPS = {"state", "lake", "strava", "queue", "wait"}


def names_services(node):
    """Whether the expression is what a use case was given."""
    return getattr(node, "id", getattr(node, "attr", "")).lstrip("_") == "services"


def declared(definition):
    """The protocol by which a function or a class says what it takes; None where it takes none."""
    for node in ast.walk(definition):
        if isinstance(node, ast.arg | ast.AnnAssign) and getattr(node.annotation, "id", "").startswith("Uses"):
            return node.annotation.id
    return None


def groups_of(protocol):
    return {name for name in GROUPS if hasattr(getattr(uses, protocol), name)}


def imported(tree):
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


TAKERS = {
    (module, definition.name): (definition, protocol)
    for module, tree in MODULES.items()
    for definition in tree.body
    if isinstance(definition, ast.FunctionDef | ast.ClassDef) and (protocol := declared(definition))
}


def touched(module, definition):
    """The groups that the definition reaches for, and those that what it hands its services to says it takes."""
    known = imported(MODULES[module])
    found = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Attribute) and names_services(node.value):
            found.add(node.attr)
        if isinstance(node, ast.Call) and any(
            map(names_services, [*node.args, *(each.value for each in node.keywords)])
        ):
            for called in (node.func, *node.args):
                name = getattr(called, "id", "")
                taker = TAKERS.get((module, name)) or TAKERS.get(known.get(name))
                found |= groups_of(taker[1]) if taker else set()
    return found & GROUPS


@pytest.mark.parametrize(("module", "name"), TAKERS)
def test_use_case_takes_no_more_than_it_touches(module, name):
    definition, protocol = TAKERS[module, name]
    assert groups_of(protocol) == touched(module, definition)


def test_takers_are_found():
    assert len(TAKERS) > 100


def test_only_the_wiring_names_all_services():
    naming = {
        module for module, tree in MODULES.items() if "Services" in {getattr(node, "id", "") for node in ast.walk(tree)}
    }
    assert naming == set()
