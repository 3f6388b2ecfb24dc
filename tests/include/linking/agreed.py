"""A link that the child agreed to, and what its parent does with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from include.linking import consent
from include.state.links import CopyOptions, Link

ADA, REX = 11, 22
LINK = Link(
    ADA,
    REX,
    ("Rex", "Rexi"),
    CopyOptions(allow_private=True),
    1_700_000_000,
    parent_consent_epoch_s=1,
    child_consent_epoch_s=1,
)
"""As a row of an older version, which knows nothing of terms."""


def names(*chosen: str) -> Callable[[Link], Link]:
    return lambda link: replace(link, names=chosen)


def wish(services: Any, choose: Callable[[Link], Link]) -> Link:
    link = consent.revise(services, ADA, REX, choose)
    assert link is not None
    return link


def proposed(link: Link) -> str:
    assert link.proposal is not None
    return link.proposal.fingerprint
