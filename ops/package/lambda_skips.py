"""A pytest plugin: skips tests of `include` that reach code which only MWAA's workers run.

It runs with only Lambda's packages, so it imports nothing of this project.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

ONLY_ON_MWAA = frozenset({"msgspec"})
"""Packages that are imported inside functions of modules that Lambda imports too, but that Lambda never calls."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Skip a test that needs a package which Lambda lacks; a test of the web edge fails instead."""
    try:
        return (yield)
    except ModuleNotFoundError as err:
        if err.name not in ONLY_ON_MWAA or not item.nodeid.startswith("tests/include/"):
            raise
        pytest.skip(f"needs {err.name}, which Lambda lacks")
