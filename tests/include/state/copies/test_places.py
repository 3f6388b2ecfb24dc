"""Each place has one circle, which stays, and which nobody can read who has no key."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from include.circle import Circle, Position, beyond, distance_m
from include.crypto.cipher import Cipher
from include.crypto.key_file import KeyFileCipher
from include.errors import CipherError
from include.state.copies import places as module
from include.state.copies.places import Places
from include.store.store import Key, Store

ANN, BEA = 7, 8
DOOR = Position(48.1371, 11.5754)
CAFE = Position(48.1501, 11.5801)


@pytest.fixture
def places(store: Store, cipher: Cipher) -> Places:
    return Places(store, cipher, random.Random(3).random)


def near(place: Position, way_m: float, bearing_rad: float = 1.0) -> Position:
    return beyond(place, bearing_rad=bearing_rad, way_m=way_m)


def test_nothing_is_hidden_or_stored_where_there_is_no_radius_or_no_end(places: Places) -> None:
    assert places.circles(ANN, 0, [DOOR]) == ()
    assert places.circles(ANN, 200, []) == ()
    assert places.sealed(ANN) == []


def test_place_keeps_its_circle_in_every_later_copy_and_process(places: Places, store: Store, cipher: Cipher) -> None:
    first = places.circles(ANN, 200, [DOOR, CAFE])
    assert [circle.radius_m for circle in first] == [350, 350]
    assert all(distance_m(circle.centre, end) <= 150 for circle, end in zip(first, (DOOR, CAFE), strict=True))

    later = Places(store, cipher, random.Random(4).random)
    for bearing_rad in range(6):
        assert later.circles(ANN, 200, [near(CAFE, 15, bearing_rad), near(DOOR, 15, bearing_rad)]) == first[::-1]


def test_recording_that_ends_where_it_began_has_one_circle(places: Places) -> None:
    assert len(places.circles(ANN, 200, [DOOR, near(DOOR, 5)])) == 1


@pytest.mark.parametrize(("athlete_id", "radius_m"), [(BEA, 200), (ANN, 201)])
def test_circle_is_another_for_another_athlete_or_radius(places: Places, athlete_id: int, radius_m: int) -> None:
    (mine,) = places.circles(ANN, 200, [DOOR])
    (other,) = places.circles(athlete_id, radius_m, [DOOR])
    assert distance_m(mine.centre, other.centre) > 1


def test_first_cut_is_the_one_that_is_stored(places: Places) -> None:
    assert places.circles(ANN, 200, [DOOR]) == places.circles(ANN, 200, [DOOR])


def test_two_workers_at_once_make_one_place(store: Store, cipher: Cipher) -> None:
    started = threading.Barrier(8)

    def hide(number: int) -> tuple[Circle, ...]:
        started.wait()
        return Places(store, cipher, random.Random(number).random).circles(ANN, 200, [near(DOOR, number, number)])

    with ThreadPoolExecutor(8) as workers:
        assert len(set(workers.map(hide, range(8)))) == 1


def test_worker_who_was_second_takes_the_place_of_the_first(store: Store, cipher: Cipher) -> None:
    first = Places(store, cipher, random.Random(1).random)

    def interrupted() -> float:
        first.circles(ANN, 200, [DOOR])
        return 0.5

    assert Places(store, cipher, interrupted).circles(ANN, 200, [near(DOOR, 4)]) == first.circles(ANN, 200, [DOOR])


def test_stored_places_cannot_be_read_without_the_key_or_as_another_athletes(
    places: Places, store: Store, cipher: Cipher, tmp_path: Path
) -> None:
    (circle,) = places.circles(ANN, 200, [DOOR])
    item = store.get(Key("places", str(ANN), "200"))
    assert item is not None
    assert set(item.fields) == {"athlete_id", "sealed"}
    assert str(circle.centre.latitude_deg)[:5] not in str(item.fields)

    with pytest.raises(CipherError):
        Places(store, KeyFileCipher(tmp_path / "other.key"), random.Random(1).random).circles(ANN, 200, [DOOR])
    store.put(Key("places", str(BEA), "200"), item.fields, expected_version=0)
    with pytest.raises(CipherError):
        places.circles(BEA, 200, [DOOR])


@pytest.mark.parametrize("most", [1, 2, 3])
def test_places_of_many_years_are_all_kept(places: Places, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "MOST_IN_ONE", most)
    doors = [near(DOOR, 5_000 * number) for number in range(7)]
    drawn = [places.circles(ANN, 200, doors[at : at + 2]) for at in range(0, 7, 2)]
    assert [places.circles(ANN, 200, doors[at : at + 2]) for at in range(0, 7, 2)] == drawn
    assert len(places.sealed(ANN)) == -(-7 // most)


@pytest.mark.parametrize(
    ("count", "texts"), [pytest.param(500, 1, id="as many as one text holds"), pytest.param(501, 2, id="one more")]
)
def test_places_beyond_five_hundred_are_sealed_in_another_text(places: Places, count: int, texts: int) -> None:
    doors = [Position(lat, lng) for lat in range(-60, 60, 3) for lng in range(-180, 180, 24)][:count]

    assert len(places.circles(ANN, 200, doors)) == count
    assert len(places.sealed(ANN)) == texts


def test_forgetting_leaves_nothing_of_the_athlete_and_everything_of_others(places: Places) -> None:
    for athlete_id in (ANN, BEA):
        places.circles(athlete_id, 200, [DOOR])
        places.circles(athlete_id, 50, [CAFE])
    for _ in range(2):
        places.forget(ANN)
    assert (places.sealed(ANN), len(places.sealed(BEA))) == ([], 2)


def test_places_are_the_same_under_another_key(store: Store, tmp_path: Path) -> None:
    cipher = KeyFileCipher(tmp_path / "token.key")
    places = Places(store, cipher, random.Random(3).random)
    before = places.circles(ANN, 200, [DOOR, CAFE])
    cipher.rotate()

    def is_current(text: str) -> bool:
        return cipher.key_of(text) == cipher.active_key

    assert [places.reencrypt(ANN, is_current) for _ in range(2)] == [1, 0]
    assert all(map(is_current, places.sealed(ANN)))
    assert places.circles(ANN, 200, [DOOR, CAFE]) == before


def test_places_under_an_older_key_alone_are_sealed_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_IN_ONE", 1)
    cipher = KeyFileCipher(tmp_path / "token.key")
    places = Places(store, cipher, random.Random(3).random)
    places.circles(ANN, 200, [DOOR, CAFE])
    places.circles(ANN, 50, [DOOR])
    cipher.rotate()
    third = near(DOOR, 5_000)
    circles = places.circles(ANN, 200, [DOOR, CAFE, third])
    before = places.sealed(ANN)

    def is_current(text: str) -> bool:
        return cipher.key_of(text) == cipher.active_key

    assert (places.reencrypt(ANN, is_current), places.reencrypt(BEA, is_current)) == (3, 0)

    rows = list(store.query("places", str(ANN)))
    assert places.reencrypt(ANN, is_current) == 0
    assert list(store.query("places", str(ANN))) == rows
    after = places.sealed(ANN)
    assert [text for text in after if text in before] == [text for text in before if is_current(text)]
    assert (len(after), all(map(is_current, after))) == (4, True)
    assert places.circles(ANN, 200, [DOOR, CAFE, third]) == circles


def test_known_places_are_read_and_not_written_again(places: Places, store: Store) -> None:
    places.circles(ANN, 200, [DOOR, CAFE])
    before = list(store.query("places", str(ANN)))

    places.circles(ANN, 200, [near(CAFE, 15)])

    assert list(store.query("places", str(ANN))) == before


def test_smallest_radius_hides_and_none_below_it_does(places: Places) -> None:
    assert places.circles(ANN, -1, [DOOR]) == ()
    assert len(places.circles(ANN, 1, [DOOR])) == 1
