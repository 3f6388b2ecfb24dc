"""Whether a child's account holds a copy whose upload is in doubt."""

from __future__ import annotations

from dataclasses import dataclass

from include.copying.outcome import Outcome, OutcomeState
from include.errors import Gone, ScopeMissing
from include.pipeline.uses import UsesStateAndStrava
from include.state.copies.ledger import Copy
from include.strava.models import Activity

SEARCH_S = 86_400
"""How far around the activity's start the child's list is searched."""


@dataclass(frozen=True, slots=True)
class ChildAccount:
    """The account that receives the copy; it is read only for what the ledger cannot know."""

    services: UsesStateAndStrava
    copy: Copy

    def find(self) -> int | None:
        """The activity made of the copy's file, or None while the child's list shows none.

        Errors: `ScopeMissing` where the child granted write access but no read access, and those of every call.
        """
        entry = self.services.state.activities.get(self.copy.parent_id, self.copy.parent_activity_id)
        start_at_epoch_s = self.copy.activity_start_epoch_s or (entry and entry.start_at_epoch_s) or 0
        pages = self.services.strava.client.activities(
            self.copy.child_id,
            after_epoch_s=start_at_epoch_s - SEARCH_S,
            before_epoch_s=start_at_epoch_s + SEARCH_S,
        )
        found = (activity.activity_id for page in pages for activity in page if self._is_this_copy(activity))
        return next(found, None)

    def decided(self, outcome: Outcome) -> Copy:
        """The copy after Strava's decision; a duplicate of another activity's copy is a failure of this one."""
        found = outcome.activity_id
        if outcome.state is OutcomeState.READY and found is not None:
            return self.copy.made(found)
        if outcome.state is OutcomeState.FAILED:
            return self.copy.failed(outcome.reason)
        if found is not None and self.holds_as_this_copy(found):
            return self.copy.made(found)
        if found is not None and self.holds_as_another_copy(found):
            return self.copy.failed(outcome.reason)
        return self.copy.duplicated(found, outcome.reason)

    def holds_as_this_copy(self, activity_id: int) -> bool:
        """Whether that activity is this copy: made by an upload whose outcome was unknown.

        Where the child granted no read access, the activity that Strava names counts as made from the file sent
        before, unless it is another copy.
        """
        if self.copy.attempts < 2:
            return False
        try:
            return self._is_this_copy(self.services.strava.client.activity(self.copy.child_id, activity_id))
        except ScopeMissing:
            return not self.holds_as_another_copy(activity_id)
        except Gone:
            return False

    def holds_as_another_copy(self, activity_id: int) -> bool:
        """Whether the ledger knows that activity as the copy of another activity."""
        return any(
            copy.child_activity_id == activity_id and copy.parent_activity_id != self.copy.parent_activity_id
            for copy in self.services.state.copies.of_child(self.copy.child_id)
        )

    def _is_this_copy(self, candidate: Activity) -> bool:
        """Whether the candidate has the file's external id, to which Strava appends the file type."""
        return (candidate.external_id or "").partition(".")[0] == self.copy.external_id
