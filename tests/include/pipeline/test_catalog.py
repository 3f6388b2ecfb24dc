"""The catalogue is made to agree with the lake, whoever writes, erases or dies meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import RetryLater
from include.lake.keys import partition_prefix
from include.lake.objects.objects import Condition
from include.pipeline import catalog as catalog_module
from include.pipeline.catalog import PartitionCounts, is_crawl_due, register_waiting
from include.pipeline.erasure.erase import EraseRequest, erase
from include.pipeline.erasure.watch import remove_late_records
from include.pipeline.ingest.sync import sync
from include.state.erasures.ledger import EraseReason
from include.state.partitions import SETTLED_S, Partition

pytestmark = pytest.mark.network

PARENT_ID = 71
STREAMS = Partition("streams", PARENT_ID, 2026)
LATE = f"{partition_prefix(STREAMS)}2026-05.parquet"


class Named:
    """A catalogue that remembers partitions by name, as Glue does; `before_register` runs when it is called."""

    def __init__(self):
        self.named = set()
        self.before_register = lambda: None

    def register(self, partitions):
        wanted = set(partitions)
        if wanted:
            self.before_register()
        self.named |= wanted

    def unregister(self, partitions):
        self.named -= set(partitions)

    def of_athlete(self, athlete_id):
        return [partition for partition in self.named if partition.athlete_id == athlete_id]


@pytest.fixture
def named():
    return Named()


@pytest.fixture
def services(world, named):
    return replace(world.services, lake=replace(world.services.lake, catalog=named))


def waiting(services):
    return {each.partition for each in services.lake.partitions.waiting()}


def synced(world, **values):
    activity_id = world.finish(announce=False, **values)
    sync(world.services, world.item(activity_id), source="webhook")
    return activity_id


def removed(world, activity_id):
    world.control.delete_activity(activity_id)
    sync(world.services, replace(world.item(activity_id), is_announced=True), source="webhook")


def test_what_waits_is_registered_once_and_waits_no_more(world, services, named):
    synced(world)
    synced(world, hours_ago=24 * 300)
    wanted = waiting(services)
    assert len(wanted) == 6

    assert register_waiting(services) == PartitionCounts(registered=6)
    assert (named.named, waiting(services)) == (wanted, set())
    assert register_waiting(services) == PartitionCounts()


def test_partitions_are_registered_a_hundred_at_once(services, named, monkeypatch):
    partitions = {Partition("streams", athlete_id, 2026) for athlete_id in range(1, 102)}
    register, sizes = named.register, []

    def counted(wanted):
        wanted = list(wanted)
        sizes.append(len(wanted))
        register(wanted)

    monkeypatch.setattr(named, "register", counted)
    for partition in partitions:
        services.lake.objects.put(f"{partition_prefix(partition)}2026-05.parquet", b"x", expected=Condition.ABSENT)

    assert register_waiting(services) == PartitionCounts(registered=101, removed=0)
    assert (named.named, waiting(services), sizes) == (partitions, set(), [0, 100, 1])


def test_what_a_run_that_dies_has_done_stays_done(services, named, monkeypatch):
    monkeypatch.setattr(catalog_module, "AT_ONCE", 2)
    for athlete_id in range(1, 6):
        key = f"streams/athlete_id={athlete_id}/year=2026/2026-05.parquet"
        services.lake.objects.put(key, b"x", expected=Condition.ABSENT)
    register, calls = named.register, []

    def throttled(partitions):
        calls.append(list(partitions))
        if len(calls) == 3:  # the first is of none
            raise RetryLater("throttled")
        register(calls[-1])

    monkeypatch.setattr(named, "register", throttled)
    with pytest.raises(RetryLater):
        register_waiting(services)
    assert (len(named.named), len(waiting(services))) == (2, 3)
    register_waiting(services)
    assert (len(named.named), waiting(services)) == (5, set())


def test_writer_that_dies_before_its_write_leaves_a_row_that_goes_by_itself(world, services, named):
    services.lake.partitions.note(STREAMS)
    register_waiting(services)
    assert (named.named, waiting(services)) == (set(), {STREAMS})
    world.clock.advance(SETTLED_S)
    register_waiting(services)
    assert (named.named, waiting(services)) == (set(), set())


def test_writer_that_is_slow_to_write_is_registered_although_the_catalogue_looked_before(services, named):
    services.lake.partitions.note(STREAMS)
    register_waiting(services)
    services.lake.objects.put(LATE, b"x", expected=Condition.ABSENT)  # noted already, so without a new note

    register_waiting(services)
    assert (named.named, waiting(services)) == ({STREAMS}, set())


def test_partition_leaves_the_catalogue_with_its_last_activity(world, services, named):
    old, young = synced(world, hours_ago=24 * 300), synced(world)
    register_waiting(services)
    assert {partition.year for partition in named.named} == {2025, 2026}

    removed(world, old)
    assert register_waiting(services).to_json() == {"registered": 0, "removed": 3}
    assert {partition.year for partition in named.named} == {2026}
    removed(world, young)
    register_waiting(services)
    assert named.named == set()


def test_change_that_comes_while_the_catalogue_works_waits_for_its_next_run(world, services, named):
    synced(world)
    world.clock.advance(SETTLED_S)

    def remove_everything():
        named.before_register = lambda: None
        for key in list(services.lake.objects.list("streams/")):
            services.lake.objects.delete(key, expected=Condition.ANYTHING)

    named.before_register = remove_everything
    register_waiting(services)
    assert waiting(services) == {STREAMS}
    register_waiting(services)
    assert {partition.table for partition in named.named} == {"activities", "laps"}


def test_partitions_stay_in_the_catalogue_when_another_run_settled_them_meanwhile(world, services, named):
    synced(world)
    wanted = waiting(services)

    def other_run():
        named.before_register = lambda: None
        assert register_waiting(services) == PartitionCounts(registered=3)

    named.before_register = other_run
    assert register_waiting(services) == PartitionCounts(registered=3)
    assert (named.named, waiting(services)) == (wanted, set())


# --- erased athletes -----------------------------------------------------------------------------


@pytest.fixture
def erased(world):
    return lambda services: erase(services, EraseRequest(PARENT_ID, EraseReason.OPERATOR), world.settings)


def test_erased_athletes_partitions_leave_the_catalogue_and_its_waiting_list(world, services, named, erased):
    synced(world)
    register_waiting(services)
    synced(world, hours_ago=24 * 300)
    named.register([Partition("laps", PARENT_ID, 1999), Partition("streams", 711, 2026)])  # emptied long ago; another's

    counts = erased(services).counts
    assert named.named == {Partition("streams", 711, 2026)}
    assert waiting(services) == set()
    assert (counts["catalog_partitions"], counts["partitions"]) == (4, 3)


def test_athlete_who_is_erased_while_the_catalogue_works_is_not_in_it_afterwards(world, services, named, erased):
    synced(world)

    def erase_now():
        named.before_register = lambda: None
        erased(services)

    named.before_register = erase_now
    agreed = register_waiting(services)
    assert (named.named, waiting(services)) == (set(), set())
    assert agreed == PartitionCounts(registered=0, removed=3)


def test_late_row_of_an_erased_athlete_registers_nothing(world, services, named, erased):
    synced(world)
    erased(services)
    services.lake.partitions.note(STREAMS)

    register_waiting(services)
    assert named.named == set()
    world.clock.advance(SETTLED_S)
    register_waiting(services)
    assert waiting(services) == set()


def test_late_object_of_an_erased_athlete_leaves_lake_and_catalogue_at_the_second_look(world, services, named, erased):
    synced(world)
    erased(services)
    services.lake.objects.put(LATE, b"x", expected=Condition.ABSENT)
    register_waiting(services)

    assert remove_late_records(services) >= 2
    assert (named.named, list(services.lake.objects.list("streams/"))) == (set(), [])
    remove_late_records(services)
    assert waiting(services) == set()


# --- the crawler ---------------------------------------------------------------------------------


def test_crawl_is_due_as_often_as_the_setting_says_and_when_a_table_has_changed(world, monkeypatch):
    settings = replace(world.settings, crawl_every_h="2")

    def due(*, is_asked_for=False):
        return is_crawl_due(world.services, settings, is_asked_for=is_asked_for)

    assert [due(), due(), due(is_asked_for=True)] == [True, False, True]
    world.clock.advance(2 * 3600 - 1)
    assert not due()
    world.clock.advance(1)
    assert due()
    monkeypatch.setattr(catalog_module, "schema_digest", lambda: "another")
    assert [due(), due()] == [True, False]
