"""A parent narrows alone and widens with the child's yes, which holds for what the child saw and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from include.errors import AskedTooSoon, RetryLater
from include.linking import consent, links
from include.state.accounts.athletes import AthleteStatus
from include.state.consent.feed import MOST_ENTRIES, UNDO_S, LinkAction, Side
from include.state.links import CopyOptions, Link, LinkStatus
from include.store.store import Key
from tests.include.linking.agreed import ADA, LINK, REX, names, proposed, wish


@pytest.mark.usefixtures("linked")
def test_row_of_an_older_version_counts_as_agreed_as_it_stands(services: Any) -> None:
    assert wish(services, lambda link: link) == LINK
    narrowed = wish(services, names("Rex"))
    assert (narrowed.names, narrowed.agreed, narrowed.proposal) == (("Rex",), LINK.terms, None)
    back = wish(services, names("Rexi", "Rex"))
    assert (back.names, back.proposal) == (("Rexi", "Rex"), None), "what the child once agreed to needs no second yes"


@pytest.mark.usefixtures("linked")
def test_widening_waits_while_what_was_agreed_stays_in_force(services: Any, stored: Callable[[], Link]) -> None:
    waiting = wish(services, names("Rex", "Bello"))
    assert waiting.names == ("Rex",), "the narrowing in it holds at once"
    assert waiting.proposal is not None
    assert waiting.proposal.names == ("Rex", "Bello")

    assert consent.accept(services, ADA, REX, proposed(waiting))

    assert (stored().names, stored().agreed, stored().proposal) == (("Rex", "Bello"), stored().terms, None)


@pytest.mark.usefixtures("linked")
def test_what_only_concerns_the_parents_data_needs_no_yes_and_keeps_the_proposal(services: Any) -> None:
    waiting = wish(services, names("Rex", "Bello"))
    changed = wish(services, lambda link: replace(link, options=replace(link.options, trim_m=0, heartrate=False)))
    assert (changed.options.trim_m, changed.options.heartrate) == (0, False)
    assert (changed.names, changed.proposal) == (("Rex",), waiting.proposal)


@pytest.mark.usefixtures("linked")
def test_yes_to_a_proposal_that_was_replaced_meanwhile_holds_for_neither(
    services: Any, stored: Callable[[], Link]
) -> None:
    seen = proposed(wish(services, names("Rex", "Bello")))
    second = wish(services, names("Rex", "Bello", "Everybody"))

    assert not consent.accept(services, ADA, REX, seen)
    assert not consent.close_proposal(services, ADA, REX, Side.CHILD, seen)
    assert stored() == second
    assert consent.accept(services, ADA, REX, proposed(second))


@pytest.mark.usefixtures("linked")
def test_yes_in_a_second_tab_changes_nothing_more(services: Any, stored: Callable[[], Link]) -> None:
    seen = proposed(wish(services, names("Bello")))
    assert consent.accept(services, ADA, REX, seen)
    accepted = stored()
    assert consent.accept(services, ADA, REX, seen)
    assert not consent.close_proposal(services, ADA, REX, Side.CHILD, seen), "a no after the yes: too late, and said so"
    assert (stored(), stored().version) == (accepted, accepted.version)


@pytest.mark.usefixtures("linked")
def test_withdrawn_proposal_is_not_accepted(services: Any, stored: Callable[[], Link]) -> None:
    seen = proposed(wish(services, names("Rex", "Bello")))
    wish(services, names("Rex"))
    assert not consent.accept(services, ADA, REX, seen)
    assert (stored().names, stored().feed[-1].action) == (("Rex",), LinkAction.WITHDRAWN)


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("side", [Side.CHILD, Side.PARENT])
def test_proposal_that_was_set_aside_waits_again_when_the_same_side_says_so_within_a_day(
    services: Any, stored: Callable[[], Link], side: Side
) -> None:
    other = Side.CHILD if side is Side.PARENT else Side.PARENT
    waiting = wish(services, names("Rex", "Bello"))
    for _ in range(2):
        assert consent.close_proposal(services, ADA, REX, side, proposed(waiting))
    assert (stored().names, stored().proposal) == (("Rex",), None)
    assert not consent.accept(services, ADA, REX, proposed(waiting))
    services.clock.advance(UNDO_S - 1)

    assert not consent.reopen_proposal(services, ADA, REX, other)
    for _ in range(2):
        assert consent.reopen_proposal(services, ADA, REX, side)
    assert stored() == waiting
    assert [entry.action for entry in stored().feed[-2:]] == [
        LinkAction.DECLINED if side is Side.CHILD else LinkAction.WITHDRAWN,
        LinkAction.PROPOSAL_REOPENED,
    ]


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("how", ["late", "disconnected", "ended"])
def test_proposal_that_was_declined_stays_so(services: Any, stored: Callable[[], Link], how: str) -> None:
    consent.close_proposal(services, ADA, REX, Side.CHILD, proposed(wish(services, names("Rex", "Bello"))))
    if how == "late":
        services.clock.advance(UNDO_S)
    elif how == "disconnected":
        services.state.athletes.mark(ADA, AthleteStatus.REVOKED)
    else:
        links.end(services, ADA, REX, Side.PARENT)
    assert not consent.reopen_proposal(services, ADA, REX, Side.CHILD)
    assert stored().proposal is None


@pytest.mark.usefixtures("linked")
def test_new_proposal_is_what_counts_after_the_old_one_was_withdrawn(services: Any, stored: Callable[[], Link]) -> None:
    consent.close_proposal(services, ADA, REX, Side.PARENT, proposed(wish(services, names("Rex", "Bello"))))
    second = wish(services, names("Rex", "Rexi", "Bella"))
    assert consent.reopen_proposal(services, ADA, REX, Side.PARENT)
    assert stored().proposal == second.proposal


@pytest.mark.usefixtures("linked")
def test_child_that_said_no_is_not_asked_again_for_a_week(services: Any, stored: Callable[[], Link]) -> None:
    consent.close_proposal(services, ADA, REX, Side.CHILD, proposed(wish(services, names("Rex", "Bello"))))
    declined = stored()
    services.clock.advance(consent.ASK_AGAIN_AFTER_S - 1)

    for by in (Side.PARENT, Side.OPERATOR):
        with pytest.raises(AskedTooSoon, match="said no") as refused:
            consent.revise(services, ADA, REX, names("Rex", "Bella"), by)
        assert refused.value.retry_after_s == 1
    assert (stored(), stored().version, stored().feed) == (declined, declined.version, declined.feed)

    services.clock.advance(1)
    assert wish(services, names("Rex", "Bella")).proposal is not None


@pytest.mark.usefixtures("linked")
def test_less_can_be_chosen_at_any_time_after_a_no(services: Any, stored: Callable[[], Link]) -> None:
    consent.close_proposal(services, ADA, REX, Side.CHILD, proposed(wish(services, names("Rex", "Bello"))))

    wish(services, names("Rexi"))

    assert (stored().names, stored().proposal) == (("Rexi",), None)
    with pytest.raises(AskedTooSoon):
        wish(services, names("Rexi", "Bello"))
    assert wish(services, names("Rex", "Rexi")).names == ("Rex", "Rexi"), "the child has agreed to both"


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("how", ["undone", "agreed"])
def test_child_that_takes_its_no_back_can_be_asked(services: Any, stored: Callable[[], Link], how: str) -> None:
    waiting = wish(services, names("Rex", "Bello"))
    consent.close_proposal(services, ADA, REX, Side.CHILD, proposed(waiting))
    assert consent.reopen_proposal(services, ADA, REX, Side.CHILD)
    if how == "agreed":
        assert consent.accept(services, ADA, REX, proposed(waiting))

    assert wish(services, names("Rex", "Bello", "Bella")).proposal is not None


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("side", [Side.CHILD, Side.PARENT])
def test_proposal_is_not_had_back_over_what_the_parent_has_chosen_since(
    services: Any, stored: Callable[[], Link], side: Side
) -> None:
    consent.close_proposal(services, ADA, REX, side, proposed(wish(services, names("Rex", "Bello"))))
    wish(services, lambda link: replace(link, options=replace(link.options, allow_private=False)))
    assert not consent.reopen_proposal(services, ADA, REX, side)
    assert (stored().proposal, stored().options.allow_private) == (None, False)


@pytest.mark.usefixtures("linked")
def test_ended_link_takes_no_yes_and_has_its_proposal_back_with_the_undo(
    services: Any, stored: Callable[[], Link]
) -> None:
    waiting = wish(services, names("Rex", "Bello"))
    links.end(services, ADA, REX, Side.CHILD)
    assert not consent.accept(services, ADA, REX, proposed(waiting))
    links.undo_end(services, ADA, REX, Side.CHILD)
    assert stored() == waiting


@pytest.mark.usefixtures("linked")
def test_feed_tells_each_change_once_and_keeps_the_latest(services: Any, stored: Callable[[], Link]) -> None:
    wish(services, lambda link: replace(link, options=CopyOptions(power=False)))
    wish(services, lambda link: replace(link, options=CopyOptions(power=False)))
    assert [(entry.action, entry.parts) for entry in stored().feed] == [
        (LinkAction.CHANGED, ("allow_private", "contents"))
    ]
    for turn in range(MOST_ENTRIES):
        wish(services, lambda link, turn=turn: replace(link, options=replace(link.options, trim_m=turn)))
        services.clock.advance(1)
    told = stored().feed
    assert len(told) == MOST_ENTRIES
    assert [entry.at_epoch_s for entry in told] == list(range(1_760_000_000, 1_760_000_000 + MOST_ENTRIES))


@pytest.mark.usefixtures("linked")
def test_crash_before_the_write_leaves_neither_the_change_nor_its_telling(
    services: Any, stored: Callable[[], Link], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = proposed(wish(services, names("Rex", "Bello")))
    before = stored()
    store = services.state.links._store

    def die(_: Key, *__: Any, **___: Any) -> int:
        raise RetryLater("the process died here")

    with monkeypatch.context() as dying:
        dying.setattr(type(store), "put", die)
        with pytest.raises(RetryLater):
            consent.accept(services, ADA, REX, seen)
    assert (stored(), stored().feed) == (before, before.feed)
    assert consent.accept(services, ADA, REX, seen)
    assert [entry.action for entry in stored().feed][-1] is LinkAction.ACCEPTED


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("turn", range(5))
def test_yes_and_another_proposal_at_once_never_put_in_force_what_the_child_did_not_see(
    services: Any, stored: Callable[[], Link], turn: int
) -> None:
    seen = proposed(wish(services, names("Rex", "Bello")))

    with ThreadPoolExecutor(2) as pool:
        yes = pool.submit(consent.accept, services, ADA, REX, seen)
        pool.submit(consent.revise, services, ADA, REX, names("Rex", "Everybody")).result()
        accepted = yes.result()

    assert "Everybody" not in stored().names
    assert stored().proposal is not None
    assert ("Bello" in stored().agreed_terms.names) == accepted
    assert stored().status is LinkStatus.ACTIVE
