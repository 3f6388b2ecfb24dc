"""Objects of others that name an athlete: they are found, counted and removed with the athlete's own."""

from __future__ import annotations

import pytest

from include.lake.keys import gpx_key, raw_detail_key, tcx_key
from include.lake.rows.copies import object_of
from include.pipeline.erasure.personal_records import (
    all_shared_object_keys,
    is_file_for,
    personal_records,
    shared_object_keys,
)
from include.state.erasures.ledger import EraseReason, Erasure, ErasureGrounds, ErasureStage
from tests.include.pipeline.erasure.offline_athletes import ANN, REX, ZOE, copy, put

ERASURE = Erasure(ANN, ErasureGrounds(EraseReason.OPERATOR, 1_000), 1_000, ErasureStage.UNDER_WAY)


@pytest.mark.parametrize(
    ("key", "is_for_ann"),
    [
        (gpx_key(REX, 5, ANN), True),
        (tcx_key(REX, 5, ANN), True),
        (gpx_key(REX, 5, 711), False),
        (gpx_key(REX, ANN, 5), False),
        (gpx_key(ANN, 5, REX), False),
        (raw_detail_key(REX, ANN), False),
        (f"{gpx_key(REX, 5, ANN)}.tmp", False),
    ],
)
def test_upload_file_for_an_athlete_is_known_by_its_key(key, is_for_ann):
    assert is_file_for(key, ANN) is is_for_ann


def test_objects_of_others_that_name_the_athlete_are_those_of_its_copies(offline):
    given, received = copy(offline, ANN, REX, 11), copy(offline, REX, ANN, 12)
    copy(offline, REX, ZOE, 13)

    assert shared_object_keys(offline, ANN) == {
        object_of(given),
        object_of(received),
        gpx_key(REX, 12, ANN),
        tcx_key(REX, 12, ANN),
    }
    assert shared_object_keys(offline, 5) == frozenset()


def test_objects_that_no_ledger_names_any_more_are_found_by_a_list_of_everybody_s(offline):
    for key in (gpx_key(REX, 5, ANN), gpx_key(REX, 5, ZOE), "copies/year=2026/9.parquet"):
        put(offline, key)
    given = copy(offline, ANN, REX, 11)

    assert all_shared_object_keys(offline, ANN) == {
        gpx_key(REX, 5, ANN),
        "copies/year=2026/9.parquet",
        object_of(given),
    }


def test_upload_files_of_others_are_records_only_while_they_are_there(offline):
    own, theirs, gone = gpx_key(ANN, 5, ANN), gpx_key(REX, 5, ANN), gpx_key(REX, 6, ANN)
    for key in (own, theirs):
        put(offline, key)

    found = personal_records(offline, ERASURE, [own, theirs, gone, gpx_key(REX, 7, ZOE), raw_detail_key(REX, 1)])

    assert [(record.kind, record.object_key) for record in found] == [("upload_files", own), ("upload_files", theirs)]


def test_rows_of_copies_are_one_record_over_all_objects_and_an_unreadable_object_goes_whole(offline):
    given, received = copy(offline, ANN, REX, 11), copy(offline, REX, ANN, 12)
    other = copy(offline, REX, ZOE, 13)
    for activity_id, child_id in ((11, REX), (12, ANN)):
        offline.state.copies.forget(activity_id, child_id)
    assert object_of(other) == object_of(received)
    unreadable, gone = "copies/year=2026/8.parquet", "copies/year=2026/9.parquet"
    nobody_s = object_of(copy(offline, ZOE, REX, 14))
    put(offline, unreadable, b"no parquet")

    others = [object_of(given), object_of(received), unreadable, nobody_s, gone, gpx_key(REX, 7, ZOE)]
    found = list(personal_records(offline, ERASURE, others))

    first = min(object_of(given), object_of(received))
    assert [(record.kind, record.object_key, record.count) for record in found] == [
        ("copies_objects", unreadable, 1),
        ("copies_rows", first, 2),
    ]
    for record in found:
        record.remove()
    assert list(personal_records(offline, ERASURE, others)) == []
    assert offline.lake.objects.get(object_of(other)) is not None
    assert offline.lake.objects.get(nobody_s) is not None
