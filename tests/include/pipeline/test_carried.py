"""What of an activity leaves the house with its copy, and what never does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.pipeline.copies import copy_to_children
from include.pipeline.sync import sync
from include.state.links import Link
from include.strava.client import StravaClient
from include.strava.models import Activity

pytestmark = pytest.mark.network

PARENT_ID, CHILD_ID = 71, 72


@pytest.fixture
def family(world):
    """The child connected and linked as Rex."""
    world.connect(CHILD_ID)
    world.services.links.save(Link(PARENT_ID, CHILD_ID, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    return world


def copied(world, activity_id):
    """The outcomes of copying an activity just finished."""
    sync(world.services, world.item(activity_id), source="webhook")
    return copy_to_children(world.services, PARENT_ID, activity_id)


def finish(world, hours_ago, **values):
    start = datetime.fromtimestamp(world.now[0], UTC) - timedelta(hours=hours_ago)
    return world.control.generate_activity(PARENT_ID, "run", start_at=start, name="With Rex", points=400, **values)


@pytest.mark.parametrize("field", ["start_date", "start_date_local"])
def test_no_copy_is_made_of_activities_with_a_hidden_start_time_and_each_says_why(family, monkeypatch, field):
    detail = StravaClient.activity
    hidden = {field: "2026-06-17T00:00:01Z"}
    monkeypatch.setattr(
        StravaClient, "activity", lambda self, *ids: Activity.parse({**detail(self, *ids).fields, **hidden})
    )

    results = [result for at in (8, 2) for result in copied(family, finish(family, at, seed=at))]

    assert [result.state for result in results] == ["skipped", "skipped"]
    assert all("Strava hides when this activity began" in result.reason for result in results)
    assert family.control.activity_ids(CHILD_ID) == []


@pytest.mark.parametrize(("trainer", "commute"), [(False, False), (True, False), (False, True), (True, True)])
def test_copy_is_on_a_trainer_or_to_work_when_the_original_is(family, monkeypatch, trainer, commute):
    detail = StravaClient.activity
    told = {"trainer": trainer, "commute": commute}
    monkeypatch.setattr(
        StravaClient, "activity", lambda self, *ids: Activity.parse({**detail(self, *ids).fields, **told})
    )

    (result,) = copied(family, finish(family, 2, seed=1))

    theirs = family.control.activity(result.child_activity_id)["detail"]
    assert (theirs["trainer"], theirs["commute"]) == (trainer, commute)
