"""Uploads: taken in, processed, turned into activities or refused."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from local.strava_simulator.files.reader import ParsedFile, read_file
from local.strava_simulator.world import applications, processing
from local.strava_simulator.world.applications import Application
from local.strava_simulator.world.simulation import DuplicateText, Rules

PROCESSING, READY = "Your activity is still being processed.", "Your activity is ready."
FAILED = "There was an error processing your activity."


def gpx(start: str = "2026-06-01T09:00:00Z", *, points: int = 5, timed: bool = True, name: str = "") -> bytes:
    minute = start[:17]
    trackpoints = "".join(
        f'<trkpt lat="{52.5 + index / 10_000}" lon="13.4"><ele>{34 + index}</ele>'
        + (f"<time>{minute}{index:02}Z</time>" if timed else "")
        + "</trkpt>"
        for index in range(points)
    )
    title = f"<name>{name}</name>" if name else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="test">'
        f"<trk>{title}<type>running</type><trkseg>{trackpoints}</trkseg></trk></gpx>"
    ).encode()


def tcx(start: str = "2026-06-01T09:00:00Z") -> bytes:
    minute = start[:17]
    trackpoints = "".join(
        f"<Trackpoint><Time>{minute}{index:02}Z</Time><DistanceMeters>{index * 3}</DistanceMeters></Trackpoint>"
        for index in range(5)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">'
        f'<Activities><Activity Sport="Running"><Id>{start}</Id><Lap StartTime="{start}"><Track>{trackpoints}</Track>'
        "</Lap></Activity></Activities></TrainingCenterDatabase>"
    ).encode()


def test_upload_is_processing_until_its_time_has_come_and_then_ready(world: Any) -> None:
    headers = world.bearer(world.athlete(), "activity:write")
    response = world.upload(headers, gpx(), external_id="sdi-1-2")
    first = response.get_json()
    assert response.status_code == 201
    assert first == {
        "id": first["id"],
        "id_str": str(first["id"]),
        "external_id": None,
        "error": None,
        "status": PROCESSING,
        "activity_id": None,
    }
    world.pass_time(1.4)
    assert world.poll(headers, first["id"]) == first
    world.pass_time(0.1)
    ready = world.poll(headers, first["id"])
    assert ready == {**first, "external_id": "sdi-1-2.gpx", "status": READY, "activity_id": ready["activity_id"]}
    assert world.truth(ready["activity_id"])["upload"] == ready


def test_uploaded_activity_is_what_the_file_says(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    fields = {"name": "Run with Rex", "description": "From Ann", "sport_type": "TrailRun", "commute": "1"}
    ready = world.uploaded(headers, gpx(), **fields)
    detail = world.get(f"activities/{ready['activity_id']}", headers).get_json()
    expected = {
        "name": "Run with Rex",
        "description": "From Ann",
        "sport_type": "TrailRun",
        "type": "Run",
        "commute": True,
        "trainer": False,
        "start_date": "2026-06-01T09:00:00Z",
        "elapsed_time": 4,
        "external_id": "morning.gpx",
        "upload_id": ready["id"],
        "start_latlng": [52.5, 13.4],
        "elev_high": 38.0,
        "visibility": "everyone",
        "athlete": {"id": athlete_id, "resource_state": 1},
    }
    assert {key: detail[key] for key in expected} == expected
    streams = world.get(
        f"activities/{ready['activity_id']}/streams", headers, keys="time,latlng,altitude", key_by_type="true"
    ).get_json()
    assert streams["time"]["data"] == [0, 1, 2, 3, 4]
    assert streams["altitude"]["data"] == [34.0, 35.0, 36.0, 37.0, 38.0]
    assert streams["latlng"]["data"][-1] == [52.5004, 13.4]
    assert detail["distance"] == pytest.approx(streams["distance"]["data"][-1], abs=0.1)


@pytest.mark.parametrize(
    ("data_type", "content", "sport_type", "external_id"),
    [
        pytest.param("gpx", gpx(), "Ride", "morning.gpx", id="gpx: its type is not read"),
        pytest.param("GPX", gpx(), "Ride", "morning.gpx", id="data type in capitals"),
        pytest.param("gpx.gz", gzip.compress(gpx()), "Ride", "morning.gpx", id="gpx.gz"),
        pytest.param("tcx", tcx(), "Run", "morning.gpx.tcx", id="tcx: its sport is read"),
        pytest.param("tcx.gz", gzip.compress(tcx()), "Run", "morning.gpx.tcx", id="tcx.gz"),
    ],
)
def test_upload_takes_gpx_and_tcx_packed_or_not(
    world: Any, data_type: str, content: bytes, sport_type: str, external_id: str
) -> None:
    ready = world.uploaded(world.bearer(world.athlete()), content, data_type=data_type)
    assert ready["status"] == READY
    assert ready["external_id"] == external_id
    assert world.truth(ready["activity_id"])["detail"]["sport_type"] == sport_type


def test_upload_takes_its_fields_from_the_query_too(world: Any) -> None:
    headers = world.bearer(world.athlete())
    query = {"data_type": "gpx", "name": "By query", "external_id": "q"}
    data = {"file": (io.BytesIO(gpx()), "a.gpx")}
    response = world.client.post("/api/v3/uploads", headers=headers, query_string=query, data=data)
    world.pass_time(2)
    ready = world.poll(headers, response.get_json()["id"])
    assert ready["external_id"] == "q.gpx"
    assert world.truth(ready["activity_id"])["detail"]["name"] == "By query"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"content": gpx(name="From the file")}, "From the file", id="file's name"),
        pytest.param({"content": gpx(), "sport_type": "TrailRun"}, "Lunch Trail Run", id="time of day and sport"),
    ],
)
def test_upload_without_name_gets_one(world: Any, given: dict[str, Any], expected: str) -> None:
    ready = world.uploaded(world.bearer(world.athlete()), **given)
    assert world.truth(ready["activity_id"])["detail"]["name"] == expected


@pytest.mark.parametrize(
    ("form", "link"),
    [
        pytest.param(
            DuplicateText.HTML,
            "<a href='/activities/{id}' target='_blank'>Tom &amp; &lt;Rex&gt;</a>",
            id="html",
        ),
        pytest.param(DuplicateText.PLAIN, "activity {id}", id="plain"),
    ],
)
def test_same_file_again_is_a_duplicate(make_world: Any, form: DuplicateText, link: str) -> None:
    world = make_world(rules=Rules(duplicate_text=form))
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    first = world.uploaded(headers, gpx(), name="Tom & <Rex>")
    second = world.uploaded(headers, gpx(), name="Another", external_id="again")
    assert second["status"] == FAILED
    assert second["error"] == f"again.gpx duplicate of {link.format(id=first['activity_id'])}"
    assert (second["external_id"], second["activity_id"]) == (None, None)
    assert world.control("GET", f"athletes/{athlete_id}/activities").get_json() == {
        "activity_ids": [first["activity_id"]]
    }


def test_two_uploads_in_processing_make_one_activity(world: Any) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    upload_ids = [world.upload(headers, gpx()).get_json()["id"] for _ in range(2)]
    world.pass_time(2)
    second, first = (world.poll(headers, upload_id) for upload_id in reversed(upload_ids))
    assert (first["status"], second["status"]) == (READY, FAILED)
    assert len(world.control("GET", f"athletes/{athlete_id}/activities").get_json()["activity_ids"]) == 1


def test_upload_is_a_duplicate_of_a_recording_that_began_in_the_same_second(world: Any) -> None:
    athlete_id = world.athlete()
    own = world.finish(athlete_id, at="2026-06-01T09:00:00Z")
    assert f"/activities/{own}'" in world.uploaded(world.bearer(athlete_id), gpx())["error"]


@pytest.mark.parametrize("case", ["another athlete", "another second", "deleted original"])
def test_upload_is_no_duplicate(world: Any, case: str) -> None:
    athlete_id = world.athlete()
    headers = world.bearer(athlete_id)
    first = world.uploaded(headers, gpx())
    if case == "deleted original":
        world.control("DELETE", f"activities/{first['activity_id']}")
    if case == "another athlete":
        headers = world.bearer(world.athlete())
    start = "2026-06-01T09:01:00Z" if case == "another second" else "2026-06-01T09:00:00Z"
    assert world.uploaded(headers, gpx(start))["status"] == READY


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(gpx(timed=False), "Time information is missing from file.", id="no times"),
        pytest.param(gpx(points=0), "Time information is missing from file.", id="no points"),
        pytest.param(b"no xml", "malformed", id="no xml"),
    ],
)
def test_upload_fails_in_processing_when_file_is_bad(world: Any, content: bytes, error: str) -> None:
    athlete_id = world.athlete()
    failed = world.uploaded(world.bearer(athlete_id), content)
    assert failed["status"] == FAILED
    assert error in failed["error"]
    assert (failed["external_id"], failed["activity_id"]) == (None, None)
    assert world.control("GET", f"athletes/{athlete_id}/activities").get_json() == {"activity_ids": []}


def test_upload_says_so_when_its_activity_was_deleted(world: Any) -> None:
    headers = world.bearer(world.athlete())
    ready = world.uploaded(headers, gpx())
    world.control("DELETE", f"activities/{ready['activity_id']}")
    gone = world.poll(headers, ready["id"])
    assert gone == {**ready, "status": "The created activity has been deleted.", "activity_id": None}


@pytest.mark.parametrize(
    ("content", "fields", "field", "code"),
    [
        pytest.param(None, {}, "file", "missing", id="no file"),
        pytest.param(b"", {}, "file", "empty", id="empty file"),
        pytest.param(gpx(), {"data_type": ""}, "data_type", "missing", id="no data type"),
        pytest.param(gpx(), {"data_type": "kml"}, "data_type", "invalid", id="unknown data type"),
        pytest.param(gpx(), {"data_type": "fit"}, "data_type", "fit is not supported by this simulator", id="fit"),
        pytest.param(gpx(), {"sport_type": "run"}, "sport_type", "invalid", id="sport in small letters"),
        pytest.param(gpx(), {"sport_type": "Flying"}, "sport_type", "invalid", id="unknown sport"),
    ],
)
def test_upload_is_refused_at_once(
    world: Any, content: bytes | None, fields: dict[str, str], field: str, code: str
) -> None:
    response = world.upload(world.bearer(world.athlete()), content, **fields)
    assert response.status_code == 400
    assert response.get_json() == {
        "message": "Bad Request",
        "errors": [{"resource": "Upload", "field": field, "code": code}],
    }


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_uploads_need_write_scope(world: Any, method: str) -> None:
    headers = world.bearer(world.athlete(), "read,activity:read,activity:read_all")
    response = world.upload(headers, gpx()) if method == "POST" else world.get("uploads/1", headers)
    assert response.status_code == 401
    assert response.get_json()["errors"] == [
        {"resource": "AccessToken", "field": "write_permission", "code": "missing"}
    ]


def test_upload_is_not_found_by_others(world: Any) -> None:
    athlete_id = world.athlete()
    upload_id = world.upload(world.bearer(athlete_id), gpx()).get_json()["id"]
    assert world.get(f"uploads/{upload_id}", world.bearer(world.athlete())).status_code == 404
    with world.simulation.state.transaction() as db:
        applications.register(db, Application(20_002, "other"))
    world.application = Application(20_002, "other")
    headers = world.bearer(athlete_id)
    assert world.get(f"uploads/{upload_id}", headers).status_code == 404
    assert world.get("uploads/1", headers).status_code == 404


def test_upload_raises_create_for_its_athlete_though_nobody_polls(world: Any) -> None:
    world.subscribe()
    athlete_id = world.athlete()
    world.upload(world.bearer(athlete_id, "activity:read,activity:write"), gpx())
    assert world.received() == []
    world.pass_time(2)
    assert world.received() == [("activity", "create", {})]
    (activity_id,) = world.control("GET", f"athletes/{athlete_id}/activities").get_json()["activity_ids"]
    assert world.receiver.events[0]["object_id"] == activity_id


def test_upload_raises_nothing_without_read_scope(world: Any) -> None:
    world.subscribe()
    world.uploaded(world.bearer(world.athlete(), "activity:write"), gpx())
    assert world.received() == []


def test_upload_is_processed_once_when_another_worker_was_faster(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.subscribe()
    headers = world.bearer(world.athlete())
    upload_id = world.upload(headers, gpx()).get_json()["id"]
    world.pass_time(2)

    def read_while_another_settles(content: bytes, data_type: str) -> ParsedFile:
        monkeypatch.undo()
        processing.settle_due(world.simulation)
        return read_file(content, data_type)

    monkeypatch.setattr(processing, "read_file", read_while_another_settles)
    processing.settle_due(world.simulation)
    assert world.poll(headers, upload_id)["status"] == READY
    assert world.received() == [("activity", "create", {})]
