"""One worker's work on one copy: from the plan to the upload and its outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from include.copying.eligibility import ineligible_reason
from include.copying.files import build_file
from include.copying.matching import match
from include.copying.outcome import OutcomeState, read_outcome
from include.copying.reasons import athlete_words
from include.copying.samples import recorded_ends
from include.copying.trimming import hidden_radius_m
from include.errors import (
    BeingErased,
    CapacityReached,
    Gone,
    IngestError,
    LeaseLost,
    NotConnected,
    QuotaSpent,
    Refused,
    RetryLater,
    ScopeMissing,
    TokenRefused,
)
from include.lake.keys import gpx_key, tcx_key
from include.lake.objects.objects import Condition
from include.pipeline.copying.child_account import ChildAccount
from include.pipeline.uses import UsesStorageAndStrava
from include.state.accounts.athletes import AthleteStatus
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import FINAL_STATES, MADE_STATES, NOT_MADE_STATES, Copy, CopyState
from include.state.links import Link
from include.strava.models import Activity, Upload, UploadFile
from include.strava.stream_types import STREAM_TYPES

_log = logging.getLogger(__name__)

SEARCH_FOR_S = 900
"""How long an upload of unknown outcome may be missing from the child's list before it counts as lost."""

_STILL = "Strava is still processing the file; it is checked again later."
_PARENT_AWAY = "The parent's account is not connected; the copy is made when it is connected again."
_ACCESS_ERRORS = (TokenRefused, NotConnected, ScopeMissing, CapacityReached)
"""Errors that say the child's account refuses access."""

_GONE = {
    ActivityState.REMOVED: "The activity was deleted on Strava, or hidden, before its copy was made.",
    ActivityState.EXPIRED: "The activity was deleted here, as old as data may become, before its copy was made.",
}

_words = partial(athlete_words, account="the child's account")
_GRANT_PRECISION_S = 2
"""How far the time of a grant may be off: it is in whole seconds, and one later where two grants share a second."""


