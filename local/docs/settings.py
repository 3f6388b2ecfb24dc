"""`docs/settings.md`: every variable that configures the system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from include.settings import CHOICES, EXAMPLES, Settings
from local.docs.markdown import table
from local.stack.airflow.home import FOR_OTHERS, IN_CONNECTION

_HEAD = """# Settings

Made by `make docs` from `include/settings.py`; change that, not this page.

Each is an environment variable. `make up` derives all of them but Strava's own, and reads others from `.env`.
Airflow's Connection is `strava_api`; its `extra` holds them under the same names.
On AWS that Connection is the secret `airflow/connections/strava_api` of Secrets Manager, in JSON:
`{"conn_type": "generic", "extra": {"STRAVA_CLIENT_ID": "12345", …}}`.
The web pages' Lambda finds it by `SECRET_ID` and reads it once in each process; it goes before the environment.
"""


def render() -> str:
    """The page."""
    headings = ("variable", "needed", "secret", "default", "example", "tasks find it in")
    return f"{_HEAD}\n{table(headings, [list(_row(setting)) for setting in fields(Settings)])}\n"


def _row(setting: Field[Any]) -> Iterator[str]:
    variable = setting.name.upper()
    yield f"`{variable}`"
    yield "yes" if setting.default is MISSING else "no"
    yield "" if setting.repr else "secret"
    yield f"`{setting.default}`" if isinstance(setting.default, str) and setting.default else ""
    yield " or ".join(f"`{choice}`" for choice in CHOICES.get(variable, ())) or _example(setting)
    yield "the Connection" if variable in IN_CONNECTION else "" if variable in FOR_OTHERS else "the environment"


def _example(setting: Field[Any]) -> str:
    example = EXAMPLES[setting.name.upper()]
    return example if not setting.repr else f"`{example}`"
