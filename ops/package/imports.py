"""The files and packages that a Python file needs, found by following its imports through their sources.

grimp, which checks who may import whom, cannot do this: it builds its graph from packages that Python finds, while an
archive has roots of its own, and it does not distinguish an import within a function from one at the top.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reach:
    """The files and packages that some files reach by their imports."""

    modules: frozenset[Path]
    """The files themselves and all files of the source roots that they import, directly or indirectly."""
    packages: Mapping[str, frozenset[Path]]
    """Top-level names from elsewhere, without the standard library, each with the files that import it."""


def reach(entries: Iterable[Path], roots: Sequence[Path], *, within_functions: bool = True) -> Reach:
    """Follow the imports of `entries`; `roots` are the folders that Python would have on its path for them.

    Imports for type checkers do not count, nor, without `within_functions`, imports within functions.
    """
    modules: set[Path] = set()
    packages: defaultdict[str, set[Path]] = defaultdict(set)
    waiting = list(entries)
    while waiting:
        file = waiting.pop()
        if file in modules:
            continue
        modules.add(file)
        for name in _imported(file, within_functions):
            found = list(_files(name, roots))
            waiting.extend(found)
            top = name.partition(".")[0]
            if not found and top not in sys.stdlib_module_names:
                packages[top].add(file)
    return Reach(frozenset(modules), {name: frozenset(files) for name, files in packages.items()})


@cache
def _imported(file: Path, within_functions: bool) -> frozenset[str]:
    """Dotted names; of `from a import b` both `a` and `a.b`, because b may be a module."""
    return frozenset(_names(ast.parse(file.read_text(encoding="utf-8"), file.name), within_functions))


def _names(tree: ast.AST, within_functions: bool) -> Iterator[str]:
    for node in _run(tree, within_functions):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _run(node: ast.AST, within_functions: bool) -> Iterator[ast.AST]:
    """The node and all executed nodes below it."""
    yield node
    for child in _children(node, within_functions):
        yield from _run(child, within_functions)


def _children(node: ast.AST, within_functions: bool) -> Iterable[ast.AST]:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return node.orelse
        case ast.FunctionDef() | ast.AsyncFunctionDef() if not within_functions:
            return node.decorator_list
        case _:
            return ast.iter_child_nodes(node)


def _files(name: str, roots: Sequence[Path]) -> Iterator[Path]:
    """The files that Python runs for a dotted name: its packages' and its own; none where no root has its package."""
    parts = name.split(".")
    for root in roots:
        for length in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:length])
            yield from (file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file())
