"""The narrow protocol of all state, and the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

ABSENT = 0
"""The version of a row that does not exist: `put(..., expected_version=ABSENT)` creates it."""


@dataclass(frozen=True, slots=True)
class Key:
    """The unique address of a row; rows of one `(table, partition)` are sorted by `sort`."""

    table: str
    partition: str
    sort: str = "-"


@dataclass(frozen=True, slots=True)
class Item:
    """One row as it was read.

    `fields` are JSON values (str, int, float, bool, None, list, dict).
    `version` grows by one with every `put`; `add` does not change it.
    """

    key: Key
    fields: Mapping[str, Any]
    version: int
    expires_at_epoch_s: int | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """A declared second way to find rows: all rows whose `field` equals a value, sorted by `sort_field`.

    A row without `field` (absent or None) is not in the index.
    Without `sort_field` rows are in key order. An index is for finding only: re-read a row before deciding. It may
    find a new row a moment late, and a row that has changed since.
    """

    field: str
    sort_field: str | None = None
    """Holds integers, or None."""
    field_type: type[int] | type[str] = int
    """The type of `field`, where it is not None."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name, the meaning of its key, and its declared indexes by name."""

    name: str
    partition: str
    holds: str = field(kw_only=True)
    """What is in it, as the page on data protection says it to an athlete; empty where nothing is about anybody."""
    sort: str | None = None
    indexes: Mapping[str, Index] = field(default_factory=dict)
    expires: bool = False


TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "athletes",
            partition="athlete_id",
            indexes={"all": Index("kind", "athlete_id", str)},
            holds="Your name, city and number on Strava, what you allowed and when, and our access to your account, "
            "encrypted.",
        ),
        Table(
            "links",
            partition="parent_id",
            sort="child_id",
            indexes={"by_child": Index("child_id"), "due": Index("due", "wake_at_epoch_s", str)},
            holds="The links between your account and others: the names, what copies contain, who agreed to what and "
            "when, what waits for a yes, and the latest changes.",
        ),
        Table(
            "activities",
            partition="athlete_id",
            sort="activity_id",
            indexes={
                "by_start": Index("athlete_id", "start_at_epoch_s"),
                "due": Index("due", "next_try_epoch_s", str),
            },
            holds="For each of your activities: its number, sport and start, and what became of it here.",
        ),
        Table(
            "copies",
            partition="parent_activity_id",
            sort="child_id",
            indexes={
                "by_child": Index("child_id", "planned_at_epoch_s"),
                "by_change": Index("child_id", "updated_at_epoch_s"),
                "by_parent": Index("parent_id", "planned_at_epoch_s"),
                "due": Index("due", "next_try_epoch_s", str),
            },
            holds="For each copy: the activity it was made from, whose account it is for, and what became of it.",
        ),
        Table(
            "outings",
            partition="child_id",
            sort="utc_day",
            holds="When the activities copied to your account took place, so that none is copied twice.",
        ),
        Table(
            "events",
            partition="event_id",
            indexes={"by_athlete": Index("athlete_id")},
            expires=True,
            holds="That Strava reported a change to one of your activities, and when.",
        ),
        Table("quota", partition="utc_day", expires=True, holds=""),
        Table("outages", partition="application", expires=True, holds=""),
        Table("oauth_states", partition="nonce", expires=True, holds=""),
        Table(
            "invites",
            partition="invite_id",
            indexes={"by_parent": Index("parent_id"), "by_child": Index("child_id")},
            expires=True,
            holds="Your invitations: the names, what copies will contain, and who accepted, declined or withdrew.",
        ),
        Table("subscriptions", partition="application", holds=""),
        Table(
            "listings",
            partition="athlete_id",
            holds="How far your list of activities on Strava has been compared with what is stored.",
        ),
        Table(
            "histories",
            partition="athlete_id",
            sort="span",
            indexes={"due": Index("due", "next_turn_epoch_s", str)},
            expires=True,
            holds="How far your older activities have been loaded.",
        ),
        Table(
            "erasures",
            partition="athlete_id",
            indexes={"all": Index("kind", "athlete_id", str)},
            expires=True,
            holds="Your number, and when your erasure was asked for, began and ended.",
        ),
        Table(
            "brakes",
            partition="whose",
            expires=True,
            holds="For a minute, that you are about to make a link or an invitation, so that two at once do not exceed "
            "what there may be; for an hour, how many mails were sent to confirm an address of yours.",
        ),
        Table(
            "certificates",
            partition="link_id",
            indexes={"mail_due": Index("mail_due", None, str)},
            expires=True,
            holds="The certificate of your erasure, for the link you keep: your number, counts and times, for good; "
            "and, until you have been told that it is done, the email address that you gave, encrypted.",
        ),
        Table(
            "notices",
            partition="athlete_id",
            sort="notice_id",
            expires=True,
            holds="What your page tells you about others who were erased.",
        ),
        Table(
            "mail_addresses",
            partition="athlete_id",
            sort="which",
            indexes={"all": Index("kind", "athlete_id", str)},
            expires=True,
            holds="The email address that you gave, encrypted, for a day unless you confirm it; and, for a minute, "
            "that you asked for a link.",
        ),
        Table(
            "sent_mails",
            partition="athlete_id",
            sort="cause",
            holds="What we told you by email, and when, so that no email comes twice; not the emails themselves.",
        ),
        Table(
            "places",
            partition="athlete_id",
            sort="radius_m",
            holds="Where your recordings begin or end, so that copies can hide it; encrypted.",
        ),
        Table(
            "partitions",
            partition="purpose",
            sort="lake_partition",
            holds="Your number, and the years for which the archive holds something about you.",
        ),
    )
}
"""Every table by name; a test compares Terraform's tables with this mapping."""


