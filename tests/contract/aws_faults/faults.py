"""Faults of AWS's APIs, and the row on which they are tried."""

from __future__ import annotations

from typing import Any

import pytest

from include.store.store import Key, Store

KEY = Key("links", "11", "22")


THROTTLED = pytest.param((400, "ProvisionedThroughputExceededException"), id="table throttled")


FAULTS = [
    THROTTLED,
    pytest.param((400, "ThrottlingException"), id="throttled"),
    pytest.param((400, "RequestLimitExceeded"), id="account throttled"),
    pytest.param((500, "InternalServerError"), id="internal error"),
    pytest.param((503, ""), id="unavailable"),
]


def fields_of(store: Store) -> Any:
    item = store.get(KEY)
    return item and item.fields
