"""The generated pages, pictures and inputs of Terraform, with their paths and generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from include.lake import cookbook
from local.docs import alarms, cost, dags, errors, matching, settings, states, terraform, trimming
from local.docs.lake import queries, schemas
from local.docs.walks import crash_walk, run_walk
from local.proofs import page
from local.proofs.bench import page as bench
from local.proofs.guards import page as security
from local.proofs.odd_answers import page as odd_answers
from local.proofs.scale import page as scale
from ops.repository import REPOSITORY


def _picture(name: str) -> str:
    from local.docs.charts import charts  # a second to import: only for pictures

    return charts.render(name)


PAGES: Mapping[str, Callable[[], str]] = {
    "errors": errors.render,
    "dags": dags.render,
    "settings": settings.render,
    "alarms": alarms.render,
    "cost": cost.render,
    "queries": queries.render,
    "matching": matching.render,
    "crash-walk": crash_walk.render,
    "run-walk": run_walk.render,
    "proofs": page.render,
    "security": security.render,
    "bench": bench.render,
    "odd-answers": odd_answers.render,
    "scale": scale.render,
    "trimming": trimming.render,
    "schemas": schemas.render,
    "states": states.render,
    "state-tables": terraform.state_tables,
    "lake-tables": terraform.lake_tables,
    "lake-queries": terraform.lake_queries,
    "dag-ids": terraform.dag_ids,
    **{f"images/queries/{name}": partial(_picture, name) for name in cookbook.names()},
}
"""The generator of every page, every query's picture, and every generated input of Terraform, by name."""

_INPUTS: Mapping[str, str] = {
    "state-tables": "terraform/modules/state/tables.json",
    "lake-tables": "terraform/modules/lake/tables.json",
    "lake-queries": "terraform/modules/lake/queries.json",
    "dag-ids": "terraform/modules/observability/dags.json",
}


def page_path(name: str) -> Path:
    """The path of a page."""
    ending = "svg" if name.startswith("images/") else "md"
    return REPOSITORY / _INPUTS.get(name, f"docs/{name}.{ending}")


def write(name: str) -> bool:
    """Update a page; returns whether it changed."""
    path, text = page_path(name), PAGES[name]()
    if path.is_file() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True
