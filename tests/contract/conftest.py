"""Where each implementation of the state, queue and cipher protocols is found.

A further implementation is a further parameter of `store_url`, `queue_url` or `cipher_url`;
one whose time cannot be set waits in `pass_time`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.clock import Clock


@pytest.fixture(params=["sqlite"])
def store_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(params=["sqlite"])
def queue_url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/state/state.sqlite"


@pytest.fixture(params=["key_file"])
def cipher_url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/keys/token.key"


@pytest.fixture
def hands() -> list[float]:
    """The hands of the test's clock."""
    return [1_700_000_000.0]


@pytest.fixture
def clock(hands: list[float]) -> Clock:
    return lambda: hands[0]


@pytest.fixture
def pass_time(hands: list[float]) -> Callable[[float], None]:
    """Let that many seconds pass."""

    def forward(seconds: float) -> None:
        hands[0] += seconds

    return forward
