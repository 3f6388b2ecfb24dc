"""Rules for every test: which examples property tests draw, and that sockets stay closed.

The gate draws the same examples every time; `make explore` draws new ones, and remembers those that failed.
Sockets reach the loopback servers of tests marked `network`, and nothing else.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("gate", derandomize=True, database=None)
settings.register_profile("explore", max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests marked `network` reach the loopback interface, and nothing else."""
    for item in items:
        if item.get_closest_marker("network"):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))
