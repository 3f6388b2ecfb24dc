"""A system restored to the state of a day ago: nothing is uploaded twice, nobody who was erased comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from include.circle import Position
from include.crypto.key_file import KeyFileCipher
from include.lake.query import query
from include.linking.links import end
from include.pipeline.reconcile.due import list_athletes, queue_due
from include.pipeline.retention.audit import athlete_ids, audit
from include.pipeline.subscription import end_elsewhere, subscribe
from include.state.activities.ledger import ActivityState
from include.state.consent.feed import Side
from include.state.copies.ledger import MADE_STATES
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions
from local.strava_simulator.server import serving
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.deliveries import deliver_due
from local.testbed.consent import agreed_link, authorize, open_account
from local.testbed.installation import Installation, address_of, loopback_listener, opened, simulated_strava
from local.testbed.manual_clock import ManualClock
from local.testbed.settings import settings_in
from ops.backup.__main__ import refused_athletes
from ops.backup.decisions import TakenOver
from ops.backup.restore import Restored, restore
from ops.backup.take import take
from ops.machine.state_dir import StateDir
from webhook_api.dispatcher import ERASE_DAG

pytestmark = pytest.mark.network

PAULA, REX, MIA, EVE = 71, 72, 73, 74
NOON = datetime(2026, 6, 17, 12, 2, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3_600, 86_400


@dataclass
class Scene:
    """A Strava that goes on while the system in `place` is stopped, restored and started again."""

    folder: Path
    strava: Flask
    strava_url: str
    application: Application
    clock: ManualClock
    backup: Path = field(init=False)

    def __post_init__(self) -> None:
        self.backup = self.folder / "backup"
        self.place.root.mkdir()
        (self.place.root / "strava").write_text("simulated Strava\n")

    @property
    def place(self) -> StateDir:
        return StateDir(self.folder / "state")

    @contextmanager
    def running(self) -> Iterator[Installation]:
        with loopback_listener() as pages:
            settings = settings_in(
                self.place.root, self.strava_url, application=self.application, public_url=address_of(pages)
            )
            with opened(settings, self.strava, self.strava_url, self.clock, pages, []) as system:
                end_elsewhere(system.services, settings)
                subscribe(system.services, settings)
                yield system

    def restore(self) -> Restored:
        return restore(self.place, self.backup, over=True, clock=self.clock)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    clock, application = ManualClock(NOON), Application()
    with (
        simulated_strava(":memory:", application, clock) as strava,
        loopback_listener() as listener,
        serving(strava, listener) as url,
    ):
        yield Scene(tmp_path, strava, url, application, clock)


def connect(system: Installation, *athlete_ids: int) -> None:
    for athlete_id in athlete_ids:
        open_account(system.control, athlete_id)
        system.services.state.athletes.connect(*authorize(system.control, system.services.strava.oauth, athlete_id))


def hours(system: Installation, count: int) -> None:
    """Reconcile runs each hour; at the end a night's audit looks at everyone."""
    for _ in range(count):
        system.clock.advance(HOUR_S)
        queue_due(system.services)
        list_athletes(system.services, system.settings)
        system.catch_up()
    for athlete_id in athlete_ids(system.services):
        audit(system.services, athlete_id, dry_run=False)
    system.catch_up()


def day_before(system: Installation) -> dict[str, int]:
    """Everyone connects; Paula's first activities, and Eve's."""
    connect(system, PAULA, REX, MIA, EVE)
    for child_id, name in ((REX, "Rex"), (MIA, "Mia")):
        system.services.state.links.save(agreed_link(PAULA, child_id, name))
    ids = {"copied": system.finish(PAULA, "Run with Rex"), "eves": system.finish(EVE, "Eve's run")}
    for name, title in (("later", "Ride"), ("deleted", "Hike")):
        system.clock.advance(2 * HOUR_S)
        ids[name] = system.finish(PAULA, title)
    return ids


def day_after(system: Installation, ids: dict[str, int]) -> None:
    """What the backup does not know: copies, a rename, a deletion, an erasure, the end of a link, new tokens."""
    system.clock.advance(7 * HOUR_S)
    ids["new"] = system.finish(PAULA, "Evening with Rex and Mia")
    system.rename(ids["later"], "Ride with Rex")
    system.rename(ids["copied"], "Long run with Rex")
    system.control.delete_activity(ids["deleted"])
    system.clock.advance(7 * HOUR_S)
    ids["newest"] = system.finish(PAULA, "Night run")
    end(system.services, PAULA, MIA, Side.CHILD)
    system.runs.run(ERASE_DAG, {"athlete": EVE, "reason": EraseReason.ATHLETE.value})
    system.clock.advance(10 * HOUR_S)


def account(system: Installation, athlete_id: int) -> dict[int, str]:
    """What the athlete has at Strava."""
    shown = {each: system.control.activity(each)["detail"] for each in system.control.activity_ids(athlete_id)}
    return {each: detail["name"] for each, detail in shown.items()}


def rows(system: Installation, athlete_id: int) -> dict[int, str]:
    """What the lake holds of the athlete; each activity once."""
    found = query(
        f"SELECT activity_id, name FROM activities WHERE athlete_id = {athlete_id}",  # noqa: S608 - a number
        system.settings.lake_url,
    ).to_pylist()
    assert len({row["activity_id"] for row in found}) == len(found)
    return {row["activity_id"]: row["name"] for row in found}


def mentions(scene: Scene, athlete_id: int) -> list[str]:
    """The files of the lake that belong to the athlete, apart from certificates."""
    return [str(path) for path in scene.place.lake.rglob(f"*athlete_id={athlete_id}*/**/*") if path.is_file()]


