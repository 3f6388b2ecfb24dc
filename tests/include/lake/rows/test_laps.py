from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.lake.rows.laps import laps_table
from include.lake.schemas import LAPS
from include.strava.models import Activity

MakeActivity = Callable[..., Activity]


def test_laps_are_rows_in_their_order(make_activity: MakeActivity) -> None:
    activity = make_activity()
    table = laps_table(make_activity(laps=list(reversed(activity.fields["laps"]))))
    assert table.schema.equals(LAPS, check_metadata=True)
    rows = table.to_pylist()
    assert [(row["lap_index"], row["lap_id"], row["elapsed_s"]) for row in rows] == [(1, 11, 3), (2, 12, 2)]
    assert rows[1]["start_ts_utc"] == datetime(2024, 3, 31, 22, 30, 3, tzinfo=UTC)
    assert rows[1]["average_watts"] is None
    assert {row["activity_id"] for row in rows} == {activity.activity_id}


@pytest.mark.parametrize("laps", [[], None, "laps", {}, [None, 3]])
def test_no_rows_when_there_are_no_laps(make_activity: MakeActivity, laps: Any) -> None:
    assert laps_table(make_activity(laps=laps)).num_rows == 0


def test_lap_takes_its_position_when_its_index_is_unreadable(make_activity: MakeActivity) -> None:
    table = laps_table(make_activity(laps=[{"lap_index": "one"}, {"id": 2**70}]))
    assert table["lap_index"].to_pylist() == [1, 2]
    assert table["lap_id"].to_pylist() == [None, None]
