"""What an athlete is about to make of a thing of which there may be only so many: two at once count each other."""

from __future__ import annotations

from collections.abc import Callable, Collection

from include.clock import Clock
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store

CLAIM_S = 60
"""How long a claim counts: longer than a page works, and than an index needs to find a new row."""


class Claims:
    """One row for each athlete and kind of thing, which is gone a minute after the last claim."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @retry_on_conflict
    def take(
        self,
        kind: str,
        athlete_id: int,
        claimed: str,
        *,
        most: int,
        standing: Callable[[Collection[str]], Collection[str]],
    ) -> bool:
        """Whether there is room for one more; then `claimed` is to be made at once, and counts meanwhile.

        `standing` is given the ids that others have claimed a moment ago, which may be made or not, and returns those
        that count: all that there are, and of the given ones those that are not over.
        Effects: safe to repeat; of two at once one counts the other.
        """
        key, now_epoch_s = Key("brakes", f"{kind}.{athlete_id}"), int(self._clock())
        item = self._store.get(key)
        times = item.fields["claims"] if item else {}
        recent = {name: at for name, at in times.items() if at > now_epoch_s - CLAIM_S and name != claimed}
        if len(set(standing(recent)) - {claimed}) >= most:
            return False
        self._store.put(
            key,
            {"claims": {**recent, claimed: now_epoch_s}},
            expected_version=item.version if item else ABSENT,
            expires_at_epoch_s=now_epoch_s + CLAIM_S,
        )
        return True
