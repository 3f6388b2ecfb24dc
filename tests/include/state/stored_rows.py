"""A row of each type, as it is stored today."""

from __future__ import annotations

from typing import Any

from include.state.accounts.athletes import AthleteRow
from include.state.accounts.mail_addresses import MailAddress
from include.state.accounts.notices import Notice
from include.state.accounts.token_pair import SealedTokens
from include.state.activities.entry import LedgerEntry
from include.state.activities.row import LedgerRow
from include.state.application.outages import Outage
from include.state.copies.entry import Copy
from include.state.erasures.certificates import LinkedCertificate
from include.state.erasures.entry import Erasure
from include.state.events import AuditedEvent
from include.state.histories import History
from include.state.invites import Invite
from include.state.links import Link
from include.state.listings import Listing
from include.state.partitions import Waiting

STORED_OPTIONS = {
    "heartrate": True,
    "power": False,
    "temperature": True,
    "trim_m": 200,
    "allow_private": False,
    "title": "{title}",
    "link_back": True,
    "sports": ["Run", "Ride"],
}

STORED_TERMS = {
    "names": ["Rex"],
    "starts_at_epoch_s": 5,
    "allow_private": True,
    "title": "{title}",
    "sports": ["Run"],
}

ROWS: dict[type, dict[str, Any]] = {
    LedgerEntry: {
        "athlete_id": 42,
        "activity_id": 7,
        "state": "no_streams",
        "sport_type": "Run",
        "start_at_epoch_s": 1600000000,
        "fingerprint": "abc",
        "object_keys": ["a.parquet", "b.parquet"],
        "points": 9,
        "reason": "why",
        "rounds": 3,
        "round_at_epoch_s": 11,
        "fetched_at_epoch_s": 12.5,
        "oldest_answer_epoch_s": 10.5,
        "lost_at_epoch_s": 13,
        "own_try_epoch_s": 14,
        "asked": [1, 15],
        "copies_due": [2, 16],
        "queued": 4,
    },
    LedgerRow: {"fence": 5, "lease_until_epoch_s": 6.5, "dirty": True, "doubtful": True},
    Copy: {
        "parent_activity_id": 7,
        "child_id": 43,
        "parent_id": 42,
        "state": "waiting_for_access",
        "reason": "why",
        "external_id": "sdi-7-43",
        "upload_id": 5,
        "child_activity_id": 6,
        "matched": "Rex",
        "original": "renamed",
        "attempts": 2,
        "activity_start_epoch_s": 1600000000,
        "file_format": "gpx",
        "points": 99,
        "carried": ["heartrate", "power"],
        "trim_m": 200,
        "track_hidden": True,
        "planned_at_epoch_s": 10,
        "updated_at_epoch_s": 11,
        "waiting_since_epoch_s": 12,
        "next_try_epoch_s": 13,
    },
    Link: {
        "parent_id": 42,
        "child_id": 43,
        "names": ["Rex", "the dog"],
        "carried": STORED_OPTIONS,
        "starts_at_epoch_s": 5,
        "parent_consent_epoch_s": 6,
        "child_consent_epoch_s": 7,
        "status": "paused",
        "wake_at_epoch_s": 8,
        "agreed": STORED_TERMS,
        "proposal": STORED_TERMS | {"names": ["Rex", "Bello"]},
        "set_aside": {"terms": STORED_TERMS, "by": "child", "undo_until_epoch_s": 9},
        "declined_at_epoch_s": 8,
        "ending": {"by": "parent", "was": "active", "undo_until_epoch_s": 10},
        "made_by_operator": True,
        "feed": [{"at_epoch_s": 8, "by": "parent", "deed": "changed", "parts": ["names"]}],
    },
    Invite: {
        "parent_id": 42,
        "names": ["Rex"],
        "carried": STORED_OPTIONS,
        "starts_at_epoch_s": 5,
        "child_id": 43,
        "accepted_at_epoch_s": 6,
        "closing": {
            "by": "child",
            "at_epoch_s": 7,
            "undo_until_epoch_s": 8,
            "good_until_epoch_s": 9,
            "browser": "a hash",
        },
        "form_id": "a form",
    },
    AthleteRow: {
        "athlete_id": 42,
        "firstname": "Ann",
        "lastname": "Bee",
        "scopes": ["activity:read", "read"],
        "status": "needs_reauth",
        "connected_at_epoch_s": 5,
        "authorised_at_epoch_s": 6,
        "disconnect_asked_at_epoch_s": 7,
        "refused_at_epoch_s": 8,
        "unwanted_scopes": ["activity:read_all"],
        "city": "Turku",
        "session_series": "a series",
        "wish": {"kind": "widen", "asked_at_epoch_s": 9, "scopes": ["activity:write"]},
    },
    SealedTokens: {
        "tokens": "sealed",
        "tokens_expire_at_epoch_s": 5,
        "refresh_lease_until_epoch_s": 6.5,
    },
    Notice: {
        "kind": "child_erased",
        "happened_at_epoch_s": 5,
    },
    Erasure: {
        "athlete_id": 42,
        "reason": "athlete",
        "asked_at_epoch_s": 4,
        "began_at_epoch_s": 5,
        "stage": "under_way",
        "next_try_epoch_s": 6,
        "finished_at_epoch_s": 7,
        "link_id": "secret of a link",
        "fence": 2,
        "lease_until_epoch_s": 8.5,
    },
    MailAddress: {
        "athlete_id": 42,
        "sealed": "sealed",
        "nonce": "of the link",
        "asked_at_epoch_s": 5,
    },
    LinkedCertificate: {
        "athlete_id": 42,
        "began_at_epoch_s": 5,
        "document": "{}",
        "sealed_address": "sealed",
        "claimed_at_epoch_s": 9,
    },
    AuditedEvent: {
        "athlete_id": 42,
        "object_id": 7,
        "outcome": "run started",
        "received_at_epoch_s": 5.5,
        "times": 2,
    },
    History: {
        "athlete_id": 42,
        "after_epoch_s": 1,
        "until_epoch_s": 9,
        "dry_run": True,
        "asked_at_epoch_s": 5,
        "before_epoch_s": 6,
        "edge": [8],
        "again": True,
        "is_listed": True,
        "listed_at_epoch_s": 7.5,
        "to_load": [3, 4],
        "found": 10,
        "in_lake": 11,
        "changed": 12,
        "unreadable": 13,
        "lacking": 14,
        "read_calls": 15,
        "loaded": 16,
        "next_turn_epoch_s": 17,
        "queued": 18,
        "reason": "why",
    },
    Listing: {
        "athlete_id": 42,
        "listed_at_epoch_s": 5.5,
        "older_before_epoch_s": 6,
        "zone": "Europe/Berlin",
        "older_newer_part": {"activities": 10, "listed_at_epoch_s": 11.5},
        "older_from_epoch_s": 7.5,
        "looked_for": [8],
        "looked_at": [[9, "abc"]],
    },
    Outage: {
        "since_epoch_s": 5,
        "reason": "RetryLater",
        "asked_at_epoch_s": 6,
    },
    Waiting: {
        "table": "streams",
        "athlete_id": 42,
        "year": 2026,
        "noted_at_epoch_s": 5.5,
    },
}
"""A row of each type, without a default in it."""
