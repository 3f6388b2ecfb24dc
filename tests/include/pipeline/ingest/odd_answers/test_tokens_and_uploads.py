"""What an odd answer of the token endpoint or about an upload costs, and that nothing is left of it."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest

from include.errors import IngestError
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.ingest.sync import sync
from include.state.activities.entry import MOST_ROUNDS
from include.state.copies.ledger import CopyState, Original
from tests.include.pipeline.ingest.odd_answers.aftermath import (
    CHILD_ID,
    PARENT_ID,
    POINTS,
    TOKEN_S,
    answer,
    copy,
    entry,
    is_whole,
    is_whole_within,
    look,
    pass_hours,
    points,
    refusal,
    status,
    times_asked,
)

pytestmark = pytest.mark.network

HTML = {"body": "<html>maintenance</html>", "content_type": "text/html"}


NO_ROUTE = {"status": 404, "body": refusal("Record Not Found", "resource", "path", "invalid")}
GONE = {"status": 404, "body": refusal("Record Not Found")}
INACTIVE = {"status": 403, "body": refusal("Forbidden", "Application", "Status", "Inactive")}
TOKEN_INVALID = {"status": 401, "body": refusal("Authorization Error", "Athlete", "access_token", "invalid")}
SCOPE_MISSING = {
    "status": 401,
    "body": refusal("Authorization Error", "AccessToken", "activity:read_permission", "missing"),
}


PASSING = [
    pytest.param(HTML, id="200, a page"),
    pytest.param({"body": '{"access_token":"a"}'}, id="200, half a pair"),
    pytest.param({"body": '{"access_token":"a","refresh_token":"b","expires_at":"1781800000"}'}, id="200, text"),
    pytest.param({"body": '{"access_token":null,"refresh_token":null,"expires_at":null}'}, id="200, nulls"),
    pytest.param({"status": 400, **HTML}, id="400, a page"),
    pytest.param({"status": 401, **HTML}, id="401, a page"),
    pytest.param({"status": 401, "body": refusal("Authorization Error", "Application", "", "invalid")}, id="401, ours"),
    pytest.param(INACTIVE, id="403, switched off"),
    pytest.param({"status": 403, "body": refusal("Limit of connected athletes exceeded")}, id="403, full"),
    pytest.param({"status": 404, **HTML}, id="404, a page"),
    pytest.param(GONE, id="404, as of a thing"),
    pytest.param({"status": 410, "body": ""}, id="410"),
    pytest.param({"status": 429, "body": ""}, id="429"),
    pytest.param({"status": 500, "body": ""}, id="500"),
    pytest.param({"status": 503, **HTML}, id="503, a page"),
]


@pytest.mark.parametrize("odd", PASSING)
def test_odd_answer_of_the_token_endpoint_is_said_of_no_activity_and_no_athlete(family, odd):
    stored = family.finish(name="Run with Rex")
    look(family, stored)
    family.clock.advance(TOKEN_S)
    new = family.finish(name="Another run with Rex")
    answer(family, "POST /oauth/token", **odd)

    for activity_id in (stored, new):
        look(family, activity_id)

    assert times_asked(family) <= 3  # what is no token after all is renewed once more
    assert (status(family), status(family, CHILD_ID)) == ("active", "active")
    assert (points(family, stored), copy(family, stored).original) == (POINTS, Original.NAMED)
    assert entry(family, new).state == "pending"
    family.control.write_script()
    pass_hours(family, 2)
    assert [entry(family, activity_id).state for activity_id in (stored, new)] == ["synced"] * 2
    assert copy(family, new).state is CopyState.DONE


def test_athlete_has_to_connect_again_when_the_refresh_token_is_refused(family):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    family.clock.advance(TOKEN_S)
    refused = refusal("Bad Request", "RefreshToken", "refresh_token", "invalid")
    answer(family, "POST /oauth/token", status=400, body=refused)

    look(family, activity_id)
    pass_hours(family, 3)

    assert (status(family), points(family, activity_id)) == ("needs_reauth", POINTS)


@pytest.mark.parametrize("odd", [pytest.param(TOKEN_INVALID, id="token"), pytest.param(SCOPE_MISSING, id="permission")])
def test_activity_that_alone_is_refused_costs_few_calls_and_nothing_that_is_stored(family, odd):
    activity_id = family.finish(name="Run with Rex")
    look(family, activity_id)
    family.clock.advance(1000)
    answer(family, "GET /activities/*[0-9]", **odd)

    look(family, activity_id)
    pass_hours(family, 30)

    assert times_asked(family) <= 2 * (MOST_ROUNDS + 2), "each round, and then each day, a call and one more"
    assert (points(family, activity_id), status(family)) == (POINTS, "active")
    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=30)


# --- the copy -------------------------------------------------------------------------------------


UPLOADS = [
    pytest.param("POST /uploads", {"status": 403, **HTML}, id="a firewall's page"),
    pytest.param("POST /uploads", INACTIVE, id="application switched off"),
    pytest.param("POST /uploads", {"status": 201, **HTML, "does_the_work": True}, id="a page, and the file is in"),
    pytest.param("POST /uploads", NO_ROUTE, id="no such route"),
    pytest.param("POST /oauth/token", {"status": 404, **HTML}, id="no token"),
    pytest.param("GET /uploads/*", GONE, id="poll as of a thing that is gone"),
    pytest.param("GET /uploads/*", INACTIVE, id="poll while switched off"),
]


@pytest.mark.parametrize(("route", "odd"), UPLOADS)
def test_copy_is_made_once_when_the_answers_are_right_again(family, route, odd):
    activity_id = family.finish(name="Run with Rex")
    sync(family.services, family.item(activity_id), source="webhook")
    family.clock.advance(TOKEN_S if "token" in route else 0)
    answer(family, route, **odd)

    look_at_copy(family, activity_id)
    assert copy(family, activity_id).state not in (CopyState.DONE, CopyState.FAILED, CopyState.UNFINISHED)
    assert re.fullmatch(r"[A-Z][^<{]{20,150}\.", copy(family, activity_id).reason)

    pass_hours(family, 2)
    family.control.write_script()
    assert is_whole_within(family, activity_id, hours=24)


def look_at_copy(world, activity_id):
    with suppress(IngestError):
        copy_to_children(world.services, PARENT_ID, activity_id)


@pytest.mark.parametrize(
    "words",
    ["Your activity is still being processed", "Your activity is being processed.", "Your activity is ready.", ""],
)
def test_poll_without_error_and_id_is_waited_out_whatever_it_says(family, words):
    activity_id = family.finish(name="Run with Rex")
    told = {"id": 19370000001, "status": words, "error": None, "activity_id": None}
    answer(family, "GET /uploads/*", last=1, body=json.dumps(told))

    assert look(family, activity_id) is None

    assert is_whole(family, activity_id)
