"""An athlete's latest activities, and in words what happened to each and to its copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from include.copying.eligibility import LASTING_REASONS
from include.copying.reasons import QUOTA_WORDS
from include.copying.sports import sport_in_words
from include.state.activities.ledger import ActivityState, LedgerEntry
from include.state.copies.ledger import MADE_STATES, NOT_MADE_STATES, Copy, CopyState, Original
from include.state.links import Link, LinkStatus
from webhook_api.pages.foreign_text import foreign
from webhook_api.pages.times import minute_text, start_text

SHOWN = 20

_STORED: Mapping[ActivityState, str] = {
    ActivityState.SYNCED: "stored",
    ActivityState.NO_STREAMS: "stored; Strava has no recorded points for it",
    ActivityState.REMOVED: "no longer visible on Strava, and removed here",
    ActivityState.QUARANTINED: "could not be read; the people who run this service have to look into it",
    ActivityState.EXPIRED: "deleted here, because data is not kept any longer",
}

_COPIES: Mapping[CopyState, Markup] = {
    CopyState.DONE: Markup("copied to {name}"),
    CopyState.DUPLICATE: Markup("already in the account of {name}"),
    CopyState.SKIPPED: Markup("not copied to {name}: "),
    CopyState.FAILED: Markup("failed for {name}: "),
    CopyState.UNFINISHED: Markup("not finished for {name}: "),
    CopyState.WAITING_FOR_ACCESS: Markup("copy to {name} waits for access: "),
}

_NOTES: Mapping[Original, Markup] = {
    Original.NAMED: Markup(""),
    Original.RENAMED: Markup("; the title no longer names {name}, and only {name} can delete the copy"),
    Original.DELETED: Markup("; only {name} can delete the copy"),
}


@dataclass(frozen=True, slots=True)
class CopyLine:
    """What happened to one copy."""

    child_id: int
    name: str
    """What the athlete calls the child."""
    text: Markup
    child_activity_id: int | None = None
    """The activity in the child's account, where there is one."""
    again: bool = False
    """Whether a retry may succeed."""


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One activity, without a title, which the ledger does not keep."""

    activity_id: int
    sport: str
    began: str
    text: str
    copies: tuple[CopyLine, ...]


def describe(entry: LedgerEntry, copies: Iterable[Copy], links: Mapping[int, Link], now_epoch_s: float) -> ActivityLine:
    """The activity's line; `links` are the athlete's, by child, and name each child."""
    gone = entry.state is ActivityState.REMOVED
    return ActivityLine(
        activity_id=entry.activity_id,
        sport=sport_in_words(entry.sport_type),
        began=start_text(entry.start_at_epoch_s),
        text=_STORED.get(entry.state) or _waiting(entry.reason, entry.fetch_at_epoch_s, now_epoch_s),
        copies=tuple(_describe_copy(copy, links.get(copy.child_id), now_epoch_s, gone=gone) for copy in copies),
    )


def _describe_copy(copy: Copy, link: Link | None, now_epoch_s: float, *, gone: bool) -> CopyLine:
    called = link.names[0] if link and link.names else copy.matched
    name = foreign(called)
    wanted = link is not None and link.status is not LinkStatus.ENDED and not gone
    if copy.state in _COPIES:
        note = _NOTES[copy.original].format(name=name)
        if copy.track_hidden:
            note = Markup(", without its track, which is too close to where it began or ended{}").format(note)
        text = _COPIES[copy.state].format(name=name) + (note if copy.state in MADE_STATES else copy.reason)
    else:
        waiting = _waiting(copy.reason, copy.next_try_epoch_s, now_epoch_s)
        text = Markup("copy to {}: {}").format(name, waiting)
    return CopyLine(
        child_id=copy.child_id,
        name=called,
        text=text,
        child_activity_id=copy.child_activity_id,
        again=wanted and copy.state in NOT_MADE_STATES and copy.reason not in LASTING_REASONS,
    )


def _waiting(reason: str, next_try_epoch_s: int | None, now_epoch_s: float) -> str:
    if next_try_epoch_s is None or next_try_epoch_s <= now_epoch_s or not reason:
        return "under way"
    until = f"until {minute_text(next_try_epoch_s)}"
    return f"waiting for Strava's limit {until}" if reason == QUOTA_WORDS else f"waiting {until}: {reason}"