class CopyJob:
    """One worker's lease on one copy: every step is stored in the ledger before the next begins.

    A fault is stored too, with the next try; it is also kept as `fault` where the ledger could not be written, or where
    Airflow may retry sooner.
    """

    def __init__(self, services: UsesStorageAndStrava, copy: Copy) -> None:
        self.copy = copy
        self.fault: IngestError | None = None
        self.is_lost = False
        """Whether another worker has the copy by now."""
        self.is_fresh = False
        """Whether this job has sent the file, and Strava has only just begun to process it."""
        self._services = services

    def proceed(self) -> None:
        """Continue from the stored state: poll or search where a file was sent, send where none was."""
        self._attempt(self._proceed)

    def poll(self) -> None:
        """Poll the upload that this job has sent."""
        self._attempt(self._poll)

    def leave(self) -> None:
        """Stop polling the upload that this job has sent: reconcile continues."""
        self._attempt(lambda: self._note(self.copy.still_processing(_STILL, self._services.clock())))

    def settle(self) -> None:
        """Release the copy; where another worker took it over, nothing is left to release."""
        with suppress(LeaseLost):
            self._services.state.copies.settle(self.copy)

    def _attempt(self, work: Callable[[], object]) -> None:
        try:
            self._do(work)
        except LeaseLost:
            self.is_lost, self.is_fresh = True, False
        except IngestError as error:
            self.fault, self.is_fresh = error, False

    def _do(self, work: Callable[[], object]) -> None:
        """Do the step, and store its fault; a fault that Airflow may retry sooner is kept to be raised."""
        now_epoch_s = self._services.clock()
        try:
            work()
        except LeaseLost:
            raise
        except QuotaSpent as spent:
            self._stop(self.copy.postponed(_words(spent), int(spent.until_epoch_s) + 1))
        except _ACCESS_ERRORS as refusal:
            _log.info("Copy %s to athlete %s waits: %s", self.copy.external_id, self.copy.child_id, refusal)
            self._stop(self.copy.waiting_for_access(_words(refusal), now_epoch_s))
        except Refused as refusal:
            _log.info("Copy %s to athlete %s waits: %s", self.copy.external_id, self.copy.child_id, refusal)
            self._stop(self.copy.postponed_by_fault(_words(refusal), now_epoch_s))
        except IngestError as fault:
            self._stop(self.copy.postponed_by_fault(_words(fault), now_epoch_s, fault.retry_after_s))
            raise

    def _stop(self, copy: Copy) -> None:
        self.is_fresh = False
        self._note(copy)

    def _note(self, copy: Copy) -> None:
        """Store the copy after a step. Errors: `LeaseLost` ends the work."""
        self.copy = self._services.state.copies.advance(copy)
        if self.copy.state in NOT_MADE_STATES:
            self._services.state.copies.release_time(self.copy)

    def _proceed(self) -> None:
        waits = self.copy.state in (CopyState.PROCESSING, CopyState.WAITING_FOR_ACCESS)
        if self.copy.state in FINAL_STATES or (waits and not self.copy.is_due(self._services.clock())):
            return
        if self.copy.upload_id is not None and self._poll_once(self.copy.upload_id):
            return
        cannot_search = False
        if self.copy.is_in_doubt:
            try:
                found = ChildAccount(self._services, self.copy).find()
                if found is not None:
                    self._note(self.copy.made(found))
                    return
            except ScopeMissing:
                cannot_search = True  # The file is sent again instead: Strava answers "duplicate" if it has it.
        self._make(cannot_search=cannot_search)

    def _poll(self) -> None:
        if self.copy.upload_id is not None:
            self._is_decided(self._services.strava.client.upload(self.copy.child_id, self.copy.upload_id))

    def _poll_once(self, upload_id: int) -> bool:
        """Poll an upload once; False where the copy was reopened: then search for it, and send it again."""
        was_asked_for = self.copy.state is CopyState.UPLOADING
        try:
            upload = self._services.strava.client.upload(self.copy.child_id, upload_id)
        except Gone:
            if was_asked_for:
                return False
            raise
        if self._is_decided(upload):
            return True
        if not was_asked_for:
            self._note(self.copy.still_processing(_STILL, self._services.clock()))
        return not was_asked_for

    def _make(self, *, cannot_search: bool) -> None:
        """Make the file from the present activity, link and title, and send it, or store why not."""
        activity = self._services.lake.raw.detail(self.copy.parent_id, self.copy.parent_activity_id)
        if activity is None:
            self._skip_or_wait(cannot_search=cannot_search)
            return
        if not self._is_parent_connected():
            self._note(self.copy.postponed_by_fault(_PARENT_AWAY, self._services.clock()))
            return
        link = self._link()
        streams = self._services.lake.raw.streams(activity.athlete_id, activity.activity_id)
        if link is None or match(activity.name, link.names) is None:
            reason: str | None = "The title no longer named the child when the copy was due."
        else:
            reason = ineligible_reason(activity, streams, link, is_copy=self._is_copy(activity))
        if link is None or streams is None or reason is not None:
            self._skip(reason or "", cannot_search=cannot_search)
            return
        if self._is_outing_claimed(activity, cannot_search=cannot_search):
            return
        parent = self._services.state.athletes.get(activity.athlete_id)
        trim_m = self._trim_m(link)
        hidden = self._services.state.places.circles(activity.athlete_id, trim_m, recorded_ends(streams))
        file = build_file(activity, streams, link, hidden, parent.firstname if parent else "")
        self._store_file(file)
        self._send(file, link, trim_m)

    def _is_parent_connected(self) -> bool:
        parent = self._services.state.athletes.get(self.copy.parent_id)
        return parent is not None and parent.status is AthleteStatus.ACTIVE

    def _trim_m(self, link: Link) -> int:
        """The radius to hide now; points that were fetched under an older grant may be of a fuller track."""
        parent = self._services.state.athletes.get(link.parent_id)
        entry = self._services.state.activities.get(link.parent_id, self.copy.parent_activity_id)
        fetched_at_epoch_s = entry.fetched_at_epoch_s if entry else None
        if (
            parent is None
            or fetched_at_epoch_s is None
            or fetched_at_epoch_s + _GRANT_PRECISION_S < parent.authorised_at_epoch_s
        ):
            return hidden_radius_m(link.options, None)
        return hidden_radius_m(link.options, parent.scopes)

    def _send(self, file: UploadFile, link: Link, trim_m: int) -> None:
        def before_sending() -> None:
            if self._services.state.erasures.forbid_writing(link.parent_id, link.child_id):
                raise BeingErased(
                    f"Athlete {link.parent_id} or {link.child_id} asked to be erased while the file was being made:"
                    " nothing was sent. If the erasure is withdrawn, reconcile continues."
                )
            if self._link() != link or self._trim_m(link) != trim_m:
                raise RetryLater(
                    f"The link of athletes {link.parent_id} and {link.child_id}, or the parent's grant, changed"
                    " while the file was being made: nothing was sent. Run this again."
                )
            self._note(self.copy.sending(self._services.clock(), **_file_fields(file, link, trim_m)))

        upload = self._services.strava.client.create_upload(self.copy.child_id, file, before_sending)
        if not self._is_decided(upload):
            self._note(self.copy.accepted(upload.upload_id, self._services.clock()))
            self.is_fresh = True

    def _is_outing_claimed(self, activity: Activity, *, cannot_search: bool) -> bool:
        """Whether another recording of the same outing comes first: then this copy waits, or is skipped."""
        start = self.copy.activity_start_epoch_s or int(activity.start_at.timestamp())
        rival = self._services.state.copies.claim_time(self.copy, start, start + activity.elapsed_s)
        if rival is None:
            return False
        if rival.state in MADE_STATES:
            self._skip("Another recording of the same outing was copied to this child.", cannot_search=cannot_search)
        else:
            reason = "Another recording of the same outing is being copied to this child."
            self._note(self.copy.postponed_by_fault(reason, self._services.clock()))
        return True

    def _skip_or_wait(self, *, cannot_search: bool) -> None:
        """Skip the copy of an activity that is gone; wait for one that is not stored yet."""
        entry = self._services.state.activities.get(self.copy.parent_id, self.copy.parent_activity_id)
        if entry is not None and entry.state in _GONE:
            self._skip(_GONE[entry.state], cannot_search=cannot_search)
        else:
            self._note(self.copy.postponed_by_fault("The activity is not stored yet.", self._services.clock()))

    def _skip(self, reason: str, *, cannot_search: bool) -> None:
        """Skip the copy; where Strava may have the file, search for it first, or give up with that reason."""
        now_epoch_s = self._services.clock()
        if not self.copy.is_in_doubt:
            self._note(self.copy.skipped(reason))
        elif cannot_search:
            self._note(self.copy.given_up(f"Whether the file arrived is not known. {reason}"))
        elif self.copy.waited_s(now_epoch_s) < SEARCH_FOR_S:
            self._note(self.copy.postponed_by_fault("Checking whether the file arrived.", now_epoch_s))
        else:
            self._note(self.copy.skipped(reason))

    def _link(self) -> Link | None:
        return self._services.state.links.get(self.copy.parent_id, self.copy.child_id)

    def _store_file(self, file: UploadFile) -> None:
        """Store the file beside the raw zone, where it is removed with the activity."""
        key = gpx_key if file.data_type == "gpx.gz" else tcx_key
        place = key(self.copy.parent_id, self.copy.parent_activity_id, self.copy.child_id)
        self._services.lake.objects.put(place, file.content, expected=Condition.ANYTHING)

    def _is_decided(self, upload: Upload) -> bool:
        """Whether Strava has decided; the decision is stored."""
        outcome = read_outcome(upload)
        if outcome.state is OutcomeState.PROCESSING:
            return False
        self._note(ChildAccount(self._services, self.copy).decided(outcome))
        self.is_fresh = False
        return True

    def _is_copy(self, activity: Activity) -> bool:
        """Whether the activity is a copy; the original of a duplicate is the athlete's own recording."""
        return any(
            copy.child_activity_id == activity.activity_id and copy.state is CopyState.DONE
            for copy in self._services.state.copies.of_child(activity.athlete_id)
        )


def _file_fields(file: UploadFile, link: Link, trim_m: int) -> dict[str, Any]:
    """The fields of the file that the ledger keeps."""
    options = link.options
    chosen = [each.choice for each in STREAM_TYPES if each.choice and getattr(options, each.choice)]
    return {
        "file_format": file.data_type.partition(".")[0],
        "points": file.points,
        "carried": tuple(chosen),
        "trim_m": trim_m,
        "track_hidden": file.track_hidden,
    }
