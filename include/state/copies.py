"""The ledger of copies: from the intention to the activity in the child's account, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from include.clock import Clock
from include.errors import LeaseLost, Refused, VersionConflict
from include.state.conflict import retry_on_conflict
from include.state.erasures import Erasures
from include.state.store import ABSENT, Item, Key, Store

_DUE = "due"


class CopyState(StrEnum):
    """How far a copy has come."""

    PLANNED = "planned"
    UPLOADING = "uploading"
    """The upload is being sent, or was sent and its outcome is not known."""
    PROCESSING = "processing"
    """Strava has the file and works on it."""
    DONE = "done"
    DUPLICATE = "duplicate"
    """Strava says that the child's account already has it."""
    FAILED = "failed"
    SKIPPED = "skipped"


class Original(StrEnum):
    """What is known of the activity that was copied, since it was."""

    NAMED = "named"
    RENAMED = "renamed"
    """Its title names the child no longer."""
    DELETED = "deleted"
    """Strava shows it no longer: deleted, or hidden from this application."""


FINAL_STATES = frozenset({CopyState.DONE, CopyState.DUPLICATE, CopyState.FAILED, CopyState.SKIPPED})
"""The states after which nothing more is sent."""

MADE_STATES = frozenset({CopyState.DONE, CopyState.DUPLICATE})
"""The states in which the child's account has the activity."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One activity's copy to one child."""

    parent_activity_id: int
    child_id: int
    parent_id: int
    state: CopyState
    reason: str = ""
    """Why it is in this state, in words for the athlete."""
    external_id: str = ""
    upload_id: int | None = None
    child_activity_id: int | None = None
    matched: str = ""
    """The name in the title that meant the child."""
    original: Original = Original.NAMED
    attempts: int = 0
    activity_start_epoch_s: int | None = None
    """When the parent's activity began, as it was when the copy was planned; None in rows older than this field."""
    file_format: str = ""
    """`gpx` or `tcx`; empty until a file was made."""
    points: int | None = None
    """The points in the file."""
    carried: tuple[str, ...] = ()
    """Which of heartrate, power and temperature the link let the file carry."""
    trim_m: int | None = None
    """What the link had cut off at both ends of the track."""
    planned_at_epoch_s: int = 0
    updated_at_epoch_s: int = 0
    next_try_epoch_s: int | None = None
    version: int = ABSENT
    held: bool = False
    """Whether this value came from `claim` or `advance`: only such a one can be advanced."""


def external_id(parent_activity_id: int, child_id: int) -> str:
    """The name under which Strava knows the copy; the same at every try, so that a second upload is a duplicate."""
    return f"sdi-{parent_activity_id}-{child_id}"


