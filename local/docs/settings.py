"""`docs/settings.md`: every setting, what it does, and where it is set on one machine and on AWS."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from include.setting_values import CHOICES, EXAMPLES, PATTERNS
from include.settings import DispatcherSettings, Settings
from local.docs.markdown import item, paragraph, table
from local.stack.airflow.home import FOR_OTHERS, IN_CONNECTION
from ops.machine.environment import settings_environment
from ops.machine.generated_secrets import GeneratedSecrets
from ops.machine.ports import Ports
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY

_HEAD = """# Settings

Made by `make docs` from `include/settings.py`, `ops/machine` and `terraform/modules`; change those, not this page.

Each is an environment variable.

On one machine `make up` and `make demo` set what is needed; for `make up`, values in `.env` come first (`.env.example`
lists all settings). Tasks read the five secrets from Airflow's Connection `strava_api`, not from their environment.

On AWS Terraform sets all settings that are not secret, for the functions and, in `startup.sh`, for the tasks. A person
writes the secrets into `airflow/connections/strava_api` in Secrets Manager, as JSON, which is also Airflow's
Connection: `{"conn_type": "generic", "extra": {"STRAVA_CLIENT_ID": "12345", …}}`. The function of the web pages finds
it by the variable `SECRET_ID`, reads it again every five minutes, and prefers it to its environment.
Settings that Terraform does not set have their defaults, unless the map `strava_settings` in
`terraform/environments/<name>/main.tf` sets them.
"""
_TERRAFORM = ("terraform/modules/system/main.tf", "terraform/modules/webhook_api/main.tf")
_ASSIGNED = re.compile(r"\b([A-Z_]+) *= ([^\n}]+)")
_UNUSED_ON_AWS = ("AIRFLOW_USERNAME", "AIRFLOW_PASSWORD")


def render() -> str:
    """The page."""
    texts, on_machine, on_aws = docstrings(), _on_one_machine(), _on_aws()
    settings = fields(Settings)
    if silent := [setting.name for setting in settings if setting.name not in texts]:
        raise LookupError(f"Describe {', '.join(silent)} in include/settings.py, below the field.")
    contents = table(("variable", "needed", "secret", "default"), [list(_row(setting)) for setting in settings])
    sections = (_section(setting, texts[setting.name], on_machine, on_aws) for setting in settings)
    return "\n".join([_HEAD, contents, *("\n".join(section) for section in sections)]) + "\n"


def docstrings() -> Mapping[str, str]:
    """The description of each setting, by its field's name: the text below the field."""
    texts = {}
    for kind in (DispatcherSettings, Settings):
        body = [node for each in ast.parse(inspect.getsource(kind)).body for node in ast.iter_child_nodes(each)]
        for assigned, text in pairwise(body):
            match assigned, text:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str(said))):
                    texts[name] = said
    return texts


def _row(setting: Field[Any]) -> Iterator[str]:
    variable = setting.name.upper()
    yield f"[`{variable}`](#{variable.lower()})"
    yield "yes" if setting.default is MISSING else ""
    yield "" if setting.repr else "secret"
    yield f"`{setting.default}`" if isinstance(setting.default, str) and setting.default else ""


def _section(setting: Field[Any], does: str, on_machine: Mapping[str, str], on_aws: Mapping[str, str]) -> Iterator[str]:
    variable = setting.name.upper()
    yield f"\n## {variable}\n"
    for part in inspect.cleandoc(does).split("\n\n"):
        yield paragraph(part) + "\n"
    yield item(_values(setting))
    yield item(f"One machine: {on_machine[variable]}.")
    yield item(f"AWS: {on_aws[variable]}.")


def _values(setting: Field[Any]) -> str:
    variable = setting.name.upper()
    if variable in CHOICES:
        return f"Value: {' or '.join(f'`{choice}`' for choice in CHOICES[variable])}."
    if not setting.repr:
        return f"Value: {EXAMPLES[variable]}."
    meaning = f"{PATTERNS[variable][1]}; " if variable in PATTERNS else ""
    return f"Value: {meaning}for example `{EXAMPLES[variable]}`."


def _on_one_machine() -> Mapping[str, str]:
    """Where each setting is set on one machine, in words; values are those of a first start."""
    place, secrets = StateDir(Path("/STATE_DIR")), GeneratedSecrets(**dict.fromkeys(GeneratedSecrets.__slots__, ""))
    simulated = settings_environment(place, Ports(), secrets, {})
    real = settings_environment(place, Ports(), secrets, {"STRAVA_CLIENT_ID": "12345"})
    texts = dict.fromkeys(EXAMPLES, "`.env`")
    for name, value in simulated.items():
        made = (
            f"sets `{value.replace('/STATE_DIR', '$STATE_DIR')}`" if value else "generates it for each state directory"
        )
        texts[name] = f"`make up` {made}{'' if name in real else ' while Strava is simulated'}, unless `.env` does"
    texts |= {name: f"{texts[name]}; tasks find it in the Connection" for name in IN_CONNECTION}
    return texts | {name: f"{texts[name]}; no task needs it" for name in FOR_OTHERS}


def _on_aws() -> Mapping[str, str]:
    """Where each setting is set on AWS, in words; Terraform's are read from its modules."""
    texts = dict.fromkeys(EXAMPLES, "the map `strava_settings`")
    for name, value in _ASSIGNED.findall("\n".join((REPOSITORY / path).read_text() for path in _TERRAFORM)):
        variable = re.search(r"\bvar\.([a-z_]+)", value)
        texts[name] = f"Terraform, from its variable `{variable[1]}`" if variable else "Terraform, from what it builds"
    texts |= dict.fromkeys((*IN_CONNECTION, "WEBHOOK_SIGNING_KEY"), "the secret")
    return texts | dict.fromkeys(_UNUSED_ON_AWS, "not used")
