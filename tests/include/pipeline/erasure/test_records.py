"""Which records are an athlete's, in which order they go, and how they are counted."""

from __future__ import annotations

from itertools import groupby

import pytest

from include.circle import Position
from include.lake.keys import activities_key, freshness_key, gpx_key, raw_detail_key, streams_key
from include.lake.rows.synced import build_rows
from include.pipeline.erasure.personal_records import (
    count_by_kind,
    in_words,
    personal_records,
    shared_object_keys,
)
from include.state.accounts.athletes import AthleteStatus
from include.state.accounts.notices import Notice, NoticeKind
from include.state.copies.outings import Outing
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from include.state.histories import History
from include.state.links import CopyOptions, Link
from include.state.partitions import Partition
from include.strava.models import Activity, StreamSet
from tests.include.pipeline.erasure.offline_athletes import ANN, REX, START_EPOCH_S, ZOE, connect, copy, enter, put, raw

ERASURE = Erasure(ANN, ErasureGrounds(EraseReason.OPERATOR, 1_000), 1_000, ErasureStage.UNDER_WAY)


def in_tables(services, activity_id=1, points=3):
    """An activity of Ann's as rows of the lake."""
    activity = Activity.parse({"id": activity_id, "athlete": {"id": ANN}, "start_date": "2026-06-10T12:00:00Z"})
    streams = StreamSet.parse(b'{"time": {"data": [0, 1, 2]}}')
    rows = build_rows(activity, streams, made={}, source="webhook", updated_at_epoch_s=START_EPOCH_S)
    services.lake.tables.write([rows], previous_keys={}, guard=lambda: None)
    return [streams_key(ANN, activity.start_at), activities_key(ANN, activity.start_at)]


def link(services, parent_id, child_id, name):
    services.state.links.save(Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1))


@pytest.fixture
def everything(offline):
    """One record of each kind of Ann's, and Rex and Zoe beside her."""
    state = offline.state
    for athlete_id in (ANN, REX):
        connect(offline, athlete_id)
    copy(offline, ANN, REX, 11)
    copy(offline, REX, ANN, 12)
    copy(offline, REX, ZOE, 13)
    for number in range(2):
        start_epoch_s = START_EPOCH_S + number * 2 * 86_400
        state.outings.claim(ANN, Outing(20 + number, start_epoch_s, start_epoch_s + 60), lambda _: True)
    enter(offline, 1)
    enter(offline, 1, REX)
    raw(offline)
    raw(offline, athlete_id=711)
    in_tables(offline)
    for key in (gpx_key(REX, 12, ANN), gpx_key(REX, 13, ZOE), gpx_key(ANN, 11, REX)):
        put(offline, key)
    link(offline, ANN, REX, "Rex")
    link(offline, REX, ANN, "Ann")
    link(offline, REX, ZOE, "Zoe")
    for secret, parent_id in (("ann's", ANN), ("rex's", REX), ("another of rex's", REX)):
        state.invites.create(secret, parent_id, ("Ann",), CopyOptions())
    state.invites.accept(state.invites.find("rex's").invite_id, ANN)
    state.events.record("event", athlete_id=ANN, object_id=1, outcome="planned")
    for number in range(2):
        state.notices.save(Notice(ANN, f"notice.{number}", NoticeKind.CHILD_ERASED, 1))
    state.mail_addresses.confirm(ANN, state.mail_addresses.give(ANN, "ann@example.com"))
    for number in range(2):
        state.sent_mails.claim(ANN, f"cause.{number}")
    for trim_m in (200, 500):
        state.places.circles(ANN, trim_m, (Position(48.1, 11.5),))
    state.listings.take(ANN, 1.0)
    for day in (1, 2):
        state.histories.ask(History(ANN, day, 9_000, dry_run=False, asked_at_epoch_s=1, before_epoch_s=9_000))
    state.athletes.mark(ANN, AthleteStatus.REVOKED)
    return offline


def records(services, erasure=ERASURE):
    return list(personal_records(services, erasure, shared_object_keys(services, erasure.athlete_id)))


def test_records_go_in_the_order_in_which_a_crash_leaves_all_that_remains_to_be_found(everything):
    kinds = [kind for kind, _ in groupby(record.kind for record in records(everything))]

    assert kinds == [
        "copies",
        "outings",
        "activities",
        "streams_objects",
        "activities_objects",
        "raw_objects",
        "upload_files",
        "copies_rows",
        "partitions",
        "invites",
        "links",
        "events",
        "notices",
        "mail_addresses",
        "sent_mails",
        "places",
        "listings",
        "histories",
        "athletes",
    ]


