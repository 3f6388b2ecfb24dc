"""What the version before left is taken up: every row is read, and nothing that was done is done again."""

from __future__ import annotations

import pytest

from include.lake.query import query
from include.pipeline.erasure.erase import EraseRequest, Outcome, erase
from include.pipeline.retention.audit import athlete_ids, audit
from include.pipeline.retention.expiry import expire
from include.state.activities.ledger import ActivityState
from include.state.copies.ledger import CopyState
from include.state.erasures.ledger import EraseReason, ErasureStage
from include.state.links import LinkStatus

pytestmark = pytest.mark.network

DAY_H = 24
SETTLED = ("copied_to_mia", "refused_by_max", "skipped_for_rex", "duplicate_of_rex", "failed_while_switched_off")
"""Activities of the parent with which nothing was left to do at Strava but perhaps a copy."""


def copy(installation, name, child):
    return installation.services.state.copies.get(installation.activities[name], installation.athletes[child])


def sent(installation, name, child):
    return installation.uploads()[installation.activities[name], installation.athletes[child]]


def entry(installation, name, athlete="paula"):
    return installation.services.state.activities.get(installation.athletes[athlete], installation.activities[name])


# --- every row is read ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param(name, state, id=name)
        for name, state in {
            "copied_to_mia": ActivityState.SYNCED,
            "manual": ActivityState.NO_STREAMS,
            "deleted": ActivityState.REMOVED,
            "quarantined": ActivityState.QUARANTINED,
            "not_there_yet": ActivityState.PENDING,
        }.items()
    ],
)
def test_activity_keeps_its_state(installation, name, state):
    assert entry(installation, name).state is state


@pytest.mark.parametrize(
    ("name", "child", "state"),
    [
        pytest.param("copied_to_rex", "rex", CopyState.DONE, id="done"),
        pytest.param("duplicate_of_rex", "rex", CopyState.DUPLICATE, id="duplicate"),
        pytest.param("skipped_for_rex", "rex", CopyState.SKIPPED, id="skipped"),
        pytest.param("uploading", "rex", CopyState.UPLOADING, id="uploading"),
        pytest.param("processing", "rex", CopyState.PROCESSING, id="processing"),
    ],
)
def test_copy_keeps_its_state(installation, name, child, state):
    assert copy(installation, name, child).state is state


def test_links_keep_names_consents_and_what_they_carry(installation):
    links = {
        link.child_id: link for link in installation.services.state.links.of_parent(installation.athletes["paula"])
    }

    assert {link.names for link in links.values()} == {("Rex",), ("Mia",), ("Max",)}
    assert all(link.status is LinkStatus.ACTIVE for link in links.values())
    assert all(link.parent_consent_epoch_s and link.child_consent_epoch_s for link in links.values())


@pytest.mark.parametrize(
    ("child", "trim_m"), [pytest.param("rex", None, id="0, as the form had it"), pytest.param("mia", 300, id="chosen")]
)
def test_length_to_trim_counts_as_chosen_only_where_it_was(installation, child, trim_m):
    link = installation.services.state.links.get(installation.athletes["paula"], installation.athletes[child])

    assert link.options.trim_m == trim_m


def test_tokens_open_with_the_key_that_was_kept(installation):
    installation.services.strava.client.activity(installation.athletes["paula"], installation.activities["plain"])

    assert installation.fetches()[installation.activities["plain"]] == 1


def test_erasures_keep_their_stage(installation):
    erasures = installation.services.state.erasures

    assert erasures.get(installation.athletes["ute"]).stage is ErasureStage.UNDER_WAY
    assert erasures.get(installation.athletes["erik"]).stage is ErasureStage.FINISHED
    assert erasures.forbid_writing(installation.athletes["ute"])


def test_lake_answers_and_agrees_with_the_ledger(installation):
    paula = installation.athletes["paula"]
    rows = query("SELECT activity_id, name FROM activities ORDER BY 1", installation.settings.lake_url).to_pylist()

    assert {row["activity_id"]: row["name"] for row in rows}[installation.activities["copied_to_rex"]] == (
        "Morning run with Rex"
    )
    audited = audit(installation.services, paula, dry_run=True)
    assert (audited.lost, audited.unreadable) == (0, ())


