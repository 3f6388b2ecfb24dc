"""The analysts' cookbook: named queries in Athena's SQL, one file each in `queries/`.

Athena takes a file as it is, as a named query or a prepared statement. Its parameters are Athena's own question marks,
each used once and named by a comment, `? /* athlete_id */`, in the order of the header. The header consists of
comments:

    -- The question that the query answers?
    --
    -- Remarks, if it needs any.
    --
    -- parameter <name> <type> [= <default>]: <what it is>
    -- column <name> <type> [<unit>]: <what it is>

Constructs that have another meaning in DuckDB are not used: whole-number division, `UNNEST` of rows, `format`, `try`,
`date_add` of months, `reduce`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

from include.errors import BadQuery

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

FOLDER = Path(__file__).with_name("queries")
"""The folder of the queries; a file's name is the query's name."""

Value = int | float | str | date
"""A parameter's value."""


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError(text)
    return number


_READERS: Mapping[str, Callable[[str], Value]] = {
    "bigint": _whole,
    "integer": _whole,
    "double": _number,
    "varchar": str,
    "date": date.fromisoformat,
}
_EXAMPLES: Mapping[str, str] = {
    "bigint": "42",
    "integer": "42",
    "double": "0.5",
    "varchar": "Run",
    "date": "2024-05-31",
}

_PARAMETER = re.compile(r"parameter (?P<name>\w+) (?P<kind>\w+)(?: = (?P<default>\S+))?: (?P<description>.+)")
_COLUMN = re.compile(r"column (?P<name>\w+) (?P<kind>\w+)(?: \[(?P<unit>[^]]+)\])?: (?P<description>.+)")
_PLACEHOLDER = re.compile(r"\? /\* (\w+) \*/")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a query; `default` is None where there is none."""

    name: str
    kind: str
    """Athena's type: bigint, integer, double, varchar or date."""
    default: str | None
    description: str

    def read(self, text: str) -> Value:
        """The value of `text`. Errors: `BadQuery` with an example."""
        try:
            return _READERS[self.kind](text)
        except ValueError as err:
            raise BadQuery(
                f"{self.name} is {text!r}, which is not a {self.kind}; write for example {self.example}"
            ) from err

    @property
    def example(self) -> str:
        """A valid value, as `name=value`."""
        return f"{self.name}={_EXAMPLES[self.kind]}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a query's result; `unit` is empty where there is none."""

    name: str
    kind: str
    """Athena's type."""
    unit: str
    description: str


@dataclass(frozen=True, slots=True)
class CookbookQuery:
    """One named query."""

    name: str
    question: str
    remarks: str
    """Remarks on the query; often empty."""
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    text: str = field(repr=False)
    """The whole file, with question marks: Athena's named query or prepared statement."""

    @property
    def body(self) -> str:
        """The statement after the comments at the top, with or without a blank line in between."""
        return "\n".join(dropwhile(lambda line: line.startswith("--"), self.text.splitlines())).strip()

    def values(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Every parameter's value in the header's order: the given value, else the default.

        Errors: `BadQuery` for an unknown name, a value of another type, and a missing value.
        """
        unknown = sorted(given.keys() - {parameter.name for parameter in self.parameters})
        if unknown:
            names = ", ".join(parameter.name for parameter in self.parameters)
            raise BadQuery(f"{self.name} has no parameter {unknown[0]!r}; it has {names}")
        values = {}
        for parameter in self.parameters:
            text = given.get(parameter.name, parameter.default)
            if text is None:
                example = f"{parameter.name}={_EXAMPLES[parameter.kind]}"
                raise BadQuery(
                    f"{self.name} needs {parameter.name}, {parameter.description}; write for example {example}"
                )
            values[parameter.name] = parameter.read(text)
        return values

    def for_duckdb(self, given: Mapping[str, str]) -> str:
        """The statement in DuckDB's SQL, with every value as a literal. Errors: `BadQuery`."""
        return self._statement(given).sql(dialect="duckdb")

    def execution_parameters(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """The values as Athena's literals, in the order of the question marks, for `EXECUTE … USING`.

        Errors: `BadQuery`.
        """
        return tuple(map(_literal, self.values(given).values()))

    def _statement(self, given: Mapping[str, str]) -> Expr:
        from sqlglot import exp, parse_one

        parsed = parse_one(_PLACEHOLDER.sub(r":\1", self.body), read="athena")
        return exp.replace_placeholders(parsed, **self.values(given))


def names() -> list[str]:
    """The names of all queries, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def load(name: str) -> CookbookQuery:
    """The query of that name. Errors: `BadQuery` with the nearest name or all names, or with a fault of the file."""
    if name not in names():
        close = get_close_matches(name, names(), n=1)
        advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(names())}"
        raise BadQuery(f"there is no query {name!r}; {advice}")
    return parse(name, (FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> CookbookQuery:
    """The query in a file's text. Errors: `BadQuery` where header and statement disagree."""
    question, *prose = "\n".join(_header(text)).split("\n\n")
    remarks = [paragraph for paragraph in prose if not paragraph.startswith(("parameter ", "column "))]
    described = [line for paragraph in prose if paragraph not in remarks for line in paragraph.splitlines()]
    parameters = tuple(Parameter(**match.groupdict()) for match in map(_PARAMETER.fullmatch, described) if match)
    columns = tuple(
        Column(**(match.groupdict() | {"unit": match["unit"] or ""}))
        for match in map(_COLUMN.fullmatch, described)
        if match
    )
    query = CookbookQuery(
        name, " ".join(question.split()), " ".join(" ".join(remarks).split()), parameters, columns, text
    )
    _check(query, len(described))
    return query


def _literal(value: Value) -> str:
    from sqlglot import exp

    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return exp.convert(value).sql(dialect="athena")


def _header(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("--"):
            return
        yield line.removeprefix("--").strip()


def _check(query: CookbookQuery, described: int) -> None:
    used = _PLACEHOLDER.findall(query.body)
    headed = [parameter.name for parameter in query.parameters]
    if len(query.parameters) + len(query.columns) != described or not query.question or not query.columns:
        raise BadQuery(
            f"{query.name}: the header lacks its question or columns, or has other lines; after the question "
            "write `-- parameter <name> <type> [= <default>]: <what>` and `-- column <name> <type> [<unit>]: <what>`"
        )
    if used != headed or query.body.count("?") != len(used):
        raise BadQuery(
            f"{query.name}: the header has the parameters {headed}, the statement {used}; write each once, in the same "
            "order, in the statement as `? /* name */`"
        )
    for parameter in query.parameters:
        if parameter.kind not in _READERS:
            raise BadQuery(f"{query.name}: {parameter.name} is a {parameter.kind}; there are {', '.join(_READERS)}")
        if parameter.default is not None:
            parameter.read(parameter.default)
