"""A parent has no more children and open invitations than there may be, however many are made at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from include.clock import Clock
from include.crypto.key_file import KeyFileCipher
from include.linking import ceilings
from include.linking.ceilings import has_room_for_child, has_room_for_invitation
from include.state import claims
from include.state.claims import Claims
from include.state.consent.feed import Side
from include.state.invites import invite_id_of
from include.state.links import CopyOptions, Link, LinkStatus
from include.state.state import State
from include.store.store import Store

ADA, MOST = 11, 3
Make = Callable[[int], bool]


@dataclass
class Services:
    """What the ceilings take."""

    state: State
    clock: Clock


@pytest.fixture
def services(store: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr(ceilings, "CHILDREN", MOST)
    monkeypatch.setattr(ceilings, "OPEN_INVITATIONS", MOST)
    return Services(State.on(store, KeyFileCipher(tmp_path / "token.key"), clock), clock)


@pytest.fixture(params=["children", "invitations"])
def make(request: pytest.FixtureRequest, services: Services) -> Make:
    """Makes one of a kind where there is room."""

    def child(number: int) -> bool:
        has_room = has_room_for_child(services, ADA, number)
        if has_room:
            services.state.links.save(Link(ADA, number, ("Rex",), child_consent_epoch_s=1))
        return has_room

    def invitation(number: int) -> bool:
        has_room = has_room_for_invitation(services, ADA, invite_id_of(str(number)))
        if has_room:
            services.state.invites.create(str(number), ADA, ("Rex",), CopyOptions())
        return has_room

    return child if request.param == "children" else invitation


def test_ceiling_holds_when_many_are_made_at_once(make: Make, services: Services) -> None:
    assert make(1)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(2, 8)))

    assert sum(made) == MOST - 1
    assert services.state.links.count_children(ADA) + len(services.state.invites.open_of_parent(ADA)) == MOST


def test_same_one_is_made_again_at_the_ceiling(services: Services) -> None:
    for number in range(MOST):
        assert has_room_for_child(services, ADA, number)

    assert has_room_for_child(services, ADA, 0), "a form that is sent twice"
    assert not has_room_for_child(services, ADA, MOST)


def test_claim_of_one_that_was_never_made_counts_for_a_minute(
    services: Services, pass_time: Callable[[float], None], life_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIM_S", life_s)
    for number in range(MOST):
        assert has_room_for_invitation(services, ADA, f"invitation {number}")

    pass_time(life_s - 3)
    assert not has_room_for_invitation(services, ADA, "another")
    pass_time(3)
    assert has_room_for_invitation(services, ADA, "another")


def test_one_that_has_ended_leaves_its_room_at_once(services: Services) -> None:
    for number in range(MOST):
        assert has_room_for_child(services, ADA, number)
        assert has_room_for_invitation(services, ADA, invite_id_of(str(number)))
        services.state.links.save(Link(ADA, number, ("Rex",), child_consent_epoch_s=1))
        services.state.invites.create(str(number), ADA, ("Rex",), CopyOptions())
    link = services.state.links.get(ADA, 1)
    assert link is not None

    services.state.links.save(replace(link, status=LinkStatus.ENDED))
    services.state.invites.close(invite_id_of("1"), Side.PARENT)

    assert has_room_for_child(services, ADA, MOST)
    assert has_room_for_invitation(services, ADA, "another")


def test_one_parents_children_take_no_room_of_anothers(services: Services) -> None:
    for number in range(MOST):
        assert has_room_for_child(services, ADA, number)

    assert has_room_for_child(services, ADA + 1, MOST)


def test_second_of_two_counts_the_first_whose_claim_came_between_its_reading_and_its_writing(
    store: Store, clock: Clock
) -> None:
    claims, taken = Claims(store, clock), []

    def standing(recent: object) -> set[str]:
        if not taken:
            taken.append(claims.take("children", ADA, "first", most=1, standing=set))
        return set(recent)  # type: ignore[call-overload] # the ids that are given

    assert not claims.take("children", ADA, "second", most=1, standing=standing)
    assert taken == [True]
