"""What a message says is read back as it was written, by this version, of the one before, and by the one before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.errors import BadEvent
from include.queue.content import (
    ConfirmRemoval,
    Content,
    EraseAthlete,
    LookAgain,
    ResumeBackfill,
    StravaEvent,
    grounds_of,
    is_about_activities,
    parse,
    to_body,
)
from include.state.erasures.entry import EraseReason, ErasureGrounds
from include.strava.events import WebhookEvent

AT = 1_760_000_900.5
GROUNDS = ErasureGrounds(EraseReason.ATHLETE, 1_760_000_000)
FORM = {"athlete": 7, "from": "2026-01-01", "to": "2026-01-31", "asked_at_epoch_s": 1}
HINT = {"object_type": "activity", "object_id": 5, "aspect_type": "update", "owner_id": 7}
ABOUT_ATHLETE = {"object_type": "athlete", "object_id": 7, "aspect_type": "delete", "owner_id": 7}
STRAVAS = {"subscription_id": 120475, "event_time": 1_760_000_000}
OWN = {"subscription_id": 1, "event_time": 1_760_000_900}
QUEUED = {"received_at_epoch_s": AT}


def strava_event(**written: Any) -> StravaEvent:
    return StravaEvent(WebhookEvent.from_conf({**HINT, **STRAVAS, **written}), AT)


FORMER: dict[str, tuple[dict[str, Any], Content, str]] = {
    "an event": (
        {**HINT, **STRAVAS, "updates": {"title": "sha256:5f15070a4fa9e968"}, **QUEUED},
        strava_event(updates={"title": "Run with Rex"}),
        "5.update.1760000000.8c1fdd",
    ),
    "a deauthorisation": (
        {**ABOUT_ATHLETE, **STRAVAS, "aspect_type": "update", "updates": {"authorized": "false"}, **QUEUED},
        strava_event(object_type="athlete", object_id=7, updates={"authorized": "false"}),
        "7.update.1760000000.25d393",
    ),
    "a look": ({**HINT, **OWN, "updates": {}, **QUEUED}, LookAgain(7, 5, AT), "5.update.1760000900"),
    "a look at copies": (
        {**HINT, **OWN, "updates": {"look": "copies"}, **QUEUED},
        LookAgain(7, 5, AT, copies_only=True),
        "5.update.1760000900.012f85",
    ),
    "a removal": (
        {**HINT, **OWN, "aspect_type": "delete", "updates": {}, **QUEUED},
        ConfirmRemoval(7, 5, AT),
        "5.delete.1760000900",
    ),
    "an erasure": (
        {**ABOUT_ATHLETE, **OWN, "updates": {}, **QUEUED, "erasure": ["athlete", 1_760_000_000]},
        EraseAthlete(7, GROUNDS, AT),
        "7.delete.1760000900",
    ),
    "a backfill": (
        {
            **ABOUT_ATHLETE,
            **OWN,
            "aspect_type": "update",
            "updates": {"backfill": "sha256:71c8719c84292a89"},
            **QUEUED,
            "backfill": FORM,
        },
        ResumeBackfill(FORM, AT),
        "7.update.1760000900.e0b06c",
    ),
}
"""Bodies as the version before wrote them, what says the same now, and the id of the run that each starts."""

EACH = pytest.mark.parametrize(("former", "content", "run_id"), FORMER.values(), ids=FORMER)


@EACH
def test_body_holds_all_that_the_version_before_reads(former: dict[str, Any], content: Content, run_id: str) -> None:
    written = json.loads(to_body(content))
    del written["kind"]
    assert written == former
    assert content.event.run_id == run_id


@EACH
def test_body_is_read_back_as_what_it_was(former: dict[str, Any], content: Content, run_id: str) -> None:
    read = parse(to_body(content))
    assert type(read) is type(content)
    assert (read.queued_at_epoch_s, read.event.run_id, grounds_of(read)) == (AT, run_id, grounds_of(content))
    assert read == content or isinstance(content, StravaEvent)  # its title comes back as a digest


@EACH
def test_body_of_the_version_before_starts_the_same_run(former: dict[str, Any], content: Content, run_id: str) -> None:
    read = parse(json.dumps(former))
    assert (read.event.run_id, read.event.event_id) == (run_id, content.event.event_id)
    assert (grounds_of(read), is_about_activities(read)) == (grounds_of(content), is_about_activities(content))
    assert read.event.asks_for_copies_only == content.event.asks_for_copies_only


def test_erasure_and_backfill_of_the_version_before_are_known_as_what_they_are() -> None:
    for name in ("an erasure", "a backfill"):
        former, content, _ = FORMER[name]
        assert parse(json.dumps(former)) == content


def test_wish_of_the_version_before_that_named_no_time_was_uttered_with_its_event() -> None:
    former = {**ABOUT_ATHLETE, **OWN, "updates": {}, **QUEUED, "erasure_asked": True}
    grounds = ErasureGrounds(EraseReason.ATHLETE, 1_760_000_900)
    assert parse(json.dumps(former)) == EraseAthlete(7, grounds, AT)


def test_only_a_deauthorisation_and_an_erasure_erase() -> None:
    erasing = {name: grounds_of(content) for name, (_, content, _) in FORMER.items() if grounds_of(content)}
    deauthorised = ErasureGrounds(EraseReason.DEAUTHORISATION, 1_760_000_000)
    assert erasing == {"a deauthorisation": deauthorised, "an erasure": GROUNDS}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"kind": "whim"}, id="unknown kind"),
        pytest.param({"kind": ["look_again"]}, id="kind that is no text"),
        pytest.param({"kind": "erase_athlete"}, id="erasure without its grounds"),
        pytest.param({"kind": "resume_backfill"}, id="backfill without its form"),
        pytest.param({"erasure": ["whim", 1]}, id="grounds that there are not"),
        pytest.param({"backfill": "all"}, id="form that is none"),
    ],
)
def test_message_that_nobody_wrote_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadEvent, match="The queued message's"):
        parse(json.dumps({**HINT, **OWN, "updates": {}, **QUEUED, **changes}))
