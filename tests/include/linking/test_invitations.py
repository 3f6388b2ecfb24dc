"""An invitation is accepted once, by another than its own parent, and becomes a link that waits for the parent."""

from __future__ import annotations

from typing import Any

import pytest

from include.linking import links
from include.linking.invitations import Objection, accept, find_open, objection
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
    assert link == Link(ADA, REX, ("Rex",), CopyOptions(power=False), 5, None, 1_760_000_000)
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
    links.end(services, ADA, REX)
    assert accept(services, invite.invite_id, REX) is None
    link = services.state.links.get(ADA, REX)
    assert (link.names, link.parent_consent_epoch_s, link.status) == (("Rex",), None, LinkStatus.ACTIVE)


@pytest.mark.parametrize("known", [True, False])
def test_expired_or_unknown_invitation_is_gone(services: Any, invite: Invite, known: bool) -> None:
    services.clock.pass_s(LIFETIME_S + 1 if known else 0)
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
