"""How every `Store` counts."""

from __future__ import annotations

import pytest

from include.errors import CeilingReached, VersionConflict
from include.store.store import ABSENT, Key, Store

COUNTERS = Key("quota", "2026-11-22")


def test_add_counts_from_zero_when_there_is_no_row(store: Store) -> None:
    assert store.add(COUNTERS, {"read": 2, "total": 3}) == {"read": 2, "total": 3}
    assert store.add(COUNTERS, {"read": 1, "other": -4}) == {"read": 3, "other": -4}

    item = store.get(COUNTERS)
    assert item is not None
    assert item.fields == {"read": 3, "total": 3, "other": -4}


def test_counters_may_have_any_name(store: Store) -> None:
    names = ["read_1315", "a.b[0]", "#n", ":v", "SELECT", "näme 🐕", 'q"uote', "0"]
    for _ in range(2):
        store.add(COUNTERS, dict.fromkeys(names, 1), ceilings=dict.fromkeys(names, 2))

    with pytest.raises(CeilingReached) as caught:
        store.add(COUNTERS, {"other": 1, "#n": 1}, ceilings={"#n": 2})

    item = store.get(COUNTERS)
    assert item is not None
    assert (caught.value.field, item.fields) == ("#n", dict.fromkeys(names, 2))


def test_add_leaves_version_and_other_fields_alone(store: Store) -> None:
    version = store.put(COUNTERS, {"read": 1, "note": "ü"}, expected_version=ABSENT)

    store.add(COUNTERS, {"read": 2**53})

    item = store.get(COUNTERS)
    assert item is not None
    assert (item.fields, item.version) == ({"read": 2**53 + 1, "note": "ü"}, version)


def test_row_exists_when_add_made_it(store: Store) -> None:
    store.add(COUNTERS, {"read": 1})

    with pytest.raises(VersionConflict):
        store.put(COUNTERS, {}, expected_version=ABSENT)

    item = store.get(COUNTERS)
    assert item is not None
    assert item.version == ABSENT + 1
    assert store.put(COUNTERS, {}, expected_version=item.version) == item.version + 1


@pytest.mark.parametrize(
    ("before", "step", "ceiling", "refused"),
    [
        pytest.param(None, 5, 5, False, id="up to it from nothing"),
        pytest.param(None, 6, 5, True, id="past it from nothing"),
        pytest.param(4, 1, 5, False, id="up to it"),
        pytest.param(5, 1, 5, True, id="past it"),
        pytest.param(0, 1, 0, True, id="ceiling zero"),
        pytest.param(0, 1, -3, True, id="ceiling below zero"),
        pytest.param(9, 0, 5, False, id="no step while above"),
        pytest.param(9, -1, 5, False, id="down while above"),
    ],
)
def test_add_is_refused_when_a_counter_would_pass_its_ceiling(
    store: Store, before: int | None, step: int, ceiling: int, refused: bool
) -> None:
    if before is not None:
        store.add(COUNTERS, {"read": before})
    counted = {"other": 1, "read": step}

    if refused:
        with pytest.raises(CeilingReached) as caught:
            store.add(COUNTERS, counted, ceilings={"other": 10, "read": ceiling})
        assert caught.value.field == "read"
    else:
        store.add(COUNTERS, counted, ceilings={"other": 10, "read": ceiling})

    item = store.get(COUNTERS)
    found = item.fields if item else {}
    assert found.get("read", 0) == (before or 0) + (0 if refused else step)
    assert found.get("other", 0) == (0 if refused else 1)


def test_refusal_names_the_counter_that_has_no_room(store: Store) -> None:
    store.add(COUNTERS, {"day": 2})

    with pytest.raises(CeilingReached) as caught:
        store.add(COUNTERS, {"read": 5, "day": 1}, ceilings={"read": 5, "day": 2})

    assert caught.value.field == "day"
    assert str(caught.value) == "quota 2026-11-22: day would reach 3, its ceiling is 2"


def test_add_ignores_the_ceilings_of_counters_it_does_not_raise(store: Store) -> None:
    store.add(COUNTERS, {"day": 9})

    assert store.add(COUNTERS, {"read": 1}, ceilings={"day": 5, "read": 1}) == {"read": 1}
