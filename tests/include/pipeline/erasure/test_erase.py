"""Everything of an athlete goes, everything of the others stays, whatever happens meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.errors import IngestError, NotConnected, RetryLater
from include.lake.keys import gpx_key, raw_detail_key
from include.lake.objects.files import FileObjects
from include.lake.objects.objects import Condition
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.erasure import watch as erasure_watch
from include.pipeline.erasure.erase import EraseRequest, Outcome, erase
from include.pipeline.erasure.watch import look_again, sweep
from include.pipeline.ingest.sync import sync
from include.pipeline.reconcile.due import list_athletes
from include.pipeline.services import open_services
from include.settings import Settings
from include.state.accounts.athletes import AthleteStatus
from include.state.copies.ledger import Copy, CopyState, external_id
from include.state.copies.outings import Outing
from include.state.erasures.ledger import LEASE_S, EraseReason
from include.state.links import CopyOptions, Link
from include.store.sqlite import SqliteStore
from include.store.store import TABLES

pytestmark = pytest.mark.network

ANN, REX = 71, 72
THEIR_ACTIVITY = 900_001
ASKED = EraseRequest(ANN, EraseReason.ATHLETE)
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)
EVENT = EraseRequest(ANN, EraseReason.DEAUTHORISATION)
MARKS = {"erasures", "quota", "oauth_states", "subscriptions"}
"""Tables that hold nothing of an athlete but the mark of the erasure itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one installation keeps everything, and its clock."""

    settings: Settings
    now: list[float]

    def run(self, request=ASKED):
        """One run of the erasure, in services of its own as a task has them."""
        with self.services() as services:
            return erase(services, request, self.settings)

    def services(self):
        def wait(seconds):
            self.now[0] += seconds

        return open_services(self.settings, clock=lambda: self.now[0], wait=wait)

    @property
    def lake(self) -> Path:
        return Path(self.settings.lake_url.removeprefix("file://"))

    def rows_of(self, athlete_id):
        """Table and key of every row of the state that names the athlete anywhere."""
        connection = sqlite3.connect(self.settings.state_url.removeprefix("sqlite://"))
        rows = connection.execute("SELECT table_name, partition, sort, fields FROM items").fetchall()
        connection.close()
        readable = [(*row[:3], re.sub(r'"tokens": ?"[^"]*"', "", row[3])) for row in rows if row[0] not in MARKS]
        return sorted(row[:2] for row in readable if names(athlete_id, row[1:]))

    def objects_of(self, athlete_id):
        """Every object that names the athlete in its key or, in `copies`, in a row; certificates left out."""
        objects = FileObjects(self.lake)
        keys = [key for key in objects.list("") if not key.startswith("certificates/")]
        return [key for key in keys if names(athlete_id, [key]) or names(athlete_id, [self._copies(key)])]

    def _copies(self, key):
        return json.dumps(pq.read_table(self.lake / key).to_pylist(), default=str) if key.startswith("copies/") else ""

    def certificates(self):
        return [json.loads(path.read_bytes()) for path in sorted(self.lake.glob("certificates/*.json"))]


def names(athlete_id, texts):
    """Whether the id stands in one of the texts as a number of its own."""
    return any(re.search(rf"(?<!\d){athlete_id}(?!\d)", text) for text in texts)


@pytest.fixture
def place(world):
    """Ann with activities, copies both ways, invitations, events and notices; Rex beside her."""
    world.connect(REX)
    services = world.services
    for parent_id, child_id, name in ((ANN, REX, "Rex"), (REX, ANN, "Ann")):
        services.state.links.save(Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    for name in ("Walk with Rex", "Alone"):
        activity_id = world.finish(name=name)
        sync(services, world.item(activity_id), source="webhook")
        copy_to_children(services, ANN, activity_id)
        services.state.events.record(f"event-{activity_id}", athlete_id=ANN, object_id=activity_id, outcome="planned")
    services.state.copies.plan(
        Copy(THEIR_ACTIVITY, ANN, REX, CopyState.PLANNED, external_id=external_id(THEIR_ACTIVITY, ANN))
    )
    services.state.outings.claim(ANN, Outing(THEIR_ACTIVITY, int(world.now[0]), int(world.now[0]) + 60), lambda _: True)
    services.lake.copy_rows.refresh(THEIR_ACTIVITY)
    for key in (gpx_key(REX, THEIR_ACTIVITY, ANN), raw_detail_key(REX, THEIR_ACTIVITY), raw_detail_key(711, 1)):
        services.lake.objects.put(key, b"x", expected=Condition.ANYTHING)
    services.state.invites.create("ann's secret", ANN, ("Zoe",), CopyOptions())
    services.state.invites.create("rex's secret", REX, ("Ann",), CopyOptions())
    services.state.invites.accept(services.state.invites.find("rex's secret").invite_id, ANN)
    list_athletes(services)
    return Place(world.settings, world.now)


def assert_gone(place):
    assert place.rows_of(ANN) == []
    assert place.objects_of(ANN) == []
    assert not list(place.lake.rglob(f"athlete_id={ANN}"))


def test_everything_of_the_athlete_goes_and_everything_of_others_stays(world, place):
    counted = place.run(replace(OPERATOR, dry_run=True))

    erased = place.run(OPERATOR)

    assert_gone(place)
    assert erased.outcome is Outcome.ERASED
    assert erased.counts == counted.counts
    assert {kind: erased.counts.get(kind) for kind in ("activities", "copies", "links", "invites", "athletes")} == {
        "activities": 2,
        "copies": 2,
        "links": 2,
        "invites": 2,
        "athletes": 1,
    }
    assert (erased.counts["streams_rows"], erased.counts["activities_rows"], erased.counts["copies_rows"]) == (
        120,
        2,
        2,
    )
    assert {each.partition.table for each in world.services.lake.partitions.waiting()} == {"copies"}
    assert world.services.state.athletes.get(REX).status is AthleteStatus.ACTIVE
    assert set(FileObjects(place.lake).list("raw/")) == {raw_detail_key(REX, THEIR_ACTIVITY), raw_detail_key(711, 1)}
    assert [notice.kind for notice in world.services.state.notices.of_athlete(REX)] == ["child_erased", "parent_erased"]


def test_dry_run_changes_nothing(world, place):
    before = (place.rows_of(ANN), place.objects_of(ANN), world.calls())

    counted = place.run(replace(EVENT, dry_run=True))

    assert counted.outcome is Outcome.COUNTED
    assert "2 activities" in counted.message
    assert (place.rows_of(ANN), place.objects_of(ANN), world.calls()) == before
    assert place.certificates() == []


def test_certificate_says_what_went_when_and_when_the_last_trace_is_gone(place):
    place.run(OPERATOR)

    (certificate,) = place.certificates()
    assert certificate["athlete_id"] == ANN
    assert certificate["began_at"] == "2026-06-17T12:02:04+00:00" or certificate["began_at"].startswith("2026-06-17T12")
    assert certificate["finished_at"] >= certificate["began_at"]
    assert certificate["removed"]["streams_rows"] == 120
    assert set(certificate["last_traces"]) == {
        "object_versions",
        "point_in_time_recovery",
        "logs",
        "queue",
        "airflow_runs",
        "airflow_audit_log",
    }
    text = json.dumps(certificate)
    assert not [word for word in ("Ann", "Rex", "Walk", "Other", "secret") if word in text]


ON_AWS = {
    "lake_url": "s3://bucket/lake",
    "state_url": "dynamodb://strava-",
    "catalog_url": "glue://strava/crawler",
    "airflow_url": "mwaa://strava",
    "key_url": "kms://alias/strava-token",
}
DAYS = {
    "versions_keep_days": "3",
    "recovery_keep_days": "5",
    "logs_keep_days": "14",
    "crawler_log_keep_days": "9",
    "answers_keep_days": "2",
    "messages_keep_days": "6",
    "runs_keep_days": "8",
}


def days_left(place, **settings):
    """In how many days the place has forgotten, by the certificate of an erasure; None where nobody knows."""
    with place.services() as services:
        certificate = erase(services, OPERATOR, replace(place.settings, **settings)).certificate
    finished_at = datetime.fromtimestamp(certificate.finished_at_epoch_s, UTC)
    ends = {name: trace["gone_by"] for name, trace in certificate.last_traces.items()}
    return {name: end and (datetime.fromisoformat(end) - finished_at).days for name, end in ends.items()}


def test_certificate_on_aws_names_every_place_with_the_days_that_the_installation_keeps(place):
    assert days_left(place, **ON_AWS, **DAYS) == {
        "object_versions": 3,
        "query_answers": 2,
        "query_history": 45,
        "point_in_time_recovery": 5,
        "queue": 6,
        "logs": 14,
        "crawler_log": 9,
        "cloudtrail": 90,
        "airflow_runs": 9,
        "airflow_audit_log": None,
    }


def test_certificate_promises_no_end_that_no_setting_says(place):
    ends = days_left(place, **ON_AWS)

    assert {name for name, days in ends.items() if days is None} == {
        *("object_versions", "query_answers", "point_in_time_recovery", "logs", "crawler_log", "airflow_audit_log")
    }
    (certificate,) = place.certificates()
    assert "CRAWLER_LOG_KEEP_DAYS" in certificate["last_traces"]["crawler_log"]["because"]


def test_certificate_of_one_machine_names_what_goes_by_itself_and_what_by_hand(place):
    assert days_left(place) == {
        "object_versions": 0,
        "point_in_time_recovery": 0,
        "queue": 28,
        "logs": None,
        "airflow_runs": 31,
        "airflow_audit_log": 31,
    }


def test_forged_deauthorisation_erases_nothing(world, place):
    before = (place.rows_of(ANN), place.objects_of(ANN))

    assert place.run(EVENT).outcome is Outcome.STILL_CONNECTED
    assert [row for row in place.rows_of(ANN) if row in before[0]] == before[0]
    assert place.objects_of(ANN) == before[1]


def test_deauthorisation_erases(world, place):
    world.control.disconnect(ANN, world.client_id)

    assert place.run(EVENT).outcome is Outcome.ERASED
    assert_gone(place)
    assert place.run(EVENT).outcome is Outcome.ERASED_BEFORE
    assert place.run(replace(EVENT, athlete_id=5)).outcome is Outcome.UNKNOWN


def test_event_after_a_disconnection_made_here_erases_nothing(world, place):
    world.services.state.athletes.note_disconnect(ANN)
    world.control.disconnect(ANN, world.client_id)
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    before = place.objects_of(ANN)

    assert place.run(EVENT).outcome is Outcome.DISCONNECTED
    assert place.objects_of(ANN) == before


def test_erasure_can_be_asked_for_after_disconnecting(world, place):
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)

    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_second_request_finds_that_it_was_done(place):
    first = place.run(OPERATOR)

    second = place.run(OPERATOR)

    assert second.outcome is Outcome.ERASED_BEFORE
    assert second.certificate == first.certificate
    assert len(place.certificates()) == 1


def test_operator_is_told_when_the_number_is_wrong(place):
    with pytest.raises(NotConnected, match="no athlete 5"):
        place.run(EraseRequest(5, EraseReason.OPERATOR))


def test_operator_can_erase_what_is_left_of_an_athlete_without_a_row(world, place):
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    world.services.state.athletes.forget(ANN)

    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_connecting_again_starts_afresh(world, place):
    place.run(OPERATOR)
    world.connect(ANN)
    activity_id = world.finish(name="New life")

    synced = sync(world.services, world.item(activity_id), source="webhook")

    assert synced.state == "synced"
    assert world.services.state.links.of_parent(ANN) == []
    assert [entry.activity_id for entry in world.services.state.activities.of_athlete(ANN)] == [activity_id]
    assert look_again(world.services) == 0
    assert place.run(OPERATOR).counts["activities"] == 1
    assert_gone(place)
    assert [certificate["removed"]["activities"] for certificate in place.certificates()] == [2, 1]


def test_late_sync_and_backfill_of_an_erased_athlete_write_nothing(world, place):
    activity_id = world.finish(name="Late")
    place.run(OPERATOR)

    synced = sync(world.services, world.item(activity_id), source="webhook")
    with pytest.raises(NotConnected):
        world.ask({"athlete": ANN, "from": "2026-01-01", "to": "2026-12-31", "dry_run": False})

    assert synced.points == 0
    assert_gone(place)


def test_copies_planned_late_for_an_erased_child_go(world, place):
    link = world.services.state.links.get(REX, ANN)
    place.run(OPERATOR)
    world.services.state.copies.plan(Copy(THEIR_ACTIVITY, ANN, REX, CopyState.PLANNED))

    assert link is not None
    assert world.services.state.copies.acquire(THEIR_ACTIVITY, ANN) is None
    assert_gone(place)


class _Racing:
    """Strava as the sync sees it: an erasure runs to where it has to wait, after the answer and before the writes."""

    def __init__(self, strava, race):
        self._strava = strava
        self._race = race

    def activity(self, athlete_id, activity_id):
        answer = self._strava.activity(athlete_id, activity_id)
        self._race()
        return answer

    def streams(self, athlete_id, activity_id):
        return self._strava.streams(athlete_id, activity_id)


def test_sync_that_runs_meanwhile_is_waited_for_and_brings_nothing_back(world, place):
    activity_id = world.finish(name="At the same time")
    refusals = []

    def race():
        with pytest.raises(RetryLater, match="goes on when that run has ended") as refusal:
            place.run(OPERATOR)
        refusals.append(refusal)

    client = _Racing(world.services.strava.client, race)
    racing = replace(world.services, strava=replace(world.services.strava, client=client))
    with pytest.raises(NotConnected):
        sync(racing, world.item(activity_id), source="webhook")

    assert len(refusals) == 1
    assert place.run(OPERATOR).outcome is Outcome.ERASED
    assert_gone(place)


def test_sync_that_stalled_until_after_the_erasure_loses_its_lease(world, place):
    activity_id = world.finish(name="Stalled")

    def race():
        world.now[0] += 400
        place.run(OPERATOR)

    client = _Racing(world.services.strava.client, race)
    racing = replace(world.services, strava=replace(world.services.strava, client=client))
    with pytest.raises(IngestError):
        sync(racing, world.item(activity_id), source="webhook")

    assert_gone(place)


def test_what_a_stalled_worker_writes_after_all_is_removed_by_a_second_look_or_at_night(world, place):
    place.run(OPERATOR)
    world.services.lake.objects.put(raw_detail_key(ANN, 5), b"late", expected=Condition.ANYTHING)
    world.services.lake.objects.put(gpx_key(REX, 5, ANN), b"late", expected=Condition.ANYTHING)

    assert look_again(world.services) == 1
    assert look_again(world.services) == 0
    assert place.objects_of(ANN) == [gpx_key(REX, 5, ANN)]
    world.now[0] += 29 * 86_400
    assert look_again(world.services) == 0
    assert sweep(world.services) == 1
    assert place.objects_of(ANN) == []


def test_unreadable_object_of_copies_does_not_stand_in_the_way(world, place):
    (key,) = [key for key in world.services.lake.objects.list("copies/") if key.endswith(f"/{REX}.parquet")]
    world.services.lake.objects.put(key, b"no parquet", expected=Condition.ANYTHING)
    place.run(OPERATOR)
    assert world.services.lake.objects.get(key) is None
    assert place.objects_of(ANN) == []


def test_erasure_begun_by_an_older_version_finds_what_its_ledgers_led_to(world, place, restored):
    place = restored()
    total = 14  # the ledgers have gone, nothing else
    with pytest.MonkeyPatch.context() as patch:
        Writes(total, after=True).watch(patch)
        with pytest.raises(Crash):
            place.run()
    (draft,) = (place.lake / "certificates").glob("*.json")
    document = json.loads(draft.read_bytes())
    assert gpx_key(REX, THEIR_ACTIVITY, ANN) in document.pop("elsewhere")
    draft.write_text(json.dumps(document))
    place.now[0] += LEASE_S

    assert place.run().outcome is Outcome.ERASED
    assert_gone(place)
    assert "elsewhere" not in place.certificates()[0]


@pytest.fixture
def reads(monkeypatch):
    """Counts the objects that are read and the keys that are listed."""
    counted = Counter()
    get, list_ = FileObjects.get, FileObjects.list

    def counting_get(self, key):
        counted["read"] += 1
        return get(self, key)

    def counting_list(self, prefix):
        for key in list_(self, prefix):
            counted["listed"] += 1
            yield key

    monkeypatch.setattr(FileObjects, "get", counting_get)
    monkeypatch.setattr(FileObjects, "list", counting_list)
    return counted


def test_erasure_reads_the_same_whether_there_are_ten_parents_or_a_thousand(world, restored, reads):
    found = {}
    for parents in (10, 1_000):
        place = restored()
        body = next((place.lake / "copies").rglob(f"{REX}.parquet")).read_bytes()
        for parent_id in range(10_000, 10_000 + parents):
            for key in (f"copies/year=2026/{parent_id}.parquet", gpx_key(parent_id, 5, 12_345)):
                path = place.lake / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
        reads.clear()
        place.run(OPERATOR)
        with place.services() as services:
            assert look_again(services) == 0
        found[parents] = reads.total()

    assert found[10] <= found[1_000] <= 1.2 * found[10]


def test_second_look_leaves_alone_what_is_written_after_connecting_again(world, place, monkeypatch):
    place.run(OPERATOR)
    found = erasure_watch.personal_records

    def connected_meanwhile(services, erasure, others):
        world.connect(ANN)
        world.services.lake.objects.put(raw_detail_key(ANN, 5), b"new", expected=Condition.ANYTHING)
        return found(services, erasure, others)

    monkeypatch.setattr(erasure_watch, "personal_records", connected_meanwhile)
    assert look_again(world.services) == 0
    assert place.objects_of(ANN) == [raw_detail_key(ANN, 5)]


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Writes:
    """Counts every write to the state and the lake, and dies before or after one of them, or runs something there."""

    at: int = -1
    after: bool = False
    seen: int = 0
    event: object = None
    dead: bool = False
    """The process that has died gets nothing more done."""

    def watch(self, monkeypatch):
        for cls, methods in ((SqliteStore, ("put", "delete")), (FileObjects, ("put", "delete"))):
            for name in methods:
                monkeypatch.setattr(cls, name, self._watched(getattr(cls, name)))

    def _watched(self, write):
        def watched(*args, **kwargs):
            if args[1:] and getattr(args[1], "table", "") == "quota":
                return write(*args, **kwargs)
            if self.dead:
                raise Crash
            self.seen += 1
            due = self.seen == self.at
            if due and not self.after:
                self._happen()
            answer = write(*args, **kwargs)
            if due and self.after:
                self._happen()
            return answer

        return watched

    def _happen(self):
        if self.event is None:
            self.dead = True
            raise Crash
        self.event()


@pytest.fixture
def restored(world, place, tmp_path, monkeypatch):
    """Makes a fresh installation with Ann in it, who has disconnected: no call of Strava is needed any more."""
    world.services.state.athletes.mark(ANN, AthleteStatus.REVOKED)
    state = Path(place.settings.state_url.removeprefix("sqlite://"))
    with sqlite3.connect(state) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made = []

    def restore():
        root = tmp_path / f"copy-{len(made)}"
        made.append(root)
        shutil.copytree(place.lake, root / "lake")
        shutil.copy(state, root / "state.sqlite")
        url = f"sqlite://{root}/state.sqlite"
        settings = replace(place.settings, state_url=url, queue_url=url, lake_url=f"file://{root}/lake")
        return Place(settings, [world.now[0]])

    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    return restore


def count_writes(place):
    with pytest.MonkeyPatch.context() as patch:
        writes = Writes()
        writes.watch(patch)
        expected = place.run().counts
    return writes.seen, expected


@pytest.mark.parametrize("after", [pytest.param(False, id="before"), pytest.param(True, id="after")])
def test_crash_at_any_write_loses_nothing_of_the_erasure(restored, after):
    total, expected = count_writes(restored())
    assert total > 25

    for at in range(1, total + 1):
        place = restored()
        with pytest.MonkeyPatch.context() as patch:
            Writes(at, after).watch(patch)
            with pytest.raises(Crash):
                place.run()
        place.now[0] += LEASE_S
        again = place.run()

        assert_gone(place)
        (certificate,) = place.certificates()
        assert certificate["removed"] == expected, f"write {at} of {total}"
        assert certificate["finished_at"] is not None
        assert again.outcome in (Outcome.ERASED, Outcome.ERASED_BEFORE)


@pytest.mark.parametrize(
    ("stalled_s", "outcome"),
    [
        pytest.param(1, Outcome.IN_HAND, id="one at a time"),
        pytest.param(LEASE_S + 1, Outcome.ERASED, id="the first stalls"),
    ],
)
def test_second_erasure_at_any_write_of_the_first_agrees_with_it(restored, stalled_s, outcome):
    total, expected = count_writes(restored())
    seconds = []

    def second(place):
        place.now[0] += stalled_s
        seconds.append(place.run().outcome)

    for at in range(1, total + 1, 3):
        place = restored()
        with pytest.MonkeyPatch.context() as patch:
            Writes(at, event=lambda place=place: second(place)).watch(patch)
            try:
                place.run()
            except IngestError:
                assert stalled_s > LEASE_S

        assert_gone(place)
        (certificate,) = place.certificates()
        assert certificate["removed"] == expected
        assert certificate["finished_at"] is not None
    assert set(seconds[2:]) == {outcome}  # the first writes come before the lease


def test_every_table_of_the_state_is_erased_or_holds_nothing_of_an_athlete(place):
    filled = {table for table, _ in place.rows_of(ANN)}

    assert set(TABLES) - filled - MARKS == {"histories", "notices", "outages"}


def test_erasure_takes_what_appears_between_two_of_its_looks(place, monkeypatch):
    from include.pipeline.erasure import erase as erase_module

    records_of, looks = erase_module.personal_records, []

    def records_with_a_late_one(services, erasure, others):
        found = list(records_of(services, erasure, others))
        looks.append(len(found))
        if len(looks) == 2:  # the first look counts
            services.lake.objects.put(raw_detail_key(ANN, 999), b"late", expected=Condition.ANYTHING)
        return iter(found)

    monkeypatch.setattr(erase_module, "personal_records", records_with_a_late_one)
    place.run(OPERATOR)

    assert len(looks) > 2
    assert_gone(place)
