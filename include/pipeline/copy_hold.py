"""One worker's work on one copy: from the plan to the upload and what became of it."""

from __future__ import annotations

from typing import Any

from include.copying.eligibility import ineligible_reason
from include.copying.files import build_file
from include.copying.outcome import OutcomeState, poll_delays_s, read_outcome
from include.errors import Gone, ScopeMissing
from include.lake.keys import gpx_key, tcx_key
from include.lake.objects import Condition
from include.pipeline.services import Services
from include.state.copies import FINAL_STATES, Copy, CopyState
from include.state.links import Link
from include.strava.models import Activity, Upload, UploadFile

RESUME_AFTER_S = 60
"""When reconcile resumes a copy whose run died, or whose file Strava was still processing after the last poll."""

SEARCH_S = 86_400
"""How far around the activity's start the child's list is searched for an upload whose outcome is unknown."""

_OUTCOMES = {
    OutcomeState.READY: CopyState.DONE,
    OutcomeState.DUPLICATE: CopyState.DUPLICATE,
    OutcomeState.FAILED: CopyState.FAILED,
}


class CopyHold:
    """One worker's hold on one copy: every step is in the ledger before the next begins."""

    def __init__(self, services: Services, copy: Copy) -> None:
        self.copy = copy
        self._services = services

    def note(self, **changes: Any) -> None:
        """Store the copy with `changes`; a lost lease ends the work."""
        self.copy = self._services.copies.advance(self.copy, **changes)

    def make(self, activity: Activity, link: Link, *, named: bool) -> None:
        """Go on from the stored state: plan → upload → poll, and look first where an outcome is unknown."""
        if self.copy.state in FINAL_STATES:
            return
        if self.copy.state is CopyState.UPLOADING and self._found_in_list(int(activity.start_at.timestamp())):
            return
        if self.copy.state is not CopyState.PROCESSING and not self._uploaded(activity, link, named=named):
            return
        self._poll()

    def wind_up(self, *, start_at_epoch_s: int) -> None:
        """See to the end what Strava has been sent; nothing more is sent of an activity that is gone."""
        if self.copy.state in FINAL_STATES:
            return
        if self.copy.state is CopyState.PROCESSING:
            self._poll()
        elif self.copy.state is not CopyState.UPLOADING or not self._found_in_list(start_at_epoch_s):
            reason = "The activity was deleted on Strava, or hidden, before its copy was made."
            self.note(state=CopyState.SKIPPED, reason=reason, next_try_epoch_s=None)

    def _uploaded(self, activity: Activity, link: Link, *, named: bool) -> bool:
        """Send the file; False when there is nothing to send, with the reason in the ledger."""
        streams = self._services.raw.streams(activity.athlete_id, activity.activity_id)
        reason = (
            ineligible_reason(activity, streams, link, is_copy=self._is_copy(activity))
            if named
            else "The title no longer named the child when the copy was about to be made."
        )
        if reason is not None or streams is None:
            self.note(state=CopyState.SKIPPED, reason=reason or "", next_try_epoch_s=None)
            return False
        parent = self._services.athletes.get(activity.athlete_id)
        file = build_file(activity, streams, link, parent.firstname if parent else "")
        self._keep(file)
        self.note(state=CopyState.UPLOADING, reason="", attempts=self.copy.attempts + 1, **_contents(file, link))
        upload = self._services.strava.create_upload(link.child_id, file)
        self.note(state=CopyState.PROCESSING, upload_id=upload.upload_id)
        return not self._settled(upload)

    def _keep(self, file: UploadFile) -> None:
        """Keep the file beside the raw zone, where it goes when the activity does."""
        key = gpx_key if file.data_type == "gpx.gz" else tcx_key
        place = key(self.copy.parent_id, self.copy.parent_activity_id, self.copy.child_id)
        self._services.objects.put(place, file.content, expected=Condition.ANYTHING)

    def _poll(self) -> None:
        """Ask until Strava has decided or the polls are used up; then reconcile goes on."""
        if self.copy.upload_id is None:
            return
        for delay_s in poll_delays_s():
            self._services.wait(delay_s)
            if self._settled(self._services.strava.upload(self.copy.child_id, self.copy.upload_id)):
                return
        self.note(
            reason="Strava is still processing the file; it is looked at again in the next quarter of an hour.",
            next_try_epoch_s=int(self._services.clock()) + RESUME_AFTER_S,
        )

    def _settled(self, upload: Upload) -> bool:
        outcome = read_outcome(upload)
        if outcome.state is OutcomeState.PROCESSING:
            return False
        own = outcome.state is OutcomeState.DUPLICATE and self._is_own(outcome.activity_id)
        self.note(
            state=CopyState.DONE if own else _OUTCOMES[outcome.state],
            child_activity_id=outcome.activity_id,
            reason="" if own else outcome.reason,
            next_try_epoch_s=None,
        )
        return True

    def _is_own(self, child_activity_id: int | None) -> bool:
        """Whether Strava calls this copy a duplicate of itself: an upload whose outcome was unknown had got through.

        Where the child lets us write, not read, a file that was sent before is taken for the one that Strava means.
        """
        if self.copy.attempts < 2 or child_activity_id is None:
            return False
        try:
            return self._is_this_copy(self._services.strava.activity(self.copy.child_id, child_activity_id))
        except ScopeMissing:
            return True
        except Gone:
            return False

    def _is_this_copy(self, candidate: Activity) -> bool:
        """By the name that we gave the file, to which Strava appends its type."""
        return (candidate.external_id or "").partition(".")[0] == self.copy.external_id

    def _found_in_list(self, start_at_epoch_s: int) -> bool:
        """Whether the child's account already has the file of an upload that broke midway."""
        after, before = start_at_epoch_s - SEARCH_S, start_at_epoch_s + SEARCH_S
        try:
            for page in self._services.strava.activities(
                self.copy.child_id, after_epoch_s=after, before_epoch_s=before
            ):
                for candidate in page:
                    if self._is_this_copy(candidate):
                        self.note(
                            state=CopyState.DONE,
                            child_activity_id=candidate.activity_id,
                            reason="",
                            next_try_epoch_s=None,
                        )
                        return True
        except ScopeMissing:
            return False  # The child lets us write, not read: uploading again answers "duplicate" instead.
        return False

    def _is_copy(self, activity: Activity) -> bool:
        """Whether the ledger made it; what a copy was a duplicate of is the athlete's own recording."""
        return any(
            copy.child_activity_id == activity.activity_id and copy.state is CopyState.DONE
            for copy in self._services.copies.of_child(activity.athlete_id)
        )


def _contents(file: UploadFile, link: Link) -> dict[str, Any]:
    """What the ledger keeps of the file."""
    carried = link.carried
    choices = {"heartrate": carried.heartrate, "power": carried.power, "temperature": carried.temperature}
    return {
        "file_format": file.data_type.partition(".")[0],
        "points": file.points,
        "carried": tuple(name for name, chosen in choices.items() if chosen),
        "trim_m": carried.trim_m,
    }
