from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.lake.rows.activity_update import merged_rows
from include.lake.rows.synced import ActivityRows
from include.lake.schemas import ACTIVITIES

MakeRows = Callable[..., ActivityRows]


def after(old: ActivityRows, new: ActivityRows) -> dict[str, Any]:
    table = merged_rows(old.activity, new.activity)
    assert table.schema.equals(ACTIVITIES, check_metadata=True)
    (row,) = table.to_pylist()
    assert isinstance(row, dict)
    return row


def test_row_keeps_when_and_whence_it_came_when_it_says_nothing_new(make_rows: MakeRows) -> None:
    row = after(make_rows(at=1.0, source="webhook"), make_rows(at=9.0, source="reconcile"))
    assert (row["source"], row["updated_at"].timestamp()) == ("webhook", 1.0)


def test_row_is_the_new_one_when_a_field_changed(make_rows: MakeRows) -> None:
    row = after(make_rows(at=1.0), make_rows(at=9.0, source="reconcile", name="Another title"))
    assert (row["name"], row["source"], row["updated_at"].timestamp()) == ("Another title", "reconcile", 9.0)


SUMMARY = {"resource_state": 2, "description": None, "calories": None, "hide_from_home": None}


def test_summary_does_not_wipe_what_only_a_detail_says(make_rows: MakeRows) -> None:
    row = after(make_rows(hide_from_home=True), make_rows(at=9.0, **SUMMARY, name="Another title"))
    assert (row["name"], row["description"], row["calories_kcal"]) == ("Another title", "through the park", 310.5)
    assert (row["hide_from_home"], row["has_detail"]) == (True, True)


def test_columns_that_a_summary_cannot_wipe_are_those_that_say_that_they_need_a_detail(make_rows: MakeRows) -> None:
    of_lists = {"gear_id": "b1", "average_watts": 200.0, "workout_type": 1, "external_id": "x", "commute": True}
    of_details = {"device_name": "Edge", "hide_from_home": False}
    silent = dict.fromkeys((*of_lists, *of_details, "description", "calories", "upload_id", "kudos_count"))
    old, new = make_rows(**of_lists, **of_details), make_rows(at=9.0, resource_state=2, **silent)

    kept = {name for name, value in after(old, new).items() if value != new.activity[name][0].as_py()}

    said = {column.name for column in ACTIVITIES if b"no detailed answer" in column.metadata.get(b"null", b"")}
    assert kept - {"has_detail"} == said


def test_detail_wipes_what_it_no_longer_says(make_rows: MakeRows) -> None:
    assert after(make_rows(), make_rows(description=None))["description"] is None


@pytest.mark.parametrize("resource_state", [pytest.param(2, id="summary"), pytest.param(3, id="detail")])
def test_row_is_taken_as_it_is_when_there_was_none(make_rows: MakeRows, resource_state: int) -> None:
    new = make_rows(resource_state=resource_state).activity
    assert merged_rows(ACTIVITIES.empty_table(), new).equals(new)
