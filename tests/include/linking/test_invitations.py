"""An invitation is accepted once, by another than its own parent, and becomes a link that waits for the parent."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import BeingErased
from include.linking import ceilings, links
from include.linking.invitations import Objection, accept, decline, find_open, objection, undo_decline
from include.state.accounts.athletes import AthleteStatus
from include.state.consent.feed import LinkAction, Side
from include.state.consent.terms import Terms
from include.state.erasures.ledger import EraseReason
from include.state.invites import LIFETIME_S, Invite
from include.state.links import CopyOptions, Link, LinkStatus

ADA, REX, ZOE = 11, 22, 33
SECRET = "ada's secret"


@pytest.fixture
def invite(services: Any) -> Invite:
    options = CopyOptions(power=False)
    return services.state.invites.create(SECRET, ADA, ("Rex",), options, starts_at_epoch_s=5)  # type: ignore[no-any-return]


def test_accepted_invitation_becomes_a_link_that_waits_for_the_parent(services: Any, invite: Invite) -> None:
    assert accept(services, invite.invite_id, REX) is None
    link = services.state.links.get(ADA, REX)
    agreed = Terms(("Rex",), 5, allow_private=False, title="{title}")
    assert link == Link(ADA, REX, ("Rex",), CopyOptions(power=False), 5, None, 1_760_000_000, agreed=agreed)
    assert not link.makes_copies
    assert find_open(services, SECRET) is None


def test_invitation_that_is_used_up_is_gone_for_everybody(services: Any, invite: Invite) -> None:
    accept(services, invite.invite_id, REX)
    assert [accept(services, invite.invite_id, each) for each in (REX, ZOE)] == [Objection.GONE, Objection.GONE]
    assert services.state.links.get(ADA, ZOE) is None


def test_own_invitation_is_not_accepted_and_stays_open(services: Any, invite: Invite) -> None:
    assert accept(services, invite.invite_id, ADA) is Objection.OWN
    assert find_open(services, SECRET) == invite


@pytest.mark.parametrize("status", [LinkStatus.ACTIVE, LinkStatus.PAUSED])
def test_child_who_is_linked_already_changes_nothing(services: Any, invite: Invite, status: LinkStatus) -> None:
    before = services.state.links.save(Link(ADA, REX, ("Bello",), child_consent_epoch_s=1, status=status))
    assert accept(services, invite.invite_id, REX) is Objection.LINKED
    assert (services.state.links.get(ADA, REX), find_open(services, SECRET)) == (before, invite)


def test_link_that_ended_begins_anew_without_the_parent_s_consent(services: Any, invite: Invite) -> None:
    services.state.links.save(Link(ADA, REX, ("Bello",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    links.end(services, ADA, REX, Side.PARENT)
    assert accept(services, invite.invite_id, REX) is None
    link = services.state.links.get(ADA, REX)
    assert (link.names, link.parent_consent_epoch_s, link.status) == (("Rex",), None, LinkStatus.ACTIVE)
    assert (link.ending, [entry.action for entry in link.feed]) == (None, [LinkAction.ENDED, LinkAction.LINKED])


@pytest.mark.parametrize("known", [True, False])
def test_expired_or_unknown_invitation_is_gone(services: Any, invite: Invite, known: bool) -> None:
    services.clock.advance(LIFETIME_S + 1 if known else 0)
    invite_id, secret = (invite.invite_id, SECRET) if known else ("nobody's", "nobody's")
    assert find_open(services, secret) is None
    assert objection(services, invite_id, REX) is Objection.GONE
    assert accept(services, invite_id, REX) is Objection.GONE


def test_invitation_whose_link_a_crash_lost_can_be_accepted_again_by_the_same_child(
    services: Any, invite: Invite
) -> None:
    services.state.invites.accept(invite.invite_id, REX)  # and the process died before the link was written
    assert find_open(services, SECRET) is not None
    assert accept(services, invite.invite_id, ZOE) is Objection.GONE
    assert accept(services, invite.invite_id, REX) is None
    assert services.state.links.get(ADA, REX).names == ("Rex",)


def test_invitation_after_an_ended_link_is_accepted_again_where_a_crash_lost_the_new_link(
    services: Any, invite: Invite
) -> None:
    services.state.links.save(Link(ADA, REX, ("Bello",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    links.end(services, ADA, REX, Side.CHILD)
    services.state.invites.accept(invite.invite_id, REX)  # and the process died before the link was written
    services.clock.advance(60)
    assert accept(services, invite.invite_id, REX) is None
    assert services.state.links.get(ADA, REX).names == ("Rex",)
    links.end(services, ADA, REX, Side.PARENT)
    assert accept(services, invite.invite_id, REX) is Objection.GONE, "it came to a link, which ended"


@pytest.mark.parametrize("how", ["disconnected", "leaving"])
def test_invitation_of_a_parent_who_has_left_is_gone(services: Any, invite: Invite, how: str) -> None:
    if how == "disconnected":
        services.state.athletes.mark(ADA, AthleteStatus.REVOKED)
    else:
        services.state.erasures.ask_now(ADA, EraseReason.ATHLETE)
    assert find_open(services, SECRET) is None
    assert accept(services, invite.invite_id, REX) is Objection.GONE
    assert services.state.links.get(ADA, REX) is None


@pytest.mark.parametrize("who", [ADA, REX])
def test_link_that_is_written_behind_an_erasure_is_not_kept(
    services: Any, invite: Invite, monkeypatch: pytest.MonkeyPatch, who: int
) -> None:
    use_up = services.state.invites.accept

    def use_up_and_erase(*ids: Any) -> Any:
        accepted = use_up(*ids)
        services.state.erasures.ask_now(who, EraseReason.ATHLETE)
        with services.state.erasures.held(who) as lease:
            services.state.erasures.advance(lease.confirmed())
        return accepted

    monkeypatch.setattr(type(services.state.invites), "accept", lambda _, *ids: use_up_and_erase(*ids))
    with pytest.raises(BeingErased):
        accept(services, invite.invite_id, REX)
    assert services.state.links.get(ADA, REX) is None


def test_invitation_that_is_written_behind_an_erasure_is_not_kept(services: Any) -> None:
    services.state.erasures.ask_now(ADA, EraseReason.ATHLETE)
    with services.state.erasures.held(ADA) as lease:
        services.state.erasures.advance(lease.confirmed())
    with pytest.raises(BeingErased):
        services.state.invites.create(SECRET, ADA, ("Rex",), CopyOptions())
    assert list(services.state.invites.of_parent(ADA)) == []


def test_declined_invitation_can_be_had_back_in_the_same_browser_while_the_parent_is_here(
    services: Any, invite: Invite
) -> None:
    assert decline(services, SECRET, "a browser")
    assert (find_open(services, SECRET), accept(services, invite.invite_id, REX)) == (None, Objection.GONE)
    assert not undo_decline(services, SECRET, "another browser")
    services.state.athletes.mark(ADA, AthleteStatus.REVOKED)
    assert not undo_decline(services, SECRET, "a browser")
    services.state.athletes.mark(ADA, AthleteStatus.ACTIVE)
    assert undo_decline(services, SECRET, "a browser")
    assert accept(services, invite.invite_id, REX) is None


def test_accepted_invitation_is_not_declined(services: Any, invite: Invite) -> None:
    accept(services, invite.invite_id, REX)
    assert not decline(services, SECRET, "a browser")
    assert services.state.links.get(ADA, REX).status is LinkStatus.ACTIVE


def test_link_that_is_taken_up_while_an_invitation_is_accepted_stays_as_both_agreed(
    services: Any, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = services.state.links.save(Link(ADA, REX, ("Bello",), parent_consent_epoch_s=1, child_consent_epoch_s=1))
    links.end(services, ADA, REX, Side.PARENT)
    use_up = services.state.invites.accept

    def use_up_and_undo(*ids: Any) -> Any:
        links.undo_end(services, ADA, REX, Side.PARENT)
        return use_up(*ids)

    monkeypatch.setattr(type(services.state.invites), "accept", lambda _, *ids: use_up_and_undo(*ids))
    assert accept(services, invite.invite_id, REX) is None
    assert services.state.links.get(ADA, REX) == before


def test_two_children_at_once_do_not_exceed_the_ceiling(
    services: Any, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceilings, "CHILDREN", 1)
    other = services.state.invites.create("another secret", ADA, ("Zoe",), CopyOptions())
    assert objection(services, other.invite_id, ZOE) is None, "the page in the second tab was let through"

    assert accept(services, invite.invite_id, REX) is None
    assert accept(services, other.invite_id, ZOE) is Objection.FULL

    assert services.state.links.count_children(ADA) == 1
    assert find_open(services, "another secret") is not None
    links.end(services, ADA, REX, Side.PARENT)
    assert accept(services, other.invite_id, ZOE) is None
    assert links.undo_end(services, ADA, REX, Side.PARENT) is None, "its room is taken"
    assert services.state.links.count_children(ADA) == 1


def test_invitation_is_not_opened_again_beyond_the_ceiling(
    services: Any, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceilings, "OPEN_INVITATIONS", 1)
    decline(services, SECRET, "a browser")
    assert ceilings.has_room_for_invitation(services, ADA, "another")
    services.state.invites.create("another secret", ADA, ("Zoe",), CopyOptions())
    services.clock.advance(60)

    assert not undo_decline(services, SECRET, "a browser")
    decline(services, "another secret", "a browser")
    assert undo_decline(services, SECRET, "a browser")


def test_child_that_accepts_two_invitations_at_once_has_one_link_by_the_terms_of_the_first(
    services: Any, invite: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = services.state.invites.create("another secret", ADA, ("Bello",), CopyOptions())
    used = services.state.invites.accept

    def first_the_other(invite_id: str, child_id: int) -> Invite | None:
        monkeypatch.undo()
        assert accept(services, other.invite_id, child_id) is None
        return used(invite_id, child_id)  # type: ignore[no-any-return]

    monkeypatch.setattr(type(services.state.invites), "accept", lambda _, *ids: first_the_other(*ids))

    assert accept(services, invite.invite_id, REX) is None
    assert services.state.links.get(ADA, REX).names == ("Bello",)
    assert [find_open(services, secret) for secret in (SECRET, "another secret")] == [None, None]
