"""How far the regular look through each athlete's list of activities has come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from include.clock import Clock
from include.errors import VersionConflict
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store


@dataclass(frozen=True, slots=True)
class MonthShown:
    """What an athlete's list shows of a month, or of the newer part of one that its next older page goes on with."""

    activities: int
    listed_at_epoch_s: float


@dataclass(frozen=True, slots=True)
class Listing:
    """What is remembered of an athlete's listings."""

    athlete_id: int
    listed_at_epoch_s: float = 0.0
    older_before_epoch_s: int | None = None
    """The next older page holds what began before this; None where the newest page ends."""
    older_from_epoch_s: float = 0.0
    """No older page is listed before this: the last one has been reached a short while ago."""
    looked_for: tuple[int, ...] = ()
    """Activities that were missing from a page and looked at because of it."""
    looked_at: tuple[tuple[int, str], ...] = ()
    """Activities that were looked at because a page showed them otherwise, each with the fingerprint it showed."""
    older_newer_part: MonthShown | None = None
    """The newer part of the month in which the next older page ends; None where the pages before did not tell."""


@dataclass(frozen=True, slots=True)
class ListingClaim:
    """The right to list an athlete's activities now."""

    listing: Listing
    """As it was before this turn."""
    taken_at_epoch_s: float
    version: int


class Listings:
    """One row for each athlete; any number of processes may take turns."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, athlete_id: int) -> Listing:
        """What is remembered; of an athlete who was never listed, that."""
        return self._read(athlete_id)[0]

    def take(self, athlete_id: int, every_s: float) -> ListingClaim | None:
        """The turn, if the last one was taken `every_s` ago or longer; None too when another process took it just now.

        Effects: the turn counts as taken even if the process dies with it.
        """
        listing, version = self._read(athlete_id)
        now = self._clock()
        if listing.listed_at_epoch_s + every_s > now:
            return None
        try:
            taken = self._put(replace(listing, listed_at_epoch_s=now), version)
        except VersionConflict:
            return None
        return ListingClaim(listing, now, taken)

    def finish(self, turn: ListingClaim, listing: Listing) -> None:
        """Remember how far this turn came, unless another was taken since."""
        self._settle(turn, replace(listing, listed_at_epoch_s=turn.taken_at_epoch_s))

    def release(self, turn: ListingClaim, every_s: float) -> None:
        """Have the athlete's turn be due again now, after those who wait for theirs already."""
        due_now = turn.taken_at_epoch_s - every_s
        self._settle(turn, replace(turn.listing, listed_at_epoch_s=max(turn.listing.listed_at_epoch_s, due_now)))

    @retry_on_conflict
    def forget(self, athlete_id: int) -> None:
        """Remember nothing of the athlete. Effects: safe to repeat."""
        item = self._store.get(_key(athlete_id))
        if item is not None:
            self._store.delete(_key(athlete_id), expected_version=item.version)

    def _settle(self, turn: ListingClaim, listing: Listing) -> None:
        try:
            self._put(listing, turn.version)
        except VersionConflict:
            return  # A turn was taken since, or the athlete was erased: what that left is newer.

    def _read(self, athlete_id: int) -> tuple[Listing, int]:
        item = self._store.get(_key(athlete_id))
        if item is None:
            return Listing(athlete_id), ABSENT
        return decode(Listing, item.fields), item.version

    def _put(self, listing: Listing, expected_version: int) -> int:
        return self._store.put(_key(listing.athlete_id), encode(listing), expected_version=expected_version)


def _key(athlete_id: int) -> Key:
    return Key("listings", str(athlete_id))
