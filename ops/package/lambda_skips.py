"""A plugin of pytest: tests of `include` are skipped where they get to code that only MWAA's workers run.

It runs where only Lambda's packages are, so it imports nothing of this project.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

ONLY_ON_MWAA = frozenset({"msgspec"})
"""Imported inside functions of modules that Lambda imports too; no request and no batch calls them."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Skip a test for a package that Lambda does not have; a test of the web edge fails all the same."""
    try:
        return (yield)
    except ModuleNotFoundError as err:
        if err.name not in ONLY_ON_MWAA or not item.nodeid.startswith("tests/include/"):
            raise
        pytest.skip(f"needs {err.name}, which Lambda lacks")
