"""Links are agreed, confirmed, changed, paused, resumed and ended, by whoever decides it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.errors import BadRequest
from include.linking import links
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import AthleteStatus
from include.state.consent.feed import UNDO_S, LinkAction, Side
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions, Link, LinkStatus

ADA, REX, ZOE = 11, 22, 33
SETTINGS = Settings.from_environ(EXAMPLES)


def as_it_is(link: Link) -> Link:
    return link


@pytest.fixture
def accepted(services: Any) -> Link:
    """Rex has accepted Ada's invitation; she has not confirmed it."""
    return services.state.links.save(Link(ADA, REX, ("Rex",), child_consent_epoch_s=1))  # type: ignore[no-any-return]


@pytest.fixture
def agreed(services: Any) -> Link:
    return links.agree(services, SETTINGS, ADA, REX, ("Rex",), as_it_is)


def test_agreed_link_makes_copies_and_says_when_both_agreed(services: Any, agreed: Link) -> None:
    assert agreed == services.state.links.get(ADA, REX)
    assert agreed.makes_copies
    assert (agreed.parent_consent_epoch_s, agreed.child_consent_epoch_s) == (1_760_000_000, 1_760_000_000)


def test_agreeing_again_keeps_consent_and_choices_and_takes_up_what_ended(services: Any, agreed: Link) -> None:
    links.change(services, ADA, REX, lambda link: replace(link, options=CopyOptions(power=False)))
    links.end(services, ADA, REX, Side.PARENT)
    services.clock.advance(100)
    again = links.agree(services, SETTINGS, ADA, REX, ("Bello",), as_it_is)
    assert again == replace(agreed, names=("Bello",), options=CopyOptions(power=False))


@pytest.mark.parametrize(
    ("parent_id", "child_id", "why"),
    [
        pytest.param(ADA, ADA, "two athletes", id="to oneself"),
        pytest.param(ADA, ZOE, f"{ZOE} is not connected: have them connect at", id="unknown child"),
        pytest.param(ZOE, REX, f"{ZOE} is not connected: have them connect at", id="unknown parent"),
    ],
)
def test_link_of_athletes_who_cannot_be_linked_is_refused(
    services: Any, parent_id: int, child_id: int, why: str
) -> None:
    with pytest.raises(BadRequest, match=why):
        links.agree(services, SETTINGS, parent_id, child_id, ("Rex",), as_it_is)
    assert services.state.links.get(parent_id, child_id) is None


@pytest.mark.parametrize("who", [ADA, REX])
@pytest.mark.parametrize("how", ["disconnected", "leaving"])
def test_operator_makes_no_link_of_an_athlete_who_has_left(services: Any, who: int, how: str) -> None:
    if how == "disconnected":
        services.state.athletes.mark(who, AthleteStatus.REVOKED)
    else:
        services.state.erasures.ask_now(who, EraseReason.ATHLETE)
    with pytest.raises(BadRequest, match=f"{who} is not connected"):
        links.agree(services, SETTINGS, ADA, REX, ("Rex",), as_it_is)
    assert services.state.links.get(ADA, REX) is None


@pytest.mark.usefixtures("accepted")
@pytest.mark.parametrize(
    ("chosen", "starts_at"), [pytest.param(0, 1_760_000_000, id="now"), pytest.param(5, 5, id="chosen day")]
)
def test_confirmed_link_makes_copies_from_now_or_the_chosen_day(services: Any, chosen: int, starts_at: int) -> None:
    links.change(services, ADA, REX, lambda link: replace(link, starts_at_epoch_s=chosen))
    confirmed = links.confirm(services, ADA, REX)
    assert confirmed is not None
    assert confirmed.makes_copies
    assert (confirmed.parent_consent_epoch_s, confirmed.starts_at_epoch_s) == (1_760_000_000, starts_at)
    services.clock.advance(100)
    assert links.confirm(services, ADA, REX) == confirmed


def test_link_whose_child_has_not_accepted_is_not_confirmed(services: Any) -> None:
    before = services.state.links.save(Link(ADA, REX, ("Rex",)))
    assert links.confirm(services, ADA, REX) == before


@pytest.mark.usefixtures("agreed")
def test_paused_link_makes_copies_again_when_it_is_resumed(services: Any) -> None:
    paused = links.pause(services, ADA, REX)
    assert paused is not None
    assert not paused.makes_copies
    resumed = links.resume(services, ADA, REX)
    assert resumed is not None
    assert resumed.makes_copies


def test_step_that_was_taken_before_writes_nothing(services: Any, agreed: Link) -> None:
    resumed = links.resume(services, ADA, REX)
    assert resumed is not None
    assert (resumed, resumed.version) == (agreed, agreed.version)


@pytest.mark.parametrize("step", [links.confirm, links.pause, links.resume])
def test_nothing_is_done_to_a_link_that_is_not_there_or_has_ended(services: Any, step: Any) -> None:
    assert step(services, ADA, REX) is None
    ended = services.state.links.save(Link(ADA, REX, ("Rex",), child_consent_epoch_s=1, status=LinkStatus.ENDED))
    assert step(services, ADA, REX) is None
    assert services.state.links.get(ADA, REX) == ended


