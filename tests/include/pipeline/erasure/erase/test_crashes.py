"""An erasure that dies at any write is finished by the next."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from include.errors import IngestError
from include.lake.keys import gpx_key
from include.lake.objects.files import FileObjects
from include.pipeline.erasure.erase import EraseRequest, Outcome
from include.pipeline.erasure.watch import remove_late_records
from include.state.accounts.athletes import AthleteStatus
from include.state.erasures.ledger import LEASE_S, EraseReason
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock

pytestmark = pytest.mark.network

ANN, REX = 71, 72
THEIR_ACTIVITY = 900_001
OPERATOR = EraseRequest(ANN, EraseReason.OPERATOR)


def assert_gone(place):
    assert place.rows_of(ANN) == []
    assert place.objects_of(ANN) == []
    assert not list(place.lake.rglob(f"athlete_id={ANN}"))


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
    place.clock.advance(LEASE_S)

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
            assert remove_late_records(services) == 0
        found[parents] = reads.total()

    assert found[10] <= found[1_000] <= 1.2 * found[10]


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
        return type(place)(settings, ManualClock(world.clock.now_epoch_s))

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
        place.clock.advance(LEASE_S)
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
        place.clock.advance(stalled_s)
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
