"""The command that rebuilds the lake's tables, as an operator types it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from typer.testing import CliRunner

from include.lake.objects.objects import Condition
from include.lake.rows.synced import build_rows
from include.pipeline.ingest.sync import describe
from include.pipeline.services import open_services
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.activities.ledger import LedgerEntry
from include.strava.grant import TokenGrant
from include.strava.models import Activity, Athlete, AthleteId
from ops import replay

ATHLETE_ID = 7


@pytest.fixture
def settings(tmp_path):
    return replace(
        Settings.from_environ(EXAMPLES),
        state_url=f"sqlite://{tmp_path}/state.sqlite",
        queue_url=f"sqlite://{tmp_path}/state.sqlite",
        lake_url=f"file://{tmp_path}/lake",
        key_url=f"file://{tmp_path}/token.key",
        catalog_url=f"duckdb://{tmp_path}/catalog.duckdb",
    )


@pytest.fixture
def services(settings):
    with open_services(settings) as services:
        athlete = Athlete(AthleteId(ATHLETE_ID), "A", "B")
        grant = TokenGrant("a" * 40, "r" * 40, int(time.time()) + 9000, athlete)
        services.state.athletes.connect(grant, frozenset({"activity:read"}))
        yield services


@pytest.fixture
def stored(services):
    """Two activities by hand, of May and of June, as the lake holds them."""
    for activity_id, month in ((1, 5), (2, 6)):
        answer = {
            "id": activity_id,
            "athlete": {"id": ATHLETE_ID},
            "name": "Walk",
            "sport_type": "Walk",
            "start_date": datetime(2026, month, 3, tzinfo=UTC).isoformat(),
            "manual": True,
            "resource_state": 3,
        }
        activity = Activity.parse(answer)
        lease = services.state.activities.acquire(ATHLETE_ID, activity_id)
        guard = partial(services.state.activities.check, lease)
        services.lake.raw.put_detail(activity, guard=guard)
        rows = build_rows(activity, None, made={}, source="webhook", updated_at_epoch_s=1.0)
        written = services.lake.tables.write([rows], guard=guard)
        unknown = LedgerEntry.unknown(ATHLETE_ID, activity_id)
        entry = describe(unknown, activity, None, fetched_at_epoch_s=1.0)
        services.state.activities.settle(lease, replace(entry, object_keys=written.object_keys[activity_id]))
    return services


@pytest.fixture
def run(settings, monkeypatch):
    monkeypatch.setattr(replay, "installed_settings", lambda *_: settings)
    return lambda *arguments: CliRunner().invoke(replay.app, arguments)


def tables(services):
    return {key: services.lake.objects.get(key).body for key in services.lake.objects.list("activities/")}


def test_lost_tables_come_back_and_a_line_says_so(run, stored):
    before = tables(stored)
    for key in before:
        stored.lake.objects.delete(key, expected=Condition.ANYTHING)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "Rebuilt: 2 activities, 2 rows.\n")
    assert tables(stored) == before


def test_athlete_and_first_day_bound_what_is_done(run, stored):
    result = run("--athlete", str(ATHLETE_ID), "--since", "2026-06-01")
    assert (result.exit_code, result.stdout) == (0, "Rebuilt: 1 activities, 1 rows.\n")


def test_dry_run_says_what_it_would_do(run, stored):
    assert run("--dry-run").stdout == "Would rebuild: 2 activities, 2 rows.\n"


def test_unreadable_object_is_named_and_the_command_ends_with_1(run, stored):
    key = f"raw/athlete_id={ATHLETE_ID}/1.detail.json.gz"
    stored.lake.objects.put(key, b"no gzip", expected=Condition.ANYTHING)
    result = run()
    assert (result.exit_code, result.stdout) == (1, "Rebuilt: 1 activities, 1 rows; 1 objects unreadable.\n")
    assert key in result.stderr


def test_activity_that_a_run_holds_is_counted(run, stored):
    stored.state.activities.acquire(ATHLETE_ID, 1)
    assert run().stdout == "Rebuilt: 1 activities, 1 rows; 1 activities left to the runs that hold them.\n"


def test_empty_lake_needs_nothing(run, services):
    result = run()
    assert (result.exit_code, result.stdout) == (0, "Rebuilt: 0 activities, 0 rows.\n")


def test_unknown_athlete_is_refused_in_a_line(run, services):
    result = run("--athlete", "9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no athlete 9" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--athlete", "0"), id="athlete below one"),
        pytest.param(("--athlete", "Ann"), id="athlete by name"),
        pytest.param(("--since", "yesterday"), id="no day"),
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(run, services, arguments):
    assert run(*arguments).exit_code == 2
