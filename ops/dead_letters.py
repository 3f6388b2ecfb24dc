"""Lists the dead letters and their reasons, and revives them: `python -m ops.dead_letters`, or `… revive <id>|all`."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.table import Table

from include.errors import BadEvent, BadRequest
from include.queue.backend import open_queue
from include.queue.content import grounds_of
from include.queue.content import parse as parse_content
from include.queue.queue import Message, Queue
from include.settings import DispatcherSettings
from ops.command import run
from ops.installation import WHICH, chosen

ALL = "all"
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3600, 60

app = typer.Typer(add_completion=False, help="Events that were given up: lists them with their reasons.", epilog=WHICH)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it is shown to an operator; a body that cannot be parsed is not shown."""

    message_id: str
    about: str
    age_s: float
    reason: str

    @classmethod
    def of(cls, message: Message, reason: str, now_epoch_s: float) -> Self:
        """The letter; its age counts from the arrival of the event, or from the sending of the message."""
        try:
            content = parse_content(message.body)
        except BadEvent:
            about, since_epoch_s = "no event", message.sent_at_epoch_s
        else:
            event, since_epoch_s = content.event, content.queued_at_epoch_s
            about = f"{event.object_type} {event.object_id}: {event.aspect_type}"
            if grounds := grounds_of(content):
                about = f"athlete {event.owner_id}: erase ({grounds.reason})"
        return cls(message.message_id, about, max(0.0, now_epoch_s - since_epoch_s), _one_line(reason))


def dead_letters(queue: Queue, now_epoch_s: float) -> Sequence[DeadLetter]:
    """All of the queue's dead letters, oldest first."""
    return [DeadLetter.of(message, reason, now_epoch_s) for message, reason in queue.dead()]


def picked(letters: Sequence[DeadLetter], which: str) -> Sequence[DeadLetter]:
    """All letters, or the one whose id begins with `which`. Errors: `BadRequest` when none does, or several do."""
    if which == ALL:
        return letters
    found = [letter for letter in letters if letter.message_id.startswith(which)]
    if len(found) != 1:
        raise BadRequest(
            f"{len(found)} dead letters have an id that begins with {which!r}: `make dead-letters` lists them."
        )
    return found


@app.callback(invoke_without_command=True)
def _list(context: typer.Context) -> None:
    """List the events that were given up, with their ages and reasons."""
    if context.invoked_subcommand is None:
        queue = _queue()
        _show(dead_letters(queue, time.time()), f"{queue.depth()} event(s) wait in the queue.")


@app.command()
def revive(
    which: Annotated[str, typer.Argument(metavar="ID|all", help="The letter's id or how it begins, or `all`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be revived.")] = False,
) -> None:
    """Put dead letters back into the queue, after the cause in their reasons is fixed."""
    queue = _queue("" if dry_run else "puts dead letters back into the queue")
    letters = picked(dead_letters(queue, time.time()), which)
    if dry_run:
        _show(letters, "Dry run: these would be put back into the queue.")
        return
    ids: Collection[str] = {letter.message_id for letter in letters}
    count = queue.revive(ids)
    print(f"{count} event(s) are in the queue again." + (_MISSED if count < len(ids) else ""))


_MISSED = " Some were revived by somebody else, or were hidden: `make dead-letters` shows the remaining ones."


def _queue(effect: str = "") -> Queue:
    settings = DispatcherSettings.from_environ(chosen(effect).variables)
    return open_queue(settings.queue_url, time.time, keep_days=int(settings.messages_keep_days))


def _show(letters: Sequence[DeadLetter], note: str) -> None:
    if letters:
        table = Table("id", "event", "age", "reason", box=None, pad_edge=False)
        for letter in letters:
            table.add_row(letter.message_id, letter.about, _age(letter.age_s), letter.reason)
        Console().print(table, markup=False)
    print(f"{len(letters)} dead letter(s). {note}")


def _age(age_s: float) -> str:
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if age_s >= unit_s:
            return f"{age_s / unit_s:.0f} {unit}"
    return f"{age_s:.0f} s"


def _one_line(text: str) -> str:
    """External text without control characters of the terminal."""
    return "".join(char if char.isprintable() else " " for char in " ".join(text.split()))


if __name__ == "__main__":
    run(app)
