"""The webhook's path, handshake and counters."""

from __future__ import annotations

import pytest

from include.settings import Settings


@pytest.fixture
def path(settings: Settings) -> str:
    return f"/webhook/{settings.webhook_path_secret}"