def test_retention_finds_everybody_and_nothing_that_has_expired(installation):
    found = athlete_ids(installation.services)

    assert set(found) >= {installation.athletes[name] for name in ("paula", "rex", "mia", "max")}
    for athlete_id in found:
        assert expire(installation.services, athlete_id, 7, dry_run=True).activities == 0


# --- nothing is done again -----------------------------------------------------------------------


def test_day_later_nothing_that_was_fetched_is_fetched_again(installation):
    installation.go_on(DAY_H)

    fetched = installation.fetches()
    assert {name: fetched[installation.activities[name]] for name in (*SETTLED, "manual", "deleted")} == dict.fromkeys(
        (*SETTLED, "manual", "deleted"), 0
    )


def test_day_later_nothing_that_was_copied_is_copied_again(installation):
    before = installation.uploads()
    installation.go_on(DAY_H)

    more = installation.uploads() - before
    assert set(more) <= {
        (installation.activities[name], installation.athletes[child])
        for name, child in (("plain", "mia"), ("copied_to_rex", "mia"), ("failed_while_switched_off", "rex"))
    }
    assert set(more.values()) == {1}


def test_what_waited_in_the_queue_is_done(installation):
    installation.system.catch_up()

    for name in ("plain", "copied_to_rex"):
        assert copy(installation, name, "mia").state is CopyState.DONE
        assert sent(installation, name, "mia") == 1
    rows = query("SELECT activity_id, name FROM activities", installation.settings.lake_url).to_pylist()
    names = {row["activity_id"]: row["name"] for row in rows}
    assert names[installation.activities["plain"]] == "Lunch ride with Mia"


def test_activity_that_was_not_there_yet_comes(installation):
    installation.go_on(1)

    assert entry(installation, "not_there_yet").state is ActivityState.SYNCED


@pytest.mark.parametrize("name", ["uploading", "processing"])
def test_upload_that_was_under_way_is_brought_to_its_end_and_not_sent_again(installation, name):
    installation.go_on(2)

    assert copy(installation, name, "rex").state is CopyState.DONE
    assert sent(installation, name, "rex") == 1


def test_erasure_that_broke_off_is_finished_when_it_is_run_again(installation):
    ute, settings = installation.athletes["ute"], installation.settings
    erased = erase(installation.services, EraseRequest(ute, EraseReason.OPERATOR), settings)

    assert erased.outcome is Outcome.ERASED
    assert installation.services.state.erasures.get(ute).stage is ErasureStage.FINISHED
    assert not list(installation.place.lake.glob(f"*/athlete_id={ute}/**/*.parquet"))


def test_erasure_that_broke_off_is_finished_by_reconcile(installation):
    installation.go_on(1)

    assert installation.services.state.erasures.get(installation.athletes["ute"]).stage is ErasureStage.FINISHED
    assert not list(installation.place.lake.glob(f"*/athlete_id={installation.athletes['ute']}/**/*.parquet"))


def test_copy_that_failed_for_a_passing_reason_is_made_once(installation):
    assert copy(installation, "failed_while_switched_off", "rex").state is CopyState.FAILED
    for _night in range(2):
        audit(installation.services, installation.athletes["paula"], dry_run=False)
        installation.go_on(2)

    assert copy(installation, "failed_while_switched_off", "rex").state is CopyState.DONE
    assert sent(installation, "failed_while_switched_off", "rex") == 1


def test_copy_that_failed_over_a_childs_access_is_made_once_when_the_child_connects(installation):
    audit(installation.services, installation.athletes["paula"], dry_run=False)
    installation.go_on(2)
    assert copy(installation, "refused_by_max", "max").state is CopyState.WAITING_FOR_ACCESS
    assert sent(installation, "refused_by_max", "max") == 0
    for _time in range(2):
        installation.connect("max")
        installation.go_on(2)

    assert copy(installation, "refused_by_max", "max").state is CopyState.DONE
    assert sent(installation, "refused_by_max", "max") == 1


def test_night_finds_no_difference_and_has_nothing_fetched_again(installation):
    installation.system.catch_up()
    installation.requests.clear()
    services, paula = installation.services, installation.athletes["paula"]
    written = services.lake.copy_rows.repair([athlete.athlete_id for athlete in services.state.athletes.all()])
    audited = audit(services, paula, dry_run=False)
    installation.go_on(2)

    assert (audited.unknown, audited.lost, written) == (0, 0, 0)
    assert not set(installation.fetches()) & {installation.activities[name] for name in SETTLED}