class CopyLedger:
    """One worker per copy at a time; a final state is final, but for a copy that was not made and is wanted again."""

    def __init__(self, store: Store, clock: Clock, lease_s: int = 120) -> None:
        self._store = store
        self._clock = clock
        self._lease_s = lease_s
        self._erasures = Erasures(store, clock)

    def get(self, parent_activity_id: int, child_id: int) -> Copy | None:
        """The copy, or None where none was planned."""
        item = self._store.get(_key(parent_activity_id, child_id))
        return _copy(item) if item else None

    def plan(self, copy: Copy) -> Copy:
        """Write the intention down unless the copy is there already; returns what is stored."""
        planned = replace(copy, updated_at_epoch_s=int(self._clock()), version=ABSENT)
        try:
            return replace(self._put(planned, lease_until_epoch_s=0.0), held=False)
        except VersionConflict:
            return self.get(copy.parent_activity_id, copy.child_id) or self.plan(copy)

    @retry_on_conflict
    def claim(self, parent_activity_id: int, child_id: int) -> Copy | None:
        """The copy with the right to advance it; None when another worker has it, or there is no such copy.

        None too where everything of the parent or of the child is erased: then the row goes.
        """
        item = self._store.get(_key(parent_activity_id, child_id))
        now = self._clock()
        if item is None or _lease_until(item) > now:
            return None
        claimed = self._put(_copy(item), lease_until_epoch_s=now + self._lease_s)
        if self._erasures.forbid_writing(claimed.parent_id, child_id):  # looked at after the write, see `Erasures`
            self.forget(parent_activity_id, child_id, although_claimed=True)
            return None
        return claimed

    def in_hand(self, copy: Copy) -> bool:
        """Whether a worker has the copy in hand."""
        item = self._store.get(_key(copy.parent_activity_id, copy.child_id))
        return item is not None and _lease_until(item) > self._clock()

    @retry_on_conflict
    def forget(self, parent_activity_id: int, child_id: int, *, although_claimed: bool = False) -> bool:
        """Remove the copy, unless a worker has it in hand; returns whether it is gone. Safe to repeat."""
        item = self._store.get(_key(parent_activity_id, child_id))
        if item is None:
            return True
        if _lease_until(item) > self._clock() and not although_claimed:
            return False
        self._store.delete(item.key, expected_version=item.version)
        return True

    def advance(self, copy: Copy, **changes: Any) -> Copy:
        """Store the copy with `changes`, which are fields of `Copy`, and return it; the lease is renewed.

        Errors: `LeaseLost` when the lease ran out or was never held, `Refused` when a final state would be left.
        """
        changed = replace(copy, **changes, updated_at_epoch_s=int(self._clock()))
        if copy.state in FINAL_STATES and changed.state not in FINAL_STATES:
            raise Refused(
                f"copy {copy.external_id} to athlete {copy.child_id} is {copy.state}, which is final;"
                f" it cannot become {changed.state}: leave it as it is"
            )
        self._require_held(copy)
        try:
            return self._put(changed, lease_until_epoch_s=self._clock() + self._lease_s)
        except VersionConflict as err:
            raise _lost(copy) from err

    def release(self, copy: Copy) -> None:
        """Let others claim the copy at once. A lease that is already lost is no error."""
        try:
            self._require_held(copy)
            self._put(copy, lease_until_epoch_s=0.0)
        except (LeaseLost, VersionConflict):
            return  # Another worker has it: there is nothing of ours to release.

    @retry_on_conflict
    def reopen(self, parent_activity_id: int, child_id: int) -> bool:
        """Whether the copy had failed or been skipped; then it is planned again, and due at once.

        The file goes up under the same external id, so that a copy which got through after all is a duplicate.
        Effects: none for a copy in another state or in a worker's hands; safe to repeat.
        """
        item = self._store.get(_key(parent_activity_id, child_id))
        now = self._clock()
        if item is None or _lease_until(item) > now:
            return False
        copy = _copy(item)
        if copy.state not in (CopyState.FAILED, CopyState.SKIPPED):
            return False
        again = replace(
            copy,
            state=CopyState.PLANNED,
            reason="",
            upload_id=None,
            updated_at_epoch_s=int(now),
            next_try_epoch_s=int(now),
        )
        self._put(again, lease_until_epoch_s=0.0)
        return True

    def of_activity(self, parent_activity_id: int) -> Iterator[Copy]:
        """The copies of one activity, to whichever child."""
        return map(_copy, self._store.query("copies", str(parent_activity_id)))

    def of_child(self, child_id: int) -> Iterator[Copy]:
        """The copies into a child's account, in whatever state, oldest first; re-read a copy before deciding."""
        return map(_copy, self._store.find("copies", "by_child", child_id))

    def of_parent(self, parent_id: int) -> Iterator[Copy]:
        """The copies of a parent's activities, oldest first; for finding, re-read a copy before deciding."""
        return map(_copy, self._store.find("copies", "by_parent", parent_id))

    def due(self, now: float) -> Iterator[Copy]:
        """The unfinished copies whose next try has come and that nobody works on, longest overdue first."""
        for item in self._store.find("copies", "due", _DUE, up_to=now):
            if _lease_until(item) <= now:
                yield _copy(item)

    def _require_held(self, copy: Copy) -> None:
        """Errors: `LeaseLost`. That nobody else claimed it is what the version at the following write proves."""
        item = self._store.get(_key(copy.parent_activity_id, copy.child_id))
        if not copy.held or item is None or _lease_until(item) <= self._clock():
            raise _lost(copy)

    def _put(self, copy: Copy, *, lease_until_epoch_s: float) -> Copy:
        version = self._store.put(
            _key(copy.parent_activity_id, copy.child_id),
            _fields(copy, lease_until_epoch_s),
            expected_version=copy.version,
        )
        return replace(copy, version=version, held=True)


def _lost(copy: Copy) -> LeaseLost:
    return LeaseLost(
        f"copy {copy.external_id} to athlete {copy.child_id} is not, or no longer, this worker's:"
        " stop, whoever claimed it goes on from what is stored"
    )


def _key(parent_activity_id: int, child_id: int) -> Key:
    return Key("copies", str(parent_activity_id), str(child_id))


def _lease_until(item: Item) -> float:
    return float(item.fields["lease_until_epoch_s"])


def _fields(copy: Copy, lease_until_epoch_s: float) -> dict[str, Any]:
    is_due = copy.next_try_epoch_s is not None and copy.state not in FINAL_STATES
    return {
        "parent_activity_id": copy.parent_activity_id,
        "child_id": copy.child_id,
        "parent_id": copy.parent_id,
        "state": str(copy.state),
        "reason": copy.reason,
        "external_id": copy.external_id,
        "upload_id": copy.upload_id,
        "child_activity_id": copy.child_activity_id,
        "matched": copy.matched,
        "original": str(copy.original),
        "attempts": copy.attempts,
        "activity_start_epoch_s": copy.activity_start_epoch_s,
        "file_format": copy.file_format,
        "points": copy.points,
        "carried": list(copy.carried),
        "trim_m": copy.trim_m,
        "planned_at_epoch_s": copy.planned_at_epoch_s,
        "updated_at_epoch_s": copy.updated_at_epoch_s,
        "next_try_epoch_s": copy.next_try_epoch_s,
        "due": _DUE if is_due else None,
        "lease_until_epoch_s": lease_until_epoch_s,
    }


def _copy(item: Item) -> Copy:
    fields = item.fields
    return Copy(
        parent_activity_id=fields["parent_activity_id"],
        child_id=fields["child_id"],
        parent_id=fields["parent_id"],
        state=CopyState(fields["state"]),
        reason=fields["reason"],
        external_id=fields["external_id"],
        upload_id=fields["upload_id"],
        child_activity_id=fields["child_activity_id"],
        matched=fields["matched"],
        original=Original(fields.get("original", Original.NAMED)),
        attempts=fields["attempts"],
        activity_start_epoch_s=fields.get("activity_start_epoch_s"),
        file_format=fields.get("file_format", ""),
        points=fields.get("points"),
        carried=tuple(fields.get("carried", ())),
        trim_m=fields.get("trim_m"),
        planned_at_epoch_s=fields["planned_at_epoch_s"],
        updated_at_epoch_s=fields["updated_at_epoch_s"],
        next_try_epoch_s=fields["next_try_epoch_s"],
        version=item.version,
    )
