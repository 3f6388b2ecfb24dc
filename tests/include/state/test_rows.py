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
from include.state.accounts.token_pair import SealedTokens
from include.state.accounts.wishes import Wish
from include.state.activities.entry import LedgerEntry
from include.state.activities.row import LedgerRow
from include.state.consent.feed import FeedEntry
from include.state.consent.terms import Terms
from include.state.copies.entry import Copy
from include.state.copies.states import CopyState
from include.state.erasures.certificates import LinkedCertificate
from include.state.erasures.entry import Erasure, ErasureStage
from include.state.histories import History
from include.state.invites import Closing, Invite
from include.state.links import CopyOptions, Link
from include.state.listings import Listing, MonthShown
from include.store.codec import decode, encode
from include.store.store import Key
from tests.include.state.stored_rows import ROWS, STORED_OPTIONS, STORED_TERMS

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


OPTIONS = {
    **{"heartrate": True, "power": True, "temperature": True, "trim_m": 0, "allow_private": False},
    **{"title": "{title}", "link_back": True, "sports": []},
}
PARTS: dict[type, dict[str, Any]] = {
    CopyOptions: STORED_OPTIONS,
    Terms: STORED_TERMS,
    Closing: ROWS[Invite]["closing"],
    FeedEntry: ROWS[Link]["feed"][0],
    Wish: ROWS[AthleteRow]["wish"],
}
DEFAULTS: dict[type, dict[str, Any]] = {
    LedgerEntry: {
        **{"sport_type": "", "start_at_epoch_s": None, "fingerprint": "", "object_keys": [], "points": 0, "reason": ""},
        **{"rounds": 0, "round_at_epoch_s": None, "fetched_at_epoch_s": None, "oldest_answer_epoch_s": None},
        **{"lost_at_epoch_s": None, "own_try_epoch_s": None, "asked": None, "copies_due": None, "queued": 0},
    },
    LedgerRow: {"fence": 0, "lease_until_epoch_s": 0.0, "dirty": False, "doubtful": False},
    Copy: {
        **{"reason": "", "external_id": "", "upload_id": None, "child_activity_id": None, "matched": ""},
        **{"original": "named", "attempts": 0, "activity_start_epoch_s": None, "file_format": "", "points": None},
        **{"carried": [], "trim_m": None, "track_hidden": False, "planned_at_epoch_s": 0, "updated_at_epoch_s": 0},
        **{"waiting_since_epoch_s": None, "next_try_epoch_s": None},
    },
    CopyOptions: OPTIONS,
    Terms: {"sports": []},
    Link: {
        **{"carried": OPTIONS, "starts_at_epoch_s": 0, "parent_consent_epoch_s": None, "child_consent_epoch_s": None},
        **{"status": "active", "agreed": None, "proposal": None, "set_aside": None, "declined_at_epoch_s": None},
        **{"ending": None, "made_by_operator": False, "feed": [], "wake_at_epoch_s": None},
    },
    FeedEntry: {"parts": []},
    Invite: {
        **{"starts_at_epoch_s": 0, "child_id": None, "accepted_at_epoch_s": None, "closing": None, "form_id": ""},
    },
    Closing: {"browser": ""},
    AthleteRow: {
        **{"disconnect_asked_at_epoch_s": None, "refused_at_epoch_s": None, "city": "", "unwanted_scopes": []},
        **{"session_series": "", "wish": None},
    },
    Wish: {"scopes": []},
    SealedTokens: {"tokens": None, "tokens_expire_at_epoch_s": 0, "refresh_lease_until_epoch_s": 0.0},
    Erasure: {
        **{"next_try_epoch_s": 0, "finished_at_epoch_s": None, "link_id": "", "fence": 0, "lease_until_epoch_s": 0.0},
    },
    MailAddress: {"nonce": "", "asked_at_epoch_s": 0},
    LinkedCertificate: {"document": "", "sealed_address": "", "claimed_at_epoch_s": None},
    History: {
        **{"edge": [], "again": False, "is_listed": False, "listed_at_epoch_s": 0.0, "to_load": [], "found": 0},
        **{"in_lake": 0, "changed": 0, "unreadable": 0, "lacking": 0, "read_calls": 0, "loaded": 0},
        **{"next_turn_epoch_s": 0, "queued": 0, "reason": ""},
    },
    Listing: {
        **{"listed_at_epoch_s": 0.0, "older_before_epoch_s": None, "older_from_epoch_s": 0.0, "looked_for": []},
        **{"looked_at": [], "zone": "", "older_newer_part": None},
    },
}
"""What each optional field holds until something is written to it."""


@pytest.mark.parametrize(
    ("row_type", "defaults"), [pytest.param(*each, id=each[0].__name__) for each in DEFAULTS.items()]
)
def test_row_without_its_optional_fields_is_stored_with_their_defaults(
    row_type: type, defaults: dict[str, Any]
) -> None:
    whole = (ROWS | PARTS)[row_type]
    lacking = {name: whole[name] for name in whole.keys() - defaults.keys()}

    assert encode(read(row_type, lacking)) == lacking | defaults


def test_row_is_new_until_it_is_read_from_the_store() -> None:
    key = Key("activities", "42", "7")

    assert LedgerRow(key) == LedgerRow(key, None, 0, 0.0, False, False, 0)
    assert Link(42, 43, ("Rex",)).version == 0
    assert Invite("a hash", 42, ("Rex",), CopyOptions(), 9).version == 0
    assert MailAddress(42, "sealed").version == 0
    assert LinkedCertificate("a link", 42, 5).version == 0
    assert Copy(7, 43, 42, CopyState.PLANNED) == Copy(7, 43, 42, CopyState.PLANNED, version=0, held=False)
