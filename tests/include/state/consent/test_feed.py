"""The feed of a link keeps its latest entries."""

from __future__ import annotations

import pytest

from include.state.consent.feed import FeedEntry, LinkAction, Side, appended

MOST_ENTRIES = 20


def entry(number: int) -> FeedEntry:
    return FeedEntry(number, Side.PARENT, LinkAction.CHANGED)


@pytest.mark.parametrize(
    ("before", "more", "kept"),
    [
        pytest.param(0, 0, range(0), id="none"),
        pytest.param(0, 1, range(1), id="first"),
        pytest.param(2, 2, range(4), id="several at once"),
        pytest.param(MOST_ENTRIES - 1, 1, range(MOST_ENTRIES), id="full"),
        pytest.param(MOST_ENTRIES, 1, range(1, MOST_ENTRIES + 1), id="oldest makes room"),
        pytest.param(MOST_ENTRIES, 3, range(3, MOST_ENTRIES + 3), id="oldest make room"),
    ],
)
def test_latest_entries_are_kept_oldest_first(before: int, more: int, kept: range) -> None:
    feed = tuple(map(entry, range(before)))

    assert appended(feed, *map(entry, range(before, before + more))) == tuple(map(entry, kept))