def test_system_restored_to_a_day_ago_uploads_nothing_twice_and_brings_back_nobody_who_was_erased(scene: Scene) -> None:
    with scene.running() as system:
        ids = day_before(system)
        take(scene.place, scene.backup, "test", scene.clock)  # beside the running system
        day_after(system, ids)
        copies = {child_id: account(system, child_id) for child_id in (REX, MIA)}
    assert {child_id: len(names) for child_id, names in copies.items()} == {REX: 3, MIA: 1}

    restored = scene.restore()

    assert restored.taken_over == TakenOver(erased=(EVE,), links=((PAULA, MIA),), rows=0)
    assert mentions(scene, EVE) == []
    with scene.running() as system:
        assert [one.athlete_id for one in refused_athletes(system.services)] == [PAULA, REX, MIA, EVE]
        connect(system, PAULA, REX, MIA)
        hours(system, 30)

        assert {child_id: account(system, child_id) for child_id in (REX, MIA)} == copies
        assert rows(system, PAULA) == account(system, PAULA)
        assert system.services.state.athletes.get(EVE) is None
        assert not system.services.state.links.get(PAULA, MIA).makes_copies  # type: ignore[union-attr]  # it is there
        assert mentions(scene, EVE) == []
        for athlete_id in (PAULA, REX, MIA):
            checked = audit(system.services, athlete_id, dry_run=True)
            assert (checked.unknown, checked.lost) == (0, 0)
        entries = {entry.activity_id: entry.state for entry in system.services.state.activities.of_athlete(PAULA)}
        held = {activity_id for activity_id, state in entries.items() if state is ActivityState.SYNCED}
        assert held == set(rows(system, PAULA))
        made = [copy for copy in system.services.state.copies.of_child(REX) if copy.state in MADE_STATES]
        assert {copy.child_activity_id for copy in made} == set(copies[REX])


def test_restore_without_the_newer_state_lists_who_has_to_reconnect_and_fetches_nothing_of_the_erased(
    scene: Scene,
) -> None:
    with scene.running() as system:
        day_after(system, day_before_backed_up(scene, system))
    scene.place.root.rename(scene.folder / "burnt")
    scene.place.root.mkdir()

    restored = scene.restore()

    assert (restored.taken_over, restored.aside) == (None, None)
    with scene.running() as system:
        assert {one.athlete_id for one in refused_athletes(system.services)} == {PAULA, REX, MIA, EVE}
        before = rows(system, EVE)
        hours(system, 2)
        assert rows(system, EVE) == before  # until somebody says that she was erased
        system.runs.run(ERASE_DAG, {"athlete": EVE, "reason": EraseReason.OPERATOR.value})
        assert rows(system, EVE) == {}


def day_before_backed_up(scene: Scene, system: Installation) -> dict[str, int]:
    ids = day_before(system)
    take(scene.place, scene.backup, "test", scene.clock)
    return ids


def test_event_that_was_queued_when_the_backup_was_taken_is_done_once_more_to_the_same_end(scene: Scene) -> None:
    with scene.running() as system:
        connect(system, PAULA, REX)
        system.services.state.links.save(agreed_link(PAULA, REX, "Rex"))
        start_at = datetime.fromtimestamp(scene.clock() - HOUR_S, UTC)
        system.control.generate_activity(PAULA, "run", start_at=start_at, points=20, name="Run with Rex")
        deliver(system)
        take(scene.place, scene.backup, "test", scene.clock)
        system.catch_up()
        copies: Any = account(system, REX)

    scene.restore()

    with scene.running() as system:
        system.catch_up()
        hours(system, 1)
        assert len(copies) == 1
        assert account(system, REX) == copies
        assert rows(system, PAULA) == account(system, PAULA)


def deliver(system: Installation) -> None:
    """Strava's events come into the queue, and nobody takes them out."""
    assert deliver_due(system.simulation)


def test_what_athletes_chose_or_took_back_since_the_backup_stays_as_it_was_left(scene: Scene) -> None:
    home, cottage = [Position(47.1, 8.2)], [Position(46.5, 7.9)]
    with scene.running() as system:
        connect(system, PAULA, REX)
        state = system.services.state
        for athlete_id in (PAULA, REX):
            nonce = state.mail_addresses.give(athlete_id, "rex@example.org")
            assert state.mail_addresses.confirm(athlete_id, nonce)
        withdrawn, kept = (state.invites.create(secret, PAULA, ("Rex",), CopyOptions()) for secret in ("one", "two"))
        first = state.places.circles(PAULA, 200, home)
        take(scene.place, scene.backup, "test", scene.clock)
        scene.clock.advance(HOUR_S)
        KeyFileCipher(scene.place.root / "token.key").rotate()
        state.mail_addresses.forget(REX)
        state.invites.close(withdrawn.invite_id, Side.PARENT)
        second = state.places.circles(PAULA, 200, cottage)
        series = {one.athlete_id: one.session_series for one in state.athletes.all()}

    told = restore(scene.place, scene.backup, over=True, clock=scene.clock, dry_run=True)
    restored = scene.restore()

    assert restored.taken_over == told.taken_over == TakenOver(erased=(), links=(), rows=3)
    with scene.running() as system:
        state = system.services.state
        assert [one.athlete_id for one in state.mail_addresses.confirmed()] == [PAULA]
        assert state.invites.get(withdrawn.invite_id).closing is not None  # type: ignore[union-attr]  # its row stays
        assert state.invites.get(kept.invite_id).closing is None  # type: ignore[union-attr]  # it is open
        assert state.places.circles(PAULA, 200, home + cottage) == first + second
        ended = {one.athlete_id: one.session_series for one in state.athletes.all()}
        assert ended.keys() == series.keys()
        assert not {*ended.values()} & {*series.values()}
