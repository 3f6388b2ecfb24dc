from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.proofs.scale import page, record
from local.proofs.scale.counting import Counts, Kind
from local.proofs.scale.proof import judge
from local.proofs.scale.record import Counted
from local.proofs.scale.workloads import count

ATHLETES = 10


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Counts]:
    return count(tmp_path_factory.mktemp("scale"), ATHLETES)


def test_event_asks_strava_for_details_and_streams_and_sends_and_polls_a_copy(counted: Mapping[str, Counts]) -> None:
    assert counted["event"][Kind.STRAVA] == 4
    assert counted["event"][Kind.TASKS] == 5
    assert counted["event"][Kind.KEYS_LISTED] == 0


def test_reconcile_lists_two_pages_of_everybody_and_reads_one_object_each(counted: Mapping[str, Counts]) -> None:
    assert counted["reconcile"][Kind.STRAVA] == 2 * ATHLETES
    assert counted["reconcile"][Kind.OBJECTS_READ] == ATHLETES  # what the lists show is compared with it


def test_night_reads_every_table_object_once_and_asks_strava_nothing(counted: Mapping[str, Counts]) -> None:
    copies = 1
    assert counted["night"][Kind.OBJECTS_READ] == 3 * ATHLETES + copies
    assert counted["night"][Kind.STRAVA] == 0
    assert counted["night"][Kind.TASKS] == 7


def test_catalogue_looks_at_the_partitions_that_the_event_changed_and_at_no_object(
    counted: Mapping[str, Counts],
) -> None:
    streams_activities_laps_and_copies = 4
    assert counted["catalogue"][Kind.KEYS_LISTED] == streams_activities_laps_and_copies
    assert counted["catalogue"][Kind.OBJECTS_READ] == 0


def test_erasure_leaves_the_others_unread(counted: Mapping[str, Counts], tmp_path: Path) -> None:
    assert counted["erasure"] == count(tmp_path, 3)["erasure"]
    assert counted["erasure"][Kind.OBJECTS_READ] < 3 * ATHLETES


def test_record_gives_back_what_was_kept(counted: Mapping[str, Counts], tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    assert record.read(path) == {}

    record.keep({ATHLETES: counted}, path)

    assert record.read(path) == {ATHLETES: counted}


def of(event: int = 4, night: int = 3, lists: int = 2) -> Mapping[str, Counts]:
    return {
        "event": Counter({Kind.STRAVA: event, Kind.TASKS: 5}),
        "reconcile": Counter({Kind.STRAVA: lists}),
        "night": Counter({Kind.OBJECTS_READ: night, Kind.TASKS: 7}),
        "catalogue": Counter({Kind.KEYS_LISTED: 4}),
        "erasure": Counter({Kind.ROWS_READ: 80}),
    }


@pytest.mark.parametrize(
    ("counts", "broken"),
    [
        pytest.param({1: of(), 1_000: of(night=3_000)}, [], id="as it should be"),
        pytest.param({1: of(), 1_000: of(event=5, night=3_000)}, ["event"], id="an event costs more"),
        pytest.param({1: of(), 1_000: of(night=3_601)}, ["night"], id="a night costs each more"),
        pytest.param({1: of(), 1_000: of(lists=301, night=3_000)}, ["reconcile"], id="lists take too much"),
        pytest.param({1: of(event=0), 1_000: of(night=3_000)}, ["event"], id="calls where there were none"),
    ],
)
def test_claim_fails_when_its_counts_grow(counts: Counted, broken: list[str]) -> None:
    assert [verdict.proof for verdict in judge(counts) if not verdict.holds] == broken


def test_page_shows_each_count_at_each_size() -> None:
    text = page.page({10: of(), 1_000: of(night=3_000)})

    assert "| work | operations | 10 athletes | 1,000 athletes |" in text
    assert "| night | objects read | 3 | 3,000 |" in text
    assert "| calls to Strava for events | 40 | 4,000 |" in text
    assert "| hours between two lists of an athlete | 1 | 3.2 |" in text


def test_page_says_how_it_is_made_when_nothing_was_counted() -> None:
    assert "make proofs NAME=scale" in page.page({})
