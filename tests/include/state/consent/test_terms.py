"""An answer names the terms that it answers by their fingerprint."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest

from include.state.consent.terms import Terms

TERMS = Terms(("Rex", "Zoë 🐕"), 1_700_000_000, allow_private=True, title="{title}", sports=("Run", "Ride"))


def test_fingerprint_of_equal_terms_is_equal_and_fits_into_a_form() -> None:
    fingerprint = TERMS.fingerprint

    assert replace(TERMS).fingerprint == fingerprint
    assert len(fingerprint) == 32
    assert set(fingerprint) <= set(string.hexdigits.lower())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"names": ("Rex",)}, id="a name less"),
        pytest.param({"names": ("RexZoë 🐕",)}, id="names run together"),
        pytest.param({"starts_at_epoch_s": 1_700_000_001}, id="a second later"),
        pytest.param({"starts_at_epoch_s": None}, id="from the confirmation on"),
        pytest.param({"allow_private": False}, id="without private ones"),
        pytest.param({"title": "{sport}"}, id="another title"),
        pytest.param({"sports": ()}, id="every sport"),
    ],
)
def test_fingerprint_of_other_terms_differs(change: dict[str, Any]) -> None:
    assert replace(TERMS, **change).fingerprint != TERMS.fingerprint
