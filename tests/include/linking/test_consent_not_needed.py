"""Whose links are widened without a yes: those of operators, and those that nobody has confirmed yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.linking import consent, links
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.consent.feed import Side
from tests.include.linking.agreed import ADA, LINK, REX, names, wish


def test_first_day_before_the_confirmation_needs_a_yes_and_the_confirmation_fixes_it(services: Any) -> None:
    accepted = replace(LINK, parent_consent_epoch_s=None, starts_at_epoch_s=0)
    services.state.links.save(replace(accepted, agreed=accepted.terms))
    earlier = wish(services, lambda link: replace(link, starts_at_epoch_s=5))
    assert (earlier.starts_at_epoch_s, earlier.proposal and earlier.proposal.starts_at_epoch_s) == (0, 5)
    narrowed = wish(services, lambda link: replace(link, starts_at_epoch_s=0, names=("Rex", "Bello")))
    assert narrowed.proposal is not None
    assert narrowed.proposal.starts_at_epoch_s is None

    confirmed = links.confirm(services, ADA, REX)

    assert confirmed is not None
    assert confirmed.starts_at_epoch_s == 1_760_000_000
    assert confirmed.proposal is not None
    assert (confirmed.agreed_terms.starts_at_epoch_s, confirmed.proposal.starts_at_epoch_s) == (1_760_000_000,) * 2


def test_link_of_the_operator_is_widened_without_a_yes(services: Any) -> None:
    links.agree(services, Settings.from_environ(EXAMPLES), ADA, REX, ("Rex",), lambda link: link)
    widened = wish(services, names("Rex", "Bello"))
    assert (widened.names, widened.proposal, widened.agreed) == (("Rex", "Bello"), None, None)


@pytest.mark.usefixtures("linked")
def test_operator_widens_the_link_of_a_child_who_was_asked_only_with_its_yes(services: Any) -> None:
    link = consent.revise(services, ADA, REX, names("Rex", "Bello"), Side.OPERATOR)
    assert link is not None
    assert (link.names, link.proposal is not None) == (("Rex",), True)
    assert {entry.by for entry in link.feed} == {Side.OPERATOR}
