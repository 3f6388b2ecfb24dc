"""Any number of keys is so many chunks as Airflow maps over, and one key's failure is its own."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import pytest

from include.errors import NotConnected, QuotaSpent, RetryLater, WorkBroken
from include.pipeline import chunks
from include.pipeline.chunks import ChunkOutcome, in_chunks, label, process_each, size_for


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (1500, [3] * 500)],
)
def test_keys_come_in_order_in_as_few_chunks_as_there_can_be(count, sizes):
    chunks = in_chunks(range(count), 3)
    assert [len(chunk) for chunk in chunks] == sizes
    assert [key for chunk in chunks for key in chunk] == list(range(count))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        pytest.param(1501, "This run takes 751 of 1501, from number 1 on", id="one too many"),
        pytest.param(3001, "This run takes 1001 of 3001, from number 1 on", id="many too many"),
    ],
)
def test_runs_take_turns_where_one_cannot_take_all(caplog, count, said):
    with caplog.at_level(logging.WARNING):
        turns = [in_chunks(range(count), 3, turn=turn) for turn in (6, 7, 8)][: ceil(count / 1500)]
    assert all(len(chunks) <= 500 for chunks in turns)
    assert sorted(key for chunks in turns for chunk in chunks for key in chunk) == list(range(count))
    assert said in caplog.text


def test_run_that_takes_all_says_nothing(caplog):
    with caplog.at_level(logging.WARNING):
        in_chunks(range(1500), 3, turn=1)
    assert caplog.text == ""


def test_owner_with_as_many_as_fill_a_chunk_has_it_alone():
    keys = [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("c", 1), ("a", 4)]
    assert in_chunks(keys, 3, owner=lambda key: key[0]) == [
        [("a", 1), ("a", 2), ("a", 3)],
        [("a", 4), ("b", 1), ("c", 1)],
    ]


@pytest.mark.parametrize(
    ("fault", "waiting"),
    [
        (NotConnected("Ann has to connect again"), "access"),
        (QuotaSpent("spent", until_epoch_s=9.0), "quota"),
        (RetryLater("503"), "a temporary fault"),
        (KeyError("name"), "KeyError"),
    ],
)
def test_one_that_fails_keeps_no_other_out(fault, waiting, caplog):
    def work(key):
        if key == 1:
            raise fault
        return key * 10

    worked = process_each([0, 1, 2], work)
    assert (worked.done, worked.faults, worked.waiting) == ({0: 0, 2: 20}, {1: fault}, (waiting,))
    assert str(fault) in caplog.text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        pytest.param([0, 1, 2, 3], "on 2 of 4: 1 (KeyError); 2 (ZeroDivisionError).", id="some"),
        pytest.param([1], "on 1 of 1: 1 (KeyError).", id="all"),
        pytest.param([1, 3], "on 1 of 2: 1 (KeyError).", id="nothing done"),
    ],
)
def test_defect_fails_the_chunk_after_the_others_are_done_and_names_its_keys(keys, said):
    done = []

    def work(key):
        if key == 1:
            raise KeyError("name")
        if key == 3:
            raise RetryLater("503")
        done.append(1 / (key - 2))

    worked = process_each(keys, work)
    assert len(done) == len(worked.done)
    with pytest.raises(WorkBroken, match=re.escape(said)) as broken:
        worked.confirm()
    assert isinstance(broken.value.__cause__, KeyError)


def test_faults_of_the_error_tree_are_no_defects():
    def work(key):
        if key:
            raise RetryLater("503")

    process_each([0, 1], work).confirm()
    process_each([], work).confirm()


def test_chunk_fails_with_its_first_fault_where_nothing_of_it_is_done():
    def work(key):
        raise RetryLater(f"fault {key}")

    with pytest.raises(RetryLater, match="fault 4"):
        process_each([4, 5], work)


def test_empty_chunk_is_done():
    assert process_each([], lambda key: key) == ChunkOutcome({}, {})


@pytest.mark.parametrize(
    ("names", "waiting", "shown"),
    [
        ([4_100_001], [], "4100001"),
        ([4_100_001, 5], [], "4100001 · 2 activities"),
        ([4_100_001, *range(19)], ["access"], "4100001 · 20 activities · 1 waits: access"),
        ([1, 2, 3], ["quota", "access", "quota"], "1 · 3 activities · 1 waits: access · 2 wait: quota"),
    ],
)
def test_label_names_the_first_and_what_waits(names, waiting, shown):
    assert label(names, "activities", waiting) == shown


@pytest.mark.parametrize(
    ("activities", "tasks"), [(0, 0), (1, 1), (4, 4), (5, 3), (10, 4), (60, 4), (80, 4), (81, 5), (100, 5)]
)
def test_a_run_of_many_activities_has_few_tasks(activities, tasks):
    assert len(in_chunks(range(activities), size_for(activities))) == tasks


@pytest.mark.parametrize("at_once", [2, 3])
def test_keys_are_worked_on_at_once_and_told_in_their_order(at_once):
    together = threading.Barrier(at_once, timeout=30)

    def work(key):
        together.wait()
        if key == 1:
            raise RetryLater("503")
        return key * 10

    worked = process_each([2, 1, 0][:at_once], work, at_once=at_once)
    assert list(worked.done.items()) == [(2, 20), (0, 0)][: at_once - 1]
    assert worked.waiting == ("a temporary fault",)


def test_keys_are_worked_on_one_after_the_other_in_the_callers_thread_unless_asked_otherwise():
    assert process_each([1, 2], lambda _: threading.current_thread()).done == dict.fromkeys(
        [1, 2], threading.current_thread()
    )


def test_no_more_are_worked_on_at_once_than_asked_for():
    under_way, most = set(), []
    lock = threading.Lock()

    def work(key):
        with lock:
            under_way.add(key)
            most.append(len(under_way))
        with lock:
            under_way.remove(key)

    process_each(range(50), work, at_once=2)
    assert len(most) == 50
    assert max(most) <= 2


def test_run_that_is_stopped_begins_no_further_key(monkeypatch):
    begun, shut = [], threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            shut.set()
            super().shutdown(wait=wait)

    def work(key):
        begun.append(key)
        if key == 0:
            raise SystemExit
        assert shut.wait(30)

    monkeypatch.setattr(chunks, "ThreadPoolExecutor", Pool)
    with pytest.raises(SystemExit):
        process_each(range(50), work, at_once=2)
    assert set(begun) <= {0, 1, 2}


def test_run_without_a_turn_takes_the_first_part():
    assert in_chunks(range(1501), 3)[0] == [0, 1, 2]
