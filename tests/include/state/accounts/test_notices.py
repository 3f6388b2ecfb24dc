"""What athletes are told: once, for a while."""

from __future__ import annotations

from collections.abc import Callable

from include.clock import Clock
from include.state.accounts.notices import Notice, NoticeKind, Notices
from include.store.store import Store

KEPT_S = 30 * 86_400
ANN, REX = 42, 43
NOTICE = Notice(ANN, "child_erased.1700000000", NoticeKind.CHILD_ERASED, 1_700_000_000)


def test_notice_is_told_once_to_the_one_it_is_for_and_for_30_days(
    store: Store, clock: Clock, pass_time: Callable[[float], None]
) -> None:
    notices = Notices(store, clock)
    notices.save(NOTICE)
    notices.save(NOTICE)

    assert list(notices.of_athlete(ANN)) == [NOTICE]
    assert list(notices.of_athlete(REX)) == []
    pass_time(KEPT_S - 1)
    assert list(notices.of_athlete(ANN)) == [NOTICE]
    pass_time(1)
    assert list(notices.of_athlete(ANN)) == []


def test_notices_are_forgotten_with_the_athlete(store: Store, clock: Clock) -> None:
    notices = Notices(store, clock)
    notices.save(NOTICE)

    assert [notices.forget(ANN), notices.forget(ANN)] == [1, 0]
    assert list(notices.of_athlete(ANN)) == []
