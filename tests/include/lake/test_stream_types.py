"""One table of stream types: whatever is added to it is asked for, stored, copied and compared, or a test is red."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from include.copying.samples import Samples
from include.lake.rows.streams import streams_table
from include.lake.schemas import STREAMS
from include.state.links import CopyOptions
from include.strava.models import Activity, StreamSet
from include.strava.stream_types import BY_KEY, STREAM_TYPES, Kind, StreamType
from local.strava_simulator.world.activities import STREAM_KEYS
from local.testbed.track_files import write_gpx, write_tcx

ROOT = Path(__file__).parents[3]
ACTIVITY = Activity.parse(
    {"id": 9, "athlete": {"id": 7}, "name": "Run", "sport_type": "Run", "start_date": "2026-06-01T08:00:00Z"}
)
_SAMPLES = {Kind.FLAG: [True, False], Kind.POSITION: [[52.5, 13.25], [52.5001, 13.2502]]}


def _two_samples(each: StreamType) -> list[Any]:
    """17 and 18, or where a copy would leave these out as implausible, the ends of the plausible range."""
    if each.kind in _SAMPLES or each.key == "time":
        return _SAMPLES.get(each.kind, [0, 18])
    known = each.plausible
    return [17, 18] if known is None or (known.low <= 17 and known.high >= 18) else [known.low, known.high]


STREAMS_OF_ALL = {each.key: _two_samples(each) for each in STREAM_TYPES}
ALL = StreamSet(STREAMS_OF_ALL, b"")


def test_simulator_has_every_stream_type():
    assert set(STREAM_KEYS) == set(BY_KEY)


@pytest.mark.parametrize("each", STREAM_TYPES, ids=lambda each: each.key)
def test_stream_fills_its_columns(each):
    rows = streams_table(9, ALL, datetime(2026, 6, 1, tzinfo=UTC))
    stored = [rows[column].to_pylist() for column in each.columns]
    samples = ALL.channels[each.key]
    assert stored == ([list(pair) for pair in zip(*samples, strict=True)] if len(stored) == 2 else [samples])


def test_schema_has_the_columns_of_the_table_and_those_that_say_which_sample_it_is():
    columns = [column for each in STREAM_TYPES for column in each.columns]
    assert [name for name in STREAMS.names if name not in ("activity_id", "point_index", "ts")] == columns


@pytest.mark.parametrize("each", STREAM_TYPES, ids=lambda each: each.key)
def test_point_of_a_copy_has_the_columns_that_a_file_carries(each):
    names = {field.name for field in fields(Samples)} | {"time_s"}  # which a file carries as a time of day
    assert set(each.columns) <= names or not each.is_copied
    assert not set(each.columns) & names or each.is_copied


@pytest.mark.parametrize("each", [each for each in STREAM_TYPES if each.is_copied], ids=lambda each: each.key)
def test_file_carries_the_stream_in_the_element_that_the_table_names(each):
    carried = CopyOptions(heartrate=True, power=True, temperature=True)
    for name, written in ((each.gpx, write_gpx(ACTIVITY, ALL, carried)), (each.tcx, write_tcx(ACTIVITY, ALL, carried))):
        root = ElementTree.fromstring(written)  # noqa: S314 - our own
        texts = [
            "".join(e.itertext()).strip() for e in root.iter() if e.tag.rpartition("}")[2] == name.rpartition(":")[2]
        ]
        assert not name or texts, f"no point has `{name}`: gpx.py or tcx.py of include/copying has to write it"
        if each.kind is not Kind.POSITION and each.key != "time" and name:
            assert [float(text) for text in texts][-2:] == STREAMS_OF_ALL[each.key]


@pytest.mark.parametrize("each", [each for each in STREAM_TYPES if each.choice], ids=lambda each: each.key)
def test_choice_leaves_the_stream_out_of_both_files(each):
    carried = CopyOptions(**{name: name != each.choice for name in ("heartrate", "power", "temperature")})
    assert f"<{each.gpx}>".encode() not in write_gpx(ACTIVITY, ALL, carried)
    assert not each.tcx or f"<{each.tcx}>".encode() not in write_tcx(ACTIVITY, ALL, carried)


ADDED = """
import sys
from dataclasses import replace
from include.strava import stream_types as table
from local.testbed.track_files import write_gpx, write_tcx
new = replace(table.BY_KEY["heartrate"], key="grip", columns=("grip_n",), **{changes})
table.STREAM_TYPES += (new,)
table.BY_KEY["grip"] = new
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *sys.argv[1:]]))
"""


def with_another(changes: dict[str, str], *tests: str) -> str:
    """What these tests say when the table has another type, which is like the heart rate but for these changes."""
    script = ADDED.replace("{changes}", repr(changes))
    outcome = subprocess.run(
        [sys.executable, "-c", script, *tests], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    return outcome.stdout


def test_type_that_is_added_to_the_table_is_asked_for_and_stored_and_red_where_it_needs_code():
    told = with_another(
        {"gpx": "", "tcx": "", "choice": ""}, "tests/include/lake/test_stream_types.py", "-k", "not added"
    )
    assert "test_stream_fills_its_columns[grip]" not in told  # it does
    assert "FAILED tests/include/lake/test_stream_types.py::test_simulator_has_every_stream_type" in told
    assert "1 failed" in told


def test_type_that_is_added_and_to_be_copied_is_red_until_the_files_carry_it():
    told = with_another({"gpx": "gpxtpx:grip"}, "tests/include/lake/test_stream_types.py", "-k", "not added")
    assert "FAILED tests/include/lake/test_stream_types.py::test_point_of_a_copy" in told