def test_records_are_counted_by_kind_with_the_rows_of_the_tables(everything):
    counts = count_by_kind(everything, records(everything))

    assert counts == {
        "activities": 1,
        "activities_objects": 1,
        "activities_rows": 1,
        "athletes": 1,
        "copies": 2,
        "copies_rows": 2,
        "events": 1,
        "histories": 2,
        "invites": 2,
        "links": 2,
        "listings": 1,
        "mail_addresses": 1,
        "notices": 2,
        "outings": 2,
        "partitions": 2,
        "places": 2,
        "raw_objects": 1,
        "sent_mails": 2,
        "streams_objects": 1,
        "streams_rows": 3,
        "upload_files": 2,
    }
    assert list(counts) == sorted(counts)
    assert in_words({"copies_rows": 2, "links": 1}) == "2 copies rows, 1 links"
    assert in_words({}) == "nothing"


def test_nothing_is_found_after_all_were_removed_and_the_others_have_theirs(everything):
    for record in records(everything):
        record.remove()
        record.remove()  # safe to repeat

    assert records(everything) == []
    state, objects = everything.state, everything.lake.objects
    assert set(objects.list("raw/")) == {raw_detail_key(711, 1)}
    assert list(objects.list("gpx/")) == [gpx_key(REX, 13, ZOE)]
    assert [each.child_id for each in state.copies.of_parent(REX)] == [ZOE]
    assert [each.child_id for each in state.links.of_parent(REX)] == [ZOE]
    assert [each.activity_id for each in state.activities.of_athlete(REX)] == [1]
    assert len(list(state.invites.of_parent(REX))) == 1
    assert state.athletes.get(REX).status is AthleteStatus.ACTIVE
    told = [(notice.notice_id, notice.happened_at_epoch_s) for notice in state.notices.of_athlete(REX)]
    assert told == [("child_erased.1000", 1_000), ("parent_erased.1000", 1_000)]


def test_only_the_row_of_an_athlete_without_anything_is_found_and_not_while_it_is_connected(offline):
    connect(offline)
    assert records(offline) == []

    offline.state.athletes.mark(ANN, AthleteStatus.NEEDS_REAUTH)

    assert [(record.kind, record.count, record.object_key) for record in records(offline)] == [("athletes", 1, "")]


def test_records_that_are_objects_name_their_keys(everything):
    found = {record.kind: record.object_key for record in records(everything) if record.object_key}

    assert found["raw_objects"] == raw_detail_key(ANN, 1)
    assert found["copies_rows"].startswith("copies/")
    assert set(found) == {
        "raw_objects",
        "streams_objects",
        "activities_objects",
        "upload_files",
        "copies_rows",
    }


def test_acceptance_that_an_older_version_left_is_found_by_its_link(offline, monkeypatch):
    invites = offline.state.invites
    link(offline, REX, ANN, "Ann")
    invites.create("theirs", REX, ("Zoe",), CopyOptions())
    lost = invites.create("lost", REX, ("Ann",), CopyOptions())
    invites.accept(lost.invite_id, ANN)
    monkeypatch.setattr(invites, "of_child", lambda _: iter([]))  # its row is not in the index

    [record] = [record for record in records(offline) if record.kind == "invites"]
    record.remove()

    assert invites.find("lost") is None
    assert invites.find("theirs") is not None


def test_unreadable_table_object_counts_no_rows_and_goes(offline):
    keys = in_tables(offline)
    put(offline, keys[0], b"no parquet")

    counts = count_by_kind(offline, records(offline))

    assert (counts["streams_objects"], counts["streams_rows"], counts["activities_rows"]) == (1, 0, 1)


def test_object_that_is_gone_by_the_time_it_is_counted_has_no_rows(offline):
    keys = in_tables(offline)
    found = records(offline)
    offline.lake.objects.delete(keys[0], expected=offline.lake.objects.get(keys[0]).etag)

    assert count_by_kind(offline, found)["streams_rows"] == 0


def test_rows_that_are_no_athlete_s_own_are_not_counted_by_table(offline):
    put(offline, freshness_key(ANN, 2026), b"no parquet")
    raw(offline)

    assert count_by_kind(offline, records(offline)) == {
        "freshness_objects": 1,
        "freshness_rows": 0,
        "partitions": 1,
        "raw_objects": 1,
    }


def test_partitions_in_the_catalogue_are_one_record_that_goes_before_those_that_wait(offline, monkeypatch):
    partitions = [Partition("streams", ANN, 2025), Partition("streams", ANN, 2026)]
    offline.lake.partitions.note(partitions[0])
    left = list(partitions)
    catalog = type(offline.lake.catalog)
    monkeypatch.setattr(catalog, "of_athlete", lambda _, athlete_id: left if athlete_id == ANN else [])
    monkeypatch.setattr(catalog, "unregister", lambda _, named: [left.remove(each) for each in list(named)])

    found = records(offline)

    assert [(record.kind, record.count) for record in found] == [("catalog_partitions", 2), ("partitions", 1)]
    for record in found:
        record.remove()
    assert (left, records(offline)) == ([], [])
