"""The command about dead letters, as an operator types it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from include.queue.backend import open_queue
from include.queue.content import Content, EraseAthlete, StravaEvent, to_body
from include.queue.content import parse as parse_content
from include.queue.queue import Message, Queue
from include.queue.sqlite import SqliteQueue
from include.setting_values import EXAMPLES
from include.state.erasures.entry import EraseReason, ErasureGrounds
from include.strava.events import WebhookEvent
from local.testbed.manual_clock import ManualClock
from ops import dead_letters
from ops.dead_letters import DeadLetter
from ops.installation import Installation

Run = Callable[..., Result]
NOW = 1_760_000_000.0


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return open_queue(f"sqlite://{tmp_path}/state.sqlite", time.time, keep_days=28)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    installation = Installation("a test", {**EXAMPLES, "QUEUE_URL": f"sqlite://{tmp_path}/state.sqlite"})
    monkeypatch.setattr(dead_letters, "chosen", lambda *_: installation)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(dead_letters.app, arguments)


def event(object_id: int) -> WebhookEvent:
    return WebhookEvent("activity", object_id, "update", 71, 9, 1_516_126_040, {"title": "Run with Rex"})


def bury(queue: Queue, *bodies: str) -> list[str]:
    ids = [queue.send(body) for body in bodies]
    for message in queue.receive(100, visibility_s=30):
        queue.bury(message, "Invalid input for param events:\n  \x1b[2J[] is [red]too short[/red]")
    return ids


def look_again(activity_id: int, hours_ago: float = 0.0) -> str:
    return to_body(StravaEvent(event(activity_id), time.time() - hours_ago * 3600))


def test_list_says_so_when_nothing_was_given_up(run: Run) -> None:
    result = run()

    assert (result.exit_code, result.output) == (0, "0 dead letter(s). 0 event(s) wait in the queue.\n")


def test_list_shows_id_event_age_and_reason_of_each_letter(run: Run, queue: Queue) -> None:
    first, second = bury(queue, look_again(7, hours_ago=30), "{ a body that nobody understands: hunter2")
    queue.send(look_again(8))

    result = run()

    lines = result.output.splitlines()
    assert re.match(
        rf"{first} +activity 7: update +1 d +Invalid input for param events: +\[2J\[\] is \[red\]", lines[1]
    )
    assert re.match(rf"{second} +no event +\d s", lines[2])
    assert lines[-1] == "2 dead letter(s). 1 event(s) wait in the queue."
    assert not {"hunter2", "Rex", "\x1b"} & {word for word in ("hunter2", "Rex", "\x1b") if word in result.output}


def test_one_letter_is_revived_by_the_beginning_of_its_id(run: Run, queue: Queue) -> None:
    first, second = bury(queue, look_again(7), look_again(8))

    result = run("revive", first[:12])

    assert (result.exit_code, result.output) == (0, "1 event(s) are in the queue again.\n")
    assert [letter.message_id for letter, _ in queue.dead()] == [second]
    assert [parse_content(message.body).event.object_id for message in queue.receive(9, visibility_s=1)] == [7]


def test_all_letters_are_revived_when_all_are_asked_for(run: Run, queue: Queue) -> None:
    bury(queue, *(look_again(number) for number in range(1, 13)))

    assert run("revive", "all").output == "12 event(s) are in the queue again.\n"
    assert (queue.depth(), list(queue.dead())) == (12, [])
    assert run("revive", "all").output == "0 event(s) are in the queue again.\n"


def test_dry_run_shows_what_would_be_revived_and_leaves_it(run: Run, queue: Queue) -> None:
    first, second = bury(queue, look_again(7), look_again(8))

    result = run("revive", second, "--dry-run")

    assert second in result.output
    assert first not in result.output
    assert result.output.endswith("1 dead letter(s). Dry run: these would be put back into the queue.\n")
    assert (queue.depth(), len(queue.dead())) == (0, 2)


@pytest.mark.parametrize("which", [pytest.param("unheard-of", id="none"), pytest.param("", id="several")])
def test_nothing_is_revived_and_the_error_says_what_to_do_when_the_id_is_not_clear(
    run: Run, queue: Queue, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(queue, look_again(7), look_again(8))
    result = run("revive", which)

    assert result.exit_code == 1
    assert "`make dead-letters` lists them" in str(result.exception)
    assert len(queue.dead()) == 2


@pytest.mark.parametrize(
    ("content", "about"),
    [
        pytest.param(StravaEvent(event(7), NOW - 90), "activity 7: update", id="activity"),
        pytest.param(
            EraseAthlete(71, ErasureGrounds(EraseReason.ATHLETE, 1), NOW - 90),
            "athlete 71: erase (athlete)",
            id="wish",
        ),
    ],
)
def test_letter_says_what_it_is_about_and_since_when_it_waits(content: Content, about: str) -> None:
    letter = DeadLetter.of(Message("1", "", to_body(content), NOW, 3), "because", NOW)

    assert letter == DeadLetter("1", about, 90.0, "because")


def test_letter_of_one_machine_is_forgotten_as_late_as_on_aws(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    queue = SqliteQueue(tmp_path / "queue.sqlite", clock, keep_days=28)
    bury(queue, look_again(7))
    queue.send(look_again(8))

    clock.advance(28 * 86_400 - 1)
    queue.receive(1, visibility_s=1)
    assert len(queue.dead()) == 1

    clock.advance(2)
    queue.receive(1, visibility_s=1)
    assert (list(queue.dead()), queue.depth()) == ([], 1)
    queue.close()
