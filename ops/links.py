"""Links between parents and children without the web pages: `python -m ops.links add|list|show|change|end`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from include.crypto.backend import open_cipher
from include.errors import BadRequest, IngestError
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.links import Link, Links, LinkStatus
from include.store.backend import open_store
from include.store.store import Store
from ops.installation import installed_settings
from ops.link_choices import chosen, told

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who is whose child, and by which names.")

Parent = Annotated[int, typer.Option(help="Strava's id of the athlete whose activities are copied.")]
Child = Annotated[int, typer.Option(help="Strava's id of the athlete who gets the copies.")]
Choices = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="CHOICE=VALUE", help="As `show` tells them: trim_m=200, power=no, …"),
]


def link(
    settings: Settings, parent_id: int, child_id: int, names: tuple[str, ...], choices: Sequence[str] = ()
) -> Link:
    """Link a child to a parent by these names; linking again replaces the names and takes up an ended link.

    Both have to be connected: the operator answers for their consent, and its time is noted.
    Errors: `BadRequest` for an athlete who is not connected, for a link to oneself, or for what cannot be chosen.
    """
    now = int(time.time())
    if parent_id == child_id:
        raise BadRequest("A link needs two athletes: --parent and --child are the same.")
    with _store(settings) as store:
        athletes, links = Athletes(store, open_cipher(settings.key_url), time.time), Links(store, time.time)
        for athlete_id in (parent_id, child_id):
            if athletes.get(athlete_id) is None:
                raise BadRequest(f"Athlete {athlete_id} is not connected: have them connect at {settings.public_url}/.")
        present = links.get(parent_id, child_id) or Link(parent_id, child_id, names, starts_at_epoch_s=0)
        agreed = replace(
            present,
            names=names,
            parent_consent_epoch_s=present.parent_consent_epoch_s or now,
            child_consent_epoch_s=present.child_consent_epoch_s or now,
            status=LinkStatus.ACTIVE,
        )
        return links.save(chosen(agreed, choices))


@app.command()
def add(
    parent: Parent,
    child: Child,
    name: Annotated[list[str], typer.Option(help="A name or alias that means the child in a title; repeatable.")],
    choices: Choices = None,
) -> None:
    """Link a child to a parent; say it only with the consent of both."""
    linked = link(installed_settings(), parent, child, tuple(name), choices or ())
    print(f"Activities of {parent} whose title names {' or '.join(linked.names)} are copied to {child}.")


@app.command()
def change(
    parent: Parent,
    child: Child,
    name: Annotated[list[str] | None, typer.Option(help="In place of the present names; repeatable.")] = None,
    choices: Choices = None,
) -> None:
    """Change names or choices, for the copies made from now on; what is not said stays as it is."""
    with _store(installed_settings()) as store:
        links = Links(store, time.time)
        present = _present(links, parent, child)
        links.save(chosen(replace(present, names=tuple(name or present.names)), choices or ()))
    print(f"The link from {parent} to {child} is changed.")


@app.command("list")
def show_all() -> None:
    """List every link."""
    table = Table("parent", "child", "names", "status")
    settings = installed_settings()
    with _store(settings) as store:
        for athlete in Athletes(store, open_cipher(settings.key_url), time.time).all():
            for each in Links(store, time.time).of_parent(athlete.athlete_id):
                table.add_row(str(each.parent_id), str(each.child_id), ", ".join(each.names), each.status)
    Console().print(table)


@app.command()
def show(parent: Parent, child: Child) -> None:
    """Tell what one link is and carries."""
    table = Table("choice", "value", title=f"{parent} to {child}")
    with _store(installed_settings()) as store:
        present = _present(Links(store, time.time), parent, child)
    for choice, value in {"names": ", ".join(present.names), "status": present.status, **told(present)}.items():
        table.add_row(choice, value)
    Console().print(table)


@app.command()
def end(parent: Parent, child: Child) -> None:
    """End a link: no further copy is made; those that exist stay."""
    with _store(installed_settings()) as store:
        links = Links(store, time.time)
        links.save(replace(_present(links, parent, child), status=LinkStatus.ENDED))
    print(f"The link from {parent} to {child} has ended.")


def _present(links: Links, parent_id: int, child_id: int) -> Link:
    present = links.get(parent_id, child_id)
    if present is None:
        raise BadRequest(f"There is no link from {parent_id} to {child_id}; `make links ARGS=list` shows all.")
    return present


def _store(settings: Settings) -> closing[Store]:
    return closing(open_store(settings.state_url, time.time))


if __name__ == "__main__":
    try:
        app()
    except IngestError as error:
        sys.exit(str(error))
