"""A listing remembers the time zone of the newest activity, in which pages show times."""

from __future__ import annotations

import pytest

from include.pipeline.reconcile.due import list_athletes
from include.pipeline.reconcile.listing import Page
from include.strava.models import Activity

ROW = {
    "id": 1,
    "athlete": {"id": 71},
    "name": "Run",
    "sport_type": "Run",
    "start_date": "2026-06-17T10:00:00Z",
    "elapsed_time": 60,
    "distance": 100.0,
    "visibility": "everyone",
}


def page(*rows):
    return Page([Activity.parse({**ROW, "id": number, **row}) for number, row in enumerate(rows, start=1)])


@pytest.mark.parametrize(
    ("timezone", "zone"),
    [
        pytest.param("(GMT+01:00) Europe/Berlin", "Europe/Berlin", id="as Strava writes it"),
        pytest.param("Europe/Berlin", "Europe/Berlin", id="name alone"),
        pytest.param(None, "", id="none"),
        pytest.param(7, "", id="no text"),
    ],
)
def test_zone_of_a_page_is_that_of_its_row(timezone, zone):
    assert page({"timezone": timezone}).zone == zone


def test_zone_of_a_page_is_that_of_the_newest_row_that_names_one():
    assert page().zone == ""
    rows = (
        {"start_date": "2026-06-15T10:00:00Z", "timezone": "(GMT+01:00) Europe/Berlin"},
        {"start_date": "2026-06-16T10:00:00Z", "timezone": "(GMT-03:00) America/Sao_Paulo"},
        {"start_date": "2026-06-17T10:00:00Z"},
    )
    assert page(*rows).zone == "America/Sao_Paulo"


@pytest.mark.network
def test_listing_keeps_the_zone_for_the_pages(world):
    assert world.services.state.listings.get(71).zone == ""
    activity_id = world.finish()
    shown = next(iter(world.services.strava.client.activities(71)))[0]
    assert shown.activity_id == activity_id

    list_athletes(world.services, world.settings)

    assert world.services.state.listings.get(71).zone == shown.zone != ""
