"""Nothing exists that only tests call: whatever has a public name is used by some code outside of them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEFINED_IN = ("include", "webhook_api", "plugins")
USED_IN = ("include", "webhook_api", "plugins", "dags", "ops", "local")
FOR_TESTS = ROOT / "local" / "testbed"

BY_LIBRARIES = frozenset({"_BoundedReader.readinto", "EdgeApp.log_exception"})
"""What overrides a method that a library calls."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or a class with a public name, or a method."""

    module: str
    owner: str
    name: str
    line: int

    @property
    def path(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Dotted names with their sources; the helpers of tests are none of them."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.is_relative_to(FOR_TESTS):
                place = path.relative_to(ROOT / "plugins" if folder == "plugins" else ROOT).with_suffix("")
                yield ".".join(place.parts), ast.parse(path.read_text())


def definitions() -> Iterator[Definition]:
    """What a decorator registers, such as a page, is used by that."""
    for module, source in modules(*DEFINED_IN):
        for owner in ast.walk(source):
            for node in owner.body if isinstance(owner, ast.Module | ast.ClassDef) else ():
                is_registered = isinstance(node, ast.FunctionDef) and any(map(_registers, node.decorator_list))
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_" and not is_registered:
                    yield Definition(module, getattr(owner, "name", ""), node.name, node.lineno)


def _registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)


def uses() -> tuple[dict[str, set[str]], set[tuple[str, str]]]:
    """The names that each module reads, and what modules import from others, or tell a host by its dotted name."""
    read: dict[str, set[str]] = defaultdict(set)
    imported: set[tuple[str, str]] = set()
    for module, source in modules(*USED_IN):
        for node in ast.walk(source):
            if isinstance(node, ast.Name):
                read[module].add(node.id)
            elif isinstance(node, ast.Attribute):
                read[module].add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                told, _, name = node.value.rpartition(".")
                imported.add((told, name))
    for path in (ROOT / "webhook_api" / "templates").rglob("*.html"):
        read["templates"].update(re.findall(r"\.(\w+)", path.read_text()))
    return read, imported


def test_whatever_has_a_public_name_is_used_outside_the_tests() -> None:
    read, imported = uses()
    anywhere = set().union(*read.values())
    unused = [
        f"{each.module}:{each.line} {each.path}"
        for each in definitions()
        if each.path not in BY_LIBRARIES
        and each.name not in (anywhere if each.owner or _is_read_whole(each.module, imported) else read[each.module])
        and (each.module, each.name) not in imported
    ]
    assert unused == []


def _is_read_whole(module: str, imported: set[tuple[str, str]]) -> bool:
    """Whether somebody imports the module itself, so that its names are attributes there."""
    package, _, name = module.rpartition(".")
    return (package, name) in imported


def test_what_libraries_call_exists() -> None:
    assert {each.path for each in definitions()} >= BY_LIBRARIES
