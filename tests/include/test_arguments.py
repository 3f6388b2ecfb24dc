"""No argument exists that only tests pass: what has a default is passed by some call outside of them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEFINED_IN = ("include", "webhook_api", "plugins")
CALLED_IN = ("include", "webhook_api", "plugins", "dags", "local", "ops")

TIME = frozenset({"clock", "sleep", "wait"})
"""What passes the time: the default is the real one, which nobody has to say."""

BY_AIRFLOW = frozenset({("StravaHook", "strava_conn_id"), ("evaluate", "context")})
"""What Airflow passes."""

BOUNDS = frozenset(
    {
        *(("SqliteQueue", "max_receives"), ("SqliteQueue", "busy_timeout_s"), ("SqliteStore", "busy_timeout_s")),
        *(("StravaSession", "deadlines_s"), ("StravaSession", "max_body_bytes")),
    }
)
"""How long or how much: tests pass less, so that they need not wait. No other argument may be added here."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument with a default, of a function or of a class."""

    owner: str
    name: str
    place: int | None
    """Its place among the positional ones, None for one that is passed by name alone."""
    where: str


@dataclass(frozen=True, slots=True)
class Call:
    """What one call passes."""

    count: int
    names: frozenset[str | None]
    """None among them for `**`."""
    is_starred: bool

    def passes(self, argument: Argument) -> bool:
        """Whether it may pass the argument."""
        by_place = argument.place is not None and self.count > argument.place
        return by_place or self.is_starred or bool(self.names & {argument.name, None})


def modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def arguments(folders: tuple[str, ...]) -> Iterator[Argument]:
    """Every argument with a default in these folders."""
    for path, module in modules(*folders):
        for parent in ast.walk(module):
            for node in getattr(parent, "body", ()) if isinstance(parent, ast.Module | ast.ClassDef) else ():
                if isinstance(node, ast.FunctionDef):
                    yield from _of(node, parent, f"{path.relative_to(ROOT)}:{node.lineno}")


def _of(node: ast.FunctionDef, parent: ast.AST, where: str) -> Iterator[Argument]:
    is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in node.decorator_list)
    skipped = 1 if isinstance(parent, ast.ClassDef) and not is_static else 0
    owner = parent.name if isinstance(parent, ast.ClassDef) and node.name == "__init__" else node.name
    placed = [*node.args.posonlyargs, *node.args.args]
    first = len(placed) - len(node.args.defaults)
    for place, each in enumerate(placed[first:], first):
        yield Argument(owner, each.arg, place - skipped, where)
    for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            yield Argument(owner, each.arg, None, where)


def calls(folders: tuple[str, ...]) -> dict[str, list[Call]]:
    """Every call in these folders, by the name that is called; that of a class counts for what it inherits from.

    `partial(f, …)` and `run(f, …)` count as calls of `f`, and so does a filter `value | f(…)` of a template.
    """
    found: dict[str, list[Call]] = defaultdict(list)
    for _, module in modules(*folders):
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                names = frozenset(keyword.arg for keyword in node.keywords)
                for skipped, called in ((0, node.func), *((1, each) for each in node.args[:1])):
                    given = node.args[skipped:]
                    is_starred = any(isinstance(each, ast.Starred) for each in given)
                    found[_name(called)].append(Call(len(given), names, is_starred))
    for _, module in modules(*folders):
        for node in ast.walk(module):
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                found[_name(base)] += found[node.name]
    for path in (ROOT / "webhook_api" / "templates").rglob("*.html"):
        for name in re.findall(r"\|\s*(\w+)\(", path.read_text()):
            found[name].append(Call(2, frozenset(), is_starred=False))
    return found


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def test_every_argument_is_passed_by_some_call_outside_the_tests() -> None:
    made = calls(CALLED_IN)
    allowed = BY_AIRFLOW | BOUNDS
    unused = [
        f"{each.where} {each.owner}({each.name})"
        for each in arguments(DEFINED_IN)
        if each.name not in TIME
        and (each.owner, each.name) not in allowed
        and not any(call.passes(each) for call in made[each.owner])
    ]
    assert unused == []


def test_what_is_allowed_exists() -> None:
    there = {(each.owner, each.name) for each in arguments(DEFINED_IN)}
    assert there >= BY_AIRFLOW | BOUNDS
