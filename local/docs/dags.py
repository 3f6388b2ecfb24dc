"""`docs/dags.md`: the docstrings of the DAGs, a section for each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.docs.markdown import item, paragraph, table
from ops.repository import REPOSITORY

_HEAD = """# DAGs

Made by `make docs` from the docstrings in `dags/`, which Airflow shows too. Change those, not this page.
"""
_SECTION = re.compile(r"^\*\*(?P<heading>[^*]+)\*\*: ", re.MULTILINE)
_SHOWN = ("Starts", "Reads", "Writes", "Kind", "Limits", "If it fails")


@dataclass(frozen=True, slots=True)
class DagDocs:
    """A DAG's docstring: its summary, and its sections by heading."""

    dag_id: str
    does: str
    sections: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> DagDocs:
        """The docstring of the DAG file at `path`, whose name is the DAG's id; nothing is imported.

        Errors: `LookupError` for a docstring that lacks a section of the page.
        """
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        _title, _, rest = text.partition("\n")
        does, *parts = _SECTION.split(rest)
        sections = dict(zip(parts[::2], parts[1::2], strict=True))
        if lacking := [f"**{heading}**: " for heading in _SHOWN if heading not in sections]:
            raise LookupError(f"Begin a line of the docstring of dags/{path.name} with each of {lacking}.")
        return cls(path.stem, does.strip(), sections)


def render(folder: Path = REPOSITORY / "dags") -> str:
    """The page about the DAG files in `folder`."""
    dags = [DagDocs.read(path) for path in sorted(folder.glob("*.py"))]
    contents = table(("DAG", "kind"), [(f"[`{dag.dag_id}`](#{dag.dag_id})", _kind(dag)) for dag in dags])
    return "\n".join([_HEAD, contents, *("\n".join(_section(dag)) for dag in dags)]) + "\n"


def _kind(dag: DagDocs) -> str:
    """The first word of the section: `now` or `interval`."""
    return dag.sections["Kind"].partition(".")[0]


def _section(dag: DagDocs) -> Iterator[str]:
    yield f"\n## {dag.dag_id}\n"
    yield paragraph(f"{dag.does} Its file: [`dags/{dag.dag_id}.py`](../dags/{dag.dag_id}.py).")
    yield ""
    for heading in _SHOWN:
        yield item(f"**{heading}**: {dag.sections[heading]}")