class Store(Protocol):
    """Versioned rows under `(table, partition, sort)`, safe for many processes at once.

    Every implementation passes `tests/contract/store` unchanged. A row whose expiry has passed
    reads as absent, whether or not the backend has deleted it.

    Shape: every implementation stores partition and sort keys of 1 to 1,024 UTF-8 bytes and rows of up to 400 KB; a
    counter cannot be named `partition`, `sort`, `version`, `expires_at_epoch_s`, `write_id` or `fields`.
    Errors: `RetryLater` from every call while the backend is busy or out of reach. Where the message does not say that
    nothing was written, read again before deciding: the write may have succeeded.
    """

    def get(self, key: Key) -> Item | None:
        """The row as of now (strongly consistent), or None where there is none."""
        ...

    def get_all(self, keys: Iterable[Key]) -> Mapping[Key, Item]:
        """The rows of these keys, each as of now; keys without a row are left out.

        One request for many rows, for pages: it is cheaper than so many times `get`, and no snapshot.
        """
        ...

    def put(
        self,
        key: Key,
        fields: Mapping[str, Any],
        *,
        expected_version: int,
        expires_at_epoch_s: int | None = None,
    ) -> int:
        """Replace the whole row if its version is still `expected_version` (`ABSENT`: create it).

        Returns the new version. Errors: `VersionConflict` when another writer was first; read again.
        """
        ...

    def delete(self, key: Key, *, expected_version: int) -> None:
        """Remove the row if its version is still `expected_version`.

        Errors: `VersionConflict` when it is not. A row that is already absent is no conflict.
        """
        ...

    def query(self, table: str, partition: str, sort_prefix: str = "") -> Iterator[Item]:
        """The rows of one partition whose sort key starts with `sort_prefix`, in sort order, paged inside."""
        ...

    def find(
        self,
        table: str,
        index: str,
        value: str | int,
        *,
        up_to: str | int | float | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """The rows of a declared index with `field == value`, in `sort_field` order, up to and including `up_to`.

        With `newest_first` in the reverse order, read in short pages, for callers that need only the first rows; the
        index has to have a `sort_field`.
        """
        ...

    def add(
        self,
        key: Key,
        increments: Mapping[str, int],
        *,
        ceilings: Mapping[str, int] | None = None,
        expires_at_epoch_s: int | None = None,
    ) -> Mapping[str, int]:
        """Add to several integer counters of one row in one atomic step; a missing row or field counts as 0.

        Returns the new values of the counters named in `increments`. Ceilings apply to positive increments only.
        Errors: `CeilingReached` when one would pass its ceiling; then nothing was changed.
        """
        ...

    def close(self) -> None:
        """Release connections; the store is not used afterwards."""
        ...
