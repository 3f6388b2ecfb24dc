"""The progress of the regular listing of each athlete's activities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from include.clock import Clock
from include.errors import VersionConflict
from include.store.codec import decode, encode
from include.store.conflict import retry_on_conflict
from include.store.store import ABSENT, Key, Store


@dataclass(frozen=True, slots=True)
class MonthShown:
    """The activities that an athlete's list shows of a month, or of its newer part if the next page continues it."""

    activities: int
    listed_at_epoch_s: float


@dataclass(frozen=True, slots=True)
class Listing:
    """The progress of an athlete's listings."""

    athlete_id: int
    listed_at_epoch_s: float = 0.0
    older_before_epoch_s: int | None = None
    """The next older page holds activities that began before this; None where it starts after the newest page."""
    older_from_epoch_s: float = 0.0
    """No older page is listed before this time: the last page was reached recently."""
    looked_for: tuple[int, ...] = ()
    """Activities that were fetched because a page lacked them."""
    looked_at: tuple[tuple[int, str], ...] = ()
    """Activities that were fetched because a page differed, each with the listed fingerprint."""
    zone: str = ""
    """The time zone of the newest listed activity, by its IANA name; empty where none is known."""
    older_newer_part: MonthShown | None = None
    """The newer part of the month in which the next older page ends; None if it is not known."""


@dataclass(frozen=True, slots=True)
class ListingClaim:
    """The right to list an athlete's activities now."""

    listing: Listing
    """The progress before this claim."""
    taken_at_epoch_s: float
    version: int


class Listings:
    """One row for each athlete; any number of processes may claim listings."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, athlete_id: int) -> Listing:
        """The athlete's progress; an empty one before the first listing."""
        return self._read(athlete_id)[0]

    def take(self, athlete_id: int, every_s: float) -> ListingClaim | None:
        """The claim, if the last one is `every_s` old; None too if another process has just claimed it.

        Effects: the listing counts as claimed even if the process dies.
        """
        listing, version = self._read(athlete_id)
        now_epoch_s = self._clock()
        if listing.listed_at_epoch_s + every_s > now_epoch_s:
            return None
        try:
            taken = self._put(replace(listing, listed_at_epoch_s=now_epoch_s), version)
        except VersionConflict:
            return None
        return ListingClaim(listing, now_epoch_s, taken)

    def finish(self, claim: ListingClaim, listing: Listing) -> None:
        """Store the progress of this claim, unless another claim was made since."""
        self._settle(claim, replace(listing, listed_at_epoch_s=claim.taken_at_epoch_s))

    def release(self, claim: ListingClaim, every_s: float) -> None:
        """Make the athlete due again now, after those who are due already."""
        listed_at_epoch_s = max(claim.listing.listed_at_epoch_s, claim.taken_at_epoch_s - every_s)
        self._settle(claim, replace(claim.listing, listed_at_epoch_s=listed_at_epoch_s))

    @retry_on_conflict
    def forget(self, athlete_id: int) -> None:
        """Remove the athlete's row. Effects: safe to repeat."""
        item = self._store.get(_key(athlete_id))
        if item is not None:
            self._store.delete(_key(athlete_id), expected_version=item.version)

    def _settle(self, claim: ListingClaim, listing: Listing) -> None:
        try:
            self._put(listing, claim.version)
        except VersionConflict:
            return  # Another claim was made since, or the athlete was erased: that state is newer.

    def _read(self, athlete_id: int) -> tuple[Listing, int]:
        item = self._store.get(_key(athlete_id))
        if item is None:
            return Listing(athlete_id), ABSENT
        return decode(Listing, item.fields), item.version

    def _put(self, listing: Listing, expected_version: int) -> int:
        return self._store.put(_key(listing.athlete_id), encode(listing), expected_version=expected_version)


def _key(athlete_id: int) -> Key:
    return Key("listings", str(athlete_id))
