"""How the rows of each table are stored: today's form, literally, and with anything missing that has a default."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import NewerVersion
from include.state.accounts.athletes import AthleteRow
from include.state.accounts.mail_addresses import MailAddress
from include.state.accounts.notices import Notice
from include.state.accounts.token_pair import SealedTokens
from include.state.activities.entry import LedgerEntry
from include.state.activities.row import LedgerRow
from include.state.copies.entry import Copy
from include.state.erasures.certificates import LinkedCertificate
from include.state.erasures.entry import Erasure, ErasureStage
from include.state.events import AuditedEvent
from include.state.histories import History
from include.state.invites import Invite
from include.state.links import CopyOptions, Link
from include.state.listings import Listing, MonthShown
from include.state.outages import Outage
from include.state.partitions import Waiting
from include.store.codec import decode, encode

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

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DRAWN: dict[Any, st.SearchStrategy[Any]] = {
    float: FLOATS,
    float | None: st.none() | FLOATS,
    MonthShown | None: st.none() | st.builds(MonthShown, st.integers(), FLOATS),
    CopyOptions: st.builds(CopyOptions, trim_m=st.none() | st.integers(0, 2000), sports=st.lists(st.text()).map(tuple)),
}
"""What the type alone says too little of."""


def drawn(row_type: type) -> st.SearchStrategy[Any]:
    """Any value of the type, every field of it drawn."""
    hints = get_type_hints(row_type)
    return st.builds(row_type, **{name: DRAWN.get(hint, st.from_type(hint)) for name, hint in hints.items()})


def read(row_type: type, row: dict[str, Any]) -> Any:
    """The value in the row; what is not among its fields is 1."""
    missing = {each.name: 1 for each in fields(row_type) if "is_stored" in each.metadata}
    return decode(row_type, row, **missing)


def test_every_type_that_a_row_is_read_as_is_among_them() -> None:
    sources = [path.read_text() for path in (Path(__file__).parents[3] / "include" / "state").rglob("*.py")]
    read_as = {name for source in sources for name in re.findall(r"\bdecode\((\w+), ", source)}

    assert read_as - {"cls"} <= {row_type.__name__ for row_type in ROWS}


@pytest.mark.parametrize(("row_type", "row"), ROWS.items())
def test_row_of_today_is_stored_again_as_it_was_read(row_type: type, row: dict[str, Any]) -> None:
    assert encode(read(row_type, row)) == row


@pytest.mark.parametrize("row_type", ROWS)
@given(data=st.data())
def test_any_value_is_read_as_it_was_stored(row_type: type, data: st.DataObject) -> None:
    value = data.draw(drawn(row_type))
    not_stored = {each.name: getattr(value, each.name) for each in fields(row_type) if "is_stored" in each.metadata}

    assert decode(row_type, json.loads(json.dumps(encode(value))), **not_stored) == value


@pytest.mark.parametrize(
    ("row_type", "row", "attribute"),
    [
        pytest.param(row_type, row, each, id=f"{row_type.__name__}.{each.name}")
        for row_type, row in ROWS.items()
        for each in fields(row_type)
        if (each.metadata.get("name") or each.name) in row
    ],
)
def test_field_that_an_older_version_did_not_write_has_its_default(
    row_type: type, row: dict[str, Any], attribute: Field[Any]
) -> None:
    name, older = attribute.metadata.get("name") or attribute.name, attribute.metadata.get("older")
    lacking = {each: row[each] for each in row.keys() - {name}}
    default = attribute.default if attribute.default_factory is MISSING else attribute.default_factory()

    if older in row:
        assert read(row_type, lacking) == replace(read(row_type, row), **{attribute.name: row[older]})
    elif default is MISSING:
        with pytest.raises(TypeError, match=attribute.name):
            read(row_type, lacking)
    else:
        assert read(row_type, lacking) == replace(read(row_type, row), **{attribute.name: default})


def test_wish_of_an_older_version_was_uttered_when_the_erasure_began() -> None:
    lacking = {name: ROWS[Erasure][name] for name in ROWS[Erasure].keys() - {"asked_at_epoch_s"}}

    assert decode(Erasure, lacking).grounds.asked_at_epoch_s == ROWS[Erasure]["began_at_epoch_s"]


def test_stage_of_an_older_version_is_read_as_withdrawn() -> None:
    assert decode(Erasure, ROWS[Erasure] | {"stage": "lifted"}).stage is ErasureStage.WITHDRAWN


def test_link_with_a_choice_that_only_a_newer_version_knows_is_left_to_it() -> None:
    with pytest.raises(NewerVersion, match="CopyOptions has cadence"):
        decode(Link, ROWS[Link] | {"carried": STORED_OPTIONS | {"cadence": False}})
