"""Changes the secrets of an installation: `python -m ops.secrets show|renew|drop`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table

from include.errors import BadRequest
from include.secret import SECRET_ID
from ops import command
from ops.installation import ENV, WHICH, check_secret, chosen, named_root
from ops.machine.environment import read_overrides
from ops.machine.generated_secrets import new_value
from ops.machine.state_dir import StateDir
from ops.repository import REPOSITORY
from ops.secrets.places import InSecretsManager, OnThisMachine, Place


@dataclass(frozen=True, slots=True)
class Change:
    """How one secret is changed."""

    next_step: str
    """The operator's next step, in words, when the new value is in force."""
    shown_by: str = ""
    """Who shows a new value, which the operator enters; empty where this command generates it."""
    overlaps: bool = False
    """Whether the previous value is accepted beside the new one until it is dropped."""


CHANGES: Mapping[str, Change] = {
    "COOKIE_KEY": Change(
        'Nobody is signed out. After 30 days: `make secrets ARGS="drop COOKIE_KEY"`; to sign everybody out, at once.',
        overlaps=True,
    ),
    "WEBHOOK_PATH_SECRET": Change(
        "Then `make subscription ARGS=create`, by which Strava sends events to the new path, and "
        '`make secrets ARGS="drop WEBHOOK_PATH_SECRET"`.',
        overlaps=True,
    ),
    "WEBHOOK_VERIFY_TOKEN": Change("Nothing: Strava repeats it only when a subscription is created."),
    "STRAVA_CLIENT_SECRET": Change("Nothing: calls that Strava refused meanwhile are repeated.", shown_by="Strava"),
    "WEBHOOK_SIGNING_KEY": Change("Nothing: Strava sends again what was refused meanwhile.", shown_by="Strava"),
    "MAIL_PASSWORD": Change("Nothing: mails that were refused meanwhile are sent.", shown_by="the mail server"),
    "AIRFLOW_PASSWORD": Change("Nothing: the dispatcher and Airflow get it together."),
    "AIRFLOW_ADMIN_PASSWORD": Change("`make up` prints the new login."),
    "AIRFLOW_JWT_SECRET": Change("Nothing: Airflow's pages ask everybody to sign in again."),
    "AIRFLOW_API_SECRET": Change("Nothing: Airflow's pages ask everybody to sign in again."),
}
"""Every secret that this command changes; `docs/secrets.md` names the others too."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The installation's secrets; no value is ever shown.", epilog=WHICH
)


@app.command()
def show() -> None:
    """List the secrets that are kept, and of which two values are accepted."""
    kept = _place().values()
    table = Table("secret", "values accepted", "")
    for name in (name for name in CHANGES if name in kept):
        count = len(kept[name].split()) if CHANGES[name].overlaps else 1
        hint = _on_same(f'drop the older one: make secrets ARGS="drop {name}"') if count > 1 else ""
        table.add_row(name, str(count), hint)
    Console().print(table)


@app.command()
def renew(name: str) -> None:
    """Give a secret a new value: a generated one, or the one that somebody else shows, which you are asked for."""
    change, place = _change(name), _place(f"renews {name}")
    place.check(name)
    before = place.values().get(name)
    if not change.shown_by and before is None:
        raise BadRequest(f"This installation keeps no {name}: there is nothing to change.")
    value = _asked(name, change.shown_by) if change.shown_by else new_value(name.lower())
    place.replace(name, " ".join([value, *(before or "").split()[:1]]) if change.overlaps else value)
    print(f"{name} has a new value: it is in force {place.in_force}. {_on_same(change.next_step)}")


@app.command()
def drop(name: str) -> None:
    """Accept only the newest value of a secret of which two are accepted."""
    change, place = _change(name), _place(f"drops the older value of {name}")
    place.check(name)
    values = place.values().get(name, "").split()
    if not change.overlaps or len(values) < 2:
        print(f"Of {name} only one value is accepted: there is nothing to drop.")
        return
    place.replace(name, values[0])
    print(f"The older value of {name} is dropped: it is refused {place.in_force}.")


def _change(name: str) -> Change:
    if name not in CHANGES:
        raise BadRequest(f"{name} is no secret that this changes; there are {', '.join(CHANGES)}. See docs/secrets.md.")
    return CHANGES[name]


def _place(effect: str = "") -> Place:
    """Where the chosen installation keeps its secrets."""
    secret_id = chosen(effect).variables.get(SECRET_ID)
    if secret_id:
        check_secret(secret_id)
        return InSecretsManager(secret_id)
    return OnThisMachine(StateDir(named_root()), read_overrides(REPOSITORY / ".env"))


def _on_same(text: str) -> str:
    """The text, whose `make` commands then name the chosen environment."""
    environment = os.environ.get(ENV)
    return text.replace(" ARGS=", f" ENV={environment} ARGS=") if environment else text


def _asked(name: str, shown_by: str) -> str:
    value: str = typer.prompt(f"The new {name}, as {shown_by} has it", hide_input=True).strip()
    if len(value.split()) != 1:
        raise BadRequest(f"The new {name} has to be one word: copy it again.")
    return value


if __name__ == "__main__":
    command.run(app)
