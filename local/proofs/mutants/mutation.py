"""The small changes that break a source: a comparison inverted, a bound moved, a call left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TURNED: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
_OF_CLASSES = ("frozen", "kw_only", "slots")
"""Keywords in the decorator of a class."""

_LEADING, _TRAILING = re.compile(r"[\s)]*"), re.compile(r"[\s(]*$")
"""The brackets between an operand and its operator."""

_SAID = ("log", "_log", "logging")
"""Calls on these names write logs, which no test checks."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one source file; `start` and `end` count its bytes."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    @property
    def lines(self) -> range:
        """All lines that it changes."""
        return range(self.line, self.line + self.before.count("\n") + 1)

    def applied(self, source: str) -> str:
        """The source with the change."""
        body = source.encode()
        return (body[: self.start] + self.after.encode() + body[self.end :]).decode()

    def __str__(self) -> str:
        """Its place and its change, on one line."""
        before, after = (" ".join(text.split())[:70] for text in (self.before, self.after))
        return f"{self.path}:{self.line}  {before}  →  {after}"


def mutants(path: str, source: str) -> list[Mutant]:
    """Every mutant of the source, in its order; annotations, docstrings and log lines stay unchanged."""
    return sorted(_Finder(path, source).found(), key=lambda mutant: (mutant.start, mutant.end, mutant.after))


class _Finder:
    def __init__(self, path: str, source: str) -> None:
        self._path = path
        self._body = source.encode()
        self._lines = [0]
        for line in self._body.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._tree = ast.parse(source)

    def found(self) -> Iterator[Mutant]:
        for node in self._changeable(self._tree):
            yield from self._of(node)

    def _changeable(self, node: ast.AST) -> Iterator[ast.AST]:
        """Every node except those whose change no test can or should notice."""
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "keywords") and not isinstance(node, ast.Call):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_said(child):
                    yield child
                    yield from self._changeable(child)

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.stmt):
            yield from self._of_statement(node)
        elif isinstance(node, ast.expr):
            yield from self._of_expression(node)
        elif isinstance(node, ast.keyword) and node.arg not in _OF_CLASSES and not isinstance(node.value, ast.Constant):
            yield self._instead(node.value, "None")

    def _of_expression(self, node: ast.expr) -> Iterator[Mutant]:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _TURNED:
                yield self._between(left, right, _TURNED[type(operator)])
            case ast.BoolOp(op=operator, values=[first, second, *_]):
                yield self._between(first, second, "or" if isinstance(operator, ast.And) else "and")
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                yield self._between(left, right, _OPERATORS[type(operator)])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._instead(node, self._text(operand))
            case ast.Constant(value=bool(value)):
                yield self._instead(node, str(not value))
            case ast.Constant(value=int(value)):
                yield self._instead(node, str(value + 1))
            case ast.IfExp(test=test):
                yield self._instead(test, f"(not ({self._text(test)}))")

    def _of_statement(self, node: ast.stmt) -> Iterator[Mutant]:
        match node:
            case ast.If(test=test) | ast.While(test=test):
                yield self._instead(test, f"(not ({self._text(test)}))")
            case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and not value.value):
                yield self._instead(value, "None")
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign():
                yield self._instead(node, "pass")
            case ast.Continue():
                yield self._instead(node, "break")
            case ast.Break():
                yield self._instead(node, "continue")

    def _between(self, left: ast.expr, right: ast.expr, operator: str) -> Mutant:
        """Replace the operator between two operands; brackets around either stay."""
        (start, left_end), (right_start, end) = self._span(left), self._span(right)
        middle = self._body[left_end:right_start].decode()
        closed, opened = _LEADING.match(middle)[0].count(")"), _TRAILING.search(middle)[0].count("(")  # type: ignore[index] # both match anything
        return self._change(
            start, end, f"{self._text(left)}{')' * closed} {operator} {'(' * opened}{self._text(right)}"
        )

    def _instead(self, node: ast.expr | ast.stmt, text: str) -> Mutant:
        return self._change(*self._span(node), text)

    def _change(self, start: int, end: int, text: str) -> Mutant:
        line = self._body[:start].count(b"\n") + 1
        return Mutant(self._path, line, start, end, self._body[start:end].decode(), text)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._lines[node.lineno - 1] + node.col_offset, self._lines[end_line - 1] + end_column

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._body[start:end].decode()


def _is_said(node: ast.AST) -> bool:
    """Whether the statement is a log line, a docstring, an import, or only for the type checker."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in _SAID
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False
