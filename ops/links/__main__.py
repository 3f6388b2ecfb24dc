"""Links between parents and children without the web pages: `python -m ops.links add|list|show|change|end`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from include.errors import BadRequest
from include.linking.consent import revise
from include.linking.links import agree
from include.linking.links import end as end_link
from include.pipeline.services import open_services
from include.settings import Settings
from include.state.consent.feed import Side
from include.state.links import Link
from ops.command import run
from ops.installation import WHICH, installed_settings
from ops.links.choices import choices_of, chosen

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Links between parents and children.",
    epilog=WHICH,
)

Parent = Annotated[int, typer.Option(help="Strava's id of the athlete whose activities are copied.")]
Child = Annotated[int, typer.Option(help="Strava's id of the athlete who gets the copies.")]
Choices = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="CHOICE=VALUE", help="A choice as `show` prints it: trim_m=200, power=no, …"),
]


def link(
    settings: Settings, parent_id: int, child_id: int, names: tuple[str, ...], choices: Sequence[str] = ()
) -> Link:
    """Link a child to a parent by these names; linking again replaces the names and resumes an ended link.

    Both must be connected: the operator vouches for their consent, which is dated now, and their pages say so.
    Errors: `BadRequest` for an athlete who is not connected, for a link to oneself, or for an invalid choice.
    """
    with open_services(settings) as services:
        return agree(
            services, settings, parent_id, child_id, names, lambda agreed: chosen(agreed, choices, services.clock())
        )


@app.command()
def add(
    parent: Parent,
    child: Child,
    name: Annotated[list[str], typer.Option(help="A name or alias of the child in titles; repeatable.")],
    choices: Choices = None,
) -> None:
    """Link a child to a parent; use it only with the consent of both. Later changes then need no yes of the child's."""
    linked = link(installed_settings("links a child"), parent, child, tuple(name), choices or ())
    print(f"Activities of {parent} whose title names {' or '.join(linked.names)} are copied to {child}.")


@app.command()
def change(
    parent: Parent,
    child: Child,
    name: Annotated[list[str] | None, typer.Option(help="A name that replaces the present ones; repeatable.")] = None,
    choices: Choices = None,
) -> None:
    """Change names or choices for new copies; other choices stay unchanged.

    Whatever exceeds what the child has agreed to on the pages waits there for the child's yes.
    """
    with open_services(installed_settings("changes a link")) as services:

        def revised(present: Link) -> Link:
            return chosen(replace(present, names=tuple(name or present.names)), choices or (), services.clock())

        changed = _found(revise(services, parent, child, revised, Side.OPERATOR), parent, child)
    waits = " Part of it waits for the child's yes, on the child's page." if changed.proposal else ""
    print(f"The link from {parent} to {child} is changed.{waits}")


@app.command("list")
def show_all() -> None:
    """List every link."""
    table = Table("parent", "child", "names", "status")
    with open_services(installed_settings()) as services:
        for athlete in services.state.athletes.all():
            for each in services.state.links.of_parent(athlete.athlete_id):
                table.add_row(str(each.parent_id), str(each.child_id), ", ".join(each.names), each.status)
    Console().print(table)


@app.command()
def show(parent: Parent, child: Child) -> None:
    """Show one link and its options."""
    table = Table("choice", "value", title=f"{parent} to {child}")
    with open_services(installed_settings()) as services:
        present = _found(services.state.links.get(parent, child), parent, child)
    for choice, value in {"names": ", ".join(present.names), "status": present.status, **choices_of(present)}.items():
        table.add_row(choice, value)
    Console().print(table)


@app.command()
def end(parent: Parent, child: Child) -> None:
    """End a link: no further copy is made; those that exist stay."""
    with open_services(installed_settings("ends a link")) as services:
        _found(end_link(services, parent, child, Side.OPERATOR), parent, child)
    print(f"The link from {parent} to {child} has ended.")


def _found(link: Link | None, parent_id: int, child_id: int) -> Link:
    if link is None:
        raise BadRequest(
            f"There is no active link from {parent_id} to {child_id}; `make links ARGS=list` shows all links."
        )
    return link


if __name__ == "__main__":
    run(app)
