"""One copy's ledger row, and the steps by which it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

from include.state.copies import states as copy_states
from include.state.copies.states import FINAL_STATES, CopyState, Original
from include.state.transition import Transition
from include.store.codec import NOT_STORED, encode
from include.store.store import ABSENT

DUE = "due"
"""The index value of due copies."""

SOON_S = 60
"""After how long reconcile takes over a copy whose run died."""

POLL_AFTER_S = 900
"""The first interval between two polls of an upload that Strava has not finished."""

LONGEST_POLL_S = 6 * 3600
DAY_S = 86_400
STUCK_S = 3 * DAY_S
"""How long an upload is polled."""

PATIENCE_S = 30 * DAY_S
"""How long a copy waits for access or for a fault to pass, before it is given up."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One activity's copy to one child.

    Its methods are the steps of `copy_states.TRANSITIONS`, and a few that leave the state alone; each returns the copy
    after it.
    """

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
    """The name in the title that matched the child."""
    original: Original = Original.NAMED
    attempts: int = 0
    """How often the file was sent."""
    activity_start_epoch_s: int | None = None
    """When the parent's activity began, as it was when the copy was planned; None in rows older than this field."""
    file_format: str = ""
    """`gpx` or `tcx`; empty until a file was made."""
    points: int | None = None
    """The points in the file."""
    carried: tuple[str, ...] = ()
    """Which of heartrate, power and temperature the link allowed in the file."""
    trim_m: int | None = None
    """The radius that was hidden around both ends of the track."""
    track_hidden: bool = False
    """Whether all positions were left out, because too few lay outside that radius."""
    planned_at_epoch_s: int = 0
    updated_at_epoch_s: int = 0
    waiting_since_epoch_s: int | None = None
    """Since when it waits for Strava, for access or for a fault to pass; None while it does not."""
    next_try_epoch_s: int | None = None
    version: int = field(default=ABSENT, metadata=NOT_STORED)
    held: bool = field(default=False, metadata=NOT_STORED)
    """Whether this value came from `acquire` or `advance`: only such a value can be advanced."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether the file was sent and Strava's outcome is unknown."""
        return self.state in (CopyState.UPLOADING, CopyState.WAITING_FOR_ACCESS) and self.attempts > 0

    def is_left_alone(self, now_epoch_s: float) -> bool:
        """Whether nothing was sent and no run has worked on it for a day, as while its parent is disconnected."""
        is_overdue = self.next_try_epoch_s is not None and self.next_try_epoch_s + DAY_S <= now_epoch_s
        return is_overdue and self.attempts == 0 and self.state not in FINAL_STATES

    def is_due(self, now_epoch_s: float) -> bool:
        """Whether its next try has come."""
        return self.next_try_epoch_s is not None and self.next_try_epoch_s <= now_epoch_s

    def sending(
        self,
        now_epoch_s: float,
        *,
        file_format: str,
        points: int | None,
        carried: tuple[str, ...],
        trim_m: int,
        track_hidden: bool,
    ) -> Self:
        """The file is about to be sent; keyword arguments describe its content."""
        return replace(
            self,
            state=copy_states.SENDING.of(self.state),
            reason="",
            attempts=self.attempts + 1,
            upload_id=None,
            file_format=file_format,
            points=points,
            carried=carried,
            trim_m=trim_m,
            track_hidden=track_hidden,
            next_try_epoch_s=int(now_epoch_s) + SOON_S,
        )

    def accepted(self, upload_id: int, now_epoch_s: float) -> Self:
        """Strava has the file and is processing it."""
        return replace(
            self,
            state=copy_states.ACCEPTED.of(self.state),
            upload_id=upload_id,
            waiting_since_epoch_s=int(now_epoch_s),
            next_try_epoch_s=int(now_epoch_s) + SOON_S,
        )

    def still_processing(self, reason: str, now_epoch_s: float) -> Self:
        """Strava is still processing the file: the next poll comes after a longer interval, or the copy is given up."""
        if self.waited_s(now_epoch_s) >= STUCK_S:
            return self.given_up("Strava did not finish the file within three days. Try again to check once more.")
        next_try_epoch_s = _next_interval_s(self.waited_s(now_epoch_s), POLL_AFTER_S, LONGEST_POLL_S) + int(now_epoch_s)
        state = copy_states.STILL_PROCESSING.of(self.state)
        return replace(self, state=state, reason=reason, next_try_epoch_s=next_try_epoch_s)

    def made(self, child_activity_id: int) -> Self:
        """The child's account has the copy."""
        return self._settled(copy_states.MADE, "", child_activity_id=child_activity_id)

    def duplicated(self, child_activity_id: int | None, reason: str) -> Self:
        """The child's account had the activity already, from another source."""
        return self._settled(copy_states.DUPLICATED, reason, child_activity_id=child_activity_id)

    def failed(self, reason: str) -> Self:
        """Strava refuses the file; `reason` is in Strava's words."""
        return self._settled(copy_states.FAILED, reason)

    def skipped(self, reason: str) -> Self:
        """The copy is not made."""
        return self._settled(copy_states.SKIPPED, reason)

    def given_up(self, reason: str) -> Self:
        """The copy is neither polled nor sent until somebody requests it."""
        return self._settled(copy_states.GIVEN_UP, reason)

    def postponed(self, reason: str, until_epoch_s: int) -> Self:
        """The copy continues at that time; waiting for the call budget does not count as a failure."""
        return replace(self, reason=reason, next_try_epoch_s=until_epoch_s)

    def postponed_by_fault(self, reason: str, now_epoch_s: float, retry_after_s: float = 0.0) -> Self:
        """A temporary fault: the next try comes after a longer interval, until the copy is given up.

        `retry_after_s` is how long Strava asks to wait.
        """
        patience_s = STUCK_S if self.state is CopyState.PROCESSING else PATIENCE_S
        if self.waited_s(now_epoch_s) >= patience_s:
            return self._given_up_after(patience_s, reason)
        wait_s = max(_next_interval_s(self.waited_s(now_epoch_s), SOON_S, DAY_S), retry_after_s)
        return replace(
            self,
            reason=reason,
            waiting_since_epoch_s=self._since(now_epoch_s),
            next_try_epoch_s=int(now_epoch_s) + int(wait_s),
        )

    def waiting_for_access(self, reason: str, now_epoch_s: float) -> Self:
        """The child's account refuses access: one try a day, and one when the child connects again."""
        if self.waited_s(now_epoch_s) >= PATIENCE_S:
            return self._given_up_after(PATIENCE_S, reason)
        return replace(
            self,
            state=copy_states.WAITING.of(self.state),
            reason=reason,
            waiting_since_epoch_s=self._since(now_epoch_s),
            next_try_epoch_s=int(now_epoch_s) + DAY_S,
        )

    def again(self, at_epoch_s: int) -> Self:
        """A copy that was not made is due at that time; Strava is searched for it before it is sent again.

        The file is sent under the same external id, so that Strava recognises a copy that did arrive as a duplicate.
        """
        asked = replace(self, reason="", waiting_since_epoch_s=None, next_try_epoch_s=at_epoch_s)
        if self.state is CopyState.UNFINISHED and self.attempts > 0:
            return replace(asked, state=copy_states.LOOKED_FOR.of(self.state))
        return replace(asked, state=copy_states.AGAIN.of(self.state), upload_id=None)

    def woken(self, at_epoch_s: int) -> Self:
        """What it waited for may have changed: it is due at that time, unless it is due earlier."""
        if self.state is CopyState.SKIPPED:
            return self.again(at_epoch_s)
        return replace(self, next_try_epoch_s=min(at_epoch_s, self.next_try_epoch_s or at_epoch_s))

    def marked(self, original: Original) -> Self:
        """The original's state is now `original`."""
        return replace(self, original=original)

    def waited_s(self, now_epoch_s: float) -> float:
        """How long it has waited."""
        return now_epoch_s - self._since(now_epoch_s)

    def _given_up_after(self, patience_s: int, reason: str) -> Self:
        return self.given_up(f"Given up after {patience_s // DAY_S} days: {reason}")

    def _since(self, now_epoch_s: float) -> int:
        if self.waiting_since_epoch_s is not None:
            return self.waiting_since_epoch_s
        # An older version left the row in processing.
        return self.planned_at_epoch_s if self.state is CopyState.PROCESSING else int(now_epoch_s)

    def _settled(self, step: Transition[CopyState], reason: str, **changes: Any) -> Self:
        state = step.of(self.state)
        return replace(self, state=state, reason=reason, waiting_since_epoch_s=None, next_try_epoch_s=None, **changes)

    def to_fields(self) -> dict[str, Any]:
        """The fields of its row, with that of the index."""
        is_due = self.next_try_epoch_s is not None and self.state not in FINAL_STATES
        return encode(self) | {"due": DUE if is_due else None}


def _next_interval_s(waited_s: float, least_s: int, most_s: int) -> int:
    """The interval to the next try: twice the time waited, within these bounds."""
    return int(min(max(2 * waited_s, least_s), most_s))