def test_change_is_decided_again_on_what_another_has_changed_meanwhile(services: Any, agreed: Link) -> None:
    rounds = []

    def rename(link: Link) -> Link:
        if not rounds:
            rounds.append(services.state.links.save(replace(link, status=LinkStatus.PAUSED)))
        return replace(link, names=("Bello",))

    changed = links.change(services, ADA, REX, rename)
    assert changed == replace(agreed, names=("Bello",), status=LinkStatus.PAUSED)


def test_change_that_is_refused_changes_nothing(services: Any, agreed: Link) -> None:
    def refuse(_: Link) -> Link:
        raise BadRequest("no such choice")

    with pytest.raises(BadRequest):
        links.change(services, ADA, REX, refuse)
    assert services.state.links.get(ADA, REX) == agreed


# --- an end that is taken back -------------------------------------------------------------------


def actions(link: Link | None) -> list[tuple[Side, LinkAction]]:
    assert link is not None
    return [(entry.by, entry.action) for entry in link.feed]


@pytest.mark.parametrize("side", [Side.PARENT, Side.CHILD])
@pytest.mark.parametrize("was", [LinkStatus.ACTIVE, LinkStatus.PAUSED])
def test_link_is_as_before_when_whoever_ended_it_takes_that_back_within_a_day(
    services: Any, agreed: Link, side: Side, was: LinkStatus
) -> None:
    other = Side.CHILD if side is Side.PARENT else Side.PARENT
    before = services.state.links.save(replace(agreed, status=was))
    ended = links.end(services, ADA, REX, side)
    assert ended is not None
    assert not ended.makes_copies
    services.clock.advance(UNDO_S - 1)

    assert links.undo_end(services, ADA, REX, other) is None
    for _ in range(2):
        assert links.undo_end(services, ADA, REX, side) == before
    restored = services.state.links.get(ADA, REX)
    assert restored == before
    assert actions(restored)[-2:] == [(side, LinkAction.ENDED), (side, LinkAction.END_UNDONE)]


@pytest.mark.usefixtures("agreed")
def test_end_is_not_taken_back_after_a_day(services: Any) -> None:
    ended = links.end(services, ADA, REX, Side.PARENT)
    services.clock.advance(UNDO_S)
    assert links.undo_end(services, ADA, REX, Side.PARENT) is None
    assert services.state.links.get(ADA, REX) == ended


@pytest.mark.usefixtures("agreed")
@pytest.mark.parametrize("who", [ADA, REX])
@pytest.mark.parametrize("how", ["disconnected", "leaving"])
def test_end_is_not_taken_back_where_one_of_them_has_left(services: Any, who: int, how: str) -> None:
    ended = links.end(services, ADA, REX, Side.PARENT)
    if how == "disconnected":
        services.state.athletes.mark(who, AthleteStatus.REVOKED)
    else:
        services.state.erasures.ask_now(who, EraseReason.ATHLETE)
    assert links.undo_end(services, ADA, REX, Side.PARENT) is None
    assert services.state.links.get(ADA, REX) == ended


@pytest.mark.usefixtures("agreed")
@pytest.mark.parametrize("second", [Side.PARENT, Side.CHILD, Side.OPERATOR])
def test_end_that_the_other_side_has_said_too_is_taken_back_by_neither(services: Any, second: Side) -> None:
    first = Side.PARENT if second is Side.CHILD else Side.CHILD
    links.end(services, ADA, REX, first)
    services.clock.advance(60)
    for _ in range(2):
        links.end(services, ADA, REX, second)
    assert [links.undo_end(services, ADA, REX, each) for each in Side] == [None, None, None]
    ended = services.state.links.get(ADA, REX)
    assert ended.status is LinkStatus.ENDED
    assert actions(ended)[1:] == [(first, LinkAction.ENDED), (second, LinkAction.ENDED)]


def test_end_that_is_said_to_a_link_that_is_not_there_or_ended_long_ago_writes_nothing(services: Any) -> None:
    assert links.end(services, ADA, REX, Side.CHILD) is None
    before = services.state.links.save(Link(ADA, REX, ("Rex",), status=LinkStatus.ENDED))
    ended = links.end(services, ADA, REX, Side.CHILD)
    assert ended is not None
    assert (ended, ended.version) == (before, before.version)


def test_end_of_an_older_version_is_not_taken_back(services: Any, agreed: Link) -> None:
    services.state.links.save(replace(agreed, status=LinkStatus.ENDED))
    assert links.undo_end(services, ADA, REX, Side.PARENT) is None


def test_link_of_the_operator_says_so_and_both_sides_are_told(agreed: Link) -> None:
    assert agreed.made_by_operator
    assert actions(agreed) == [(Side.OPERATOR, LinkAction.LINKED)]


@pytest.mark.usefixtures("agreed")
def test_step_that_was_taken_before_is_told_once(services: Any) -> None:
    for _ in range(3):
        links.pause(services, ADA, REX)
    assert actions(services.state.links.get(ADA, REX))[1:] == [(Side.PARENT, LinkAction.PAUSED)]
