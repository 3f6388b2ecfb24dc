"""Operators link athletes from the command line."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from include.copying.waking import wake_for_links
from include.crypto.backend import open_cipher
from include.errors import BadRequest
from include.setting_values import EXAMPLES
from include.settings import Settings
from include.state.accounts.athletes import Athletes
from include.state.copies.ledger import Copy, CopyLedger, CopyState
from include.state.links import SETTLED_S, CopyOptions, Links, LinkStatus
from include.store.backend import open_store
from include.strava.grant import TokenGrant
from include.strava.models import Athlete, AthleteId
from include.strava.quota import Limits
from ops.links.__main__ import app, link
from ops.links.choices import choices_of, chosen

PARENT_ID, CHILD_ID = 1, 2


@pytest.fixture
def settings(tmp_path):
    places = {
        "STATE_URL": f"sqlite://{tmp_path}/state.sqlite",
        "KEY_URL": f"file://{tmp_path}/token.key",
    }
    return Settings.from_environ({**EXAMPLES, **places})


@pytest.fixture
def links(settings):
    """The links of a system in which parent and child are connected."""
    store = open_store(settings.state_url, time.time)
    athletes = Athletes(store, open_cipher(settings.key_url), time.time)
    for athlete_id in (PARENT_ID, CHILD_ID):
        athlete = Athlete(AthleteId(athlete_id), "A", "B")
        athletes.connect(TokenGrant("a" * 40, "r" * 40, 2_000_000_000, athlete), frozenset({"activity:read"}))
    yield Links(store, time.time)
    store.close()


def test_link_is_active_with_the_consent_of_both(settings, links):
    link(settings, PARENT_ID, CHILD_ID, ("Rex", "Rexi"))
    stored = links.get(PARENT_ID, CHILD_ID)
    assert (stored.names, stored.status) == (("Rex", "Rexi"), LinkStatus.ACTIVE)
    assert stored.parent_consent_epoch_s == stored.child_consent_epoch_s > 0


def test_link_that_is_taken_up_again_makes_what_it_skipped(settings, links):
    ended = link(settings, PARENT_ID, CHILD_ID, ("Rex",))
    links.save(replace(ended, status=LinkStatus.ENDED))
    with closing(open_store(settings.state_url, time.time)) as store:
        copies = CopyLedger(store, time.time)
        copies.plan(Copy(7, CHILD_ID, PARENT_ID, CopyState.SKIPPED, "The link to this child has ended."))

        link(settings, PARENT_ID, CHILD_ID, ("Rex",))
        assert wake_for_links(copies, links, Limits(), time.time() + SETTLED_S) == 1

        assert copies.get(7, CHILD_ID).state is CopyState.PLANNED


def test_linking_again_replaces_the_names_and_keeps_the_consent(settings, links):
    first = link(settings, PARENT_ID, CHILD_ID, ("Rex",))
    again = link(settings, PARENT_ID, CHILD_ID, ("Bello",))
    assert links.get(PARENT_ID, CHILD_ID).names == ("Bello",)
    assert again.parent_consent_epoch_s == first.parent_consent_epoch_s


@pytest.mark.parametrize(
    ("parent_id", "child_id", "names", "why"),
    [
        pytest.param(PARENT_ID, PARENT_ID, ("Rex",), "two athletes", id="to oneself"),
        pytest.param(PARENT_ID, CHILD_ID, (), "at least one name", id="no name"),
        pytest.param(PARENT_ID, CHILD_ID, ("🐕",), "No title can match 🐕", id="a name that no title holds"),
        pytest.param(PARENT_ID, 99, ("Rex",), "99 is not connected", id="unknown child"),
        pytest.param(99, CHILD_ID, ("Rex",), "99 is not connected", id="unknown parent"),
    ],
)
def test_impossible_link_is_refused_with_the_next_step(settings, links, parent_id, child_id, names, why):
    with pytest.raises(BadRequest, match=why):
        link(settings, parent_id, child_id, names)
    assert links.of_parent(PARENT_ID) == []


@pytest.fixture
def run(settings, links, monkeypatch):
    """Run a command on that system; its answer, or the error that it ends with."""
    monkeypatch.setattr("ops.links.__main__.installed_settings", lambda *_: settings)

    def run(*arguments, parent=PARENT_ID, child=CHILD_ID):
        ids = () if arguments == ("list",) else ("--parent", str(parent), "--child", str(child))
        result = CliRunner().invoke(app, [*arguments, *ids], env={"COLUMNS": "120"})
        return result.exception or result.output

    return run


def test_link_is_added_shown_changed_and_ended(run, links):
    choices = ("--set", "title={sport} of {parent}", "--set", "sports=Run,TrailRun", "--set", "trim_m=200")
    assert "whose title names Rex or Rexi are copied to 2" in run("add", "--name", "Rex", "--name", "Rexi", *choices)
    stored = links.get(PARENT_ID, CHILD_ID)
    assert stored.options == CopyOptions(title="{sport} of {parent}", sports=("Run", "TrailRun"), trim_m=200)

    run("change", "--set", "power=no", "--set", "private=yes", "--set", "from=2026-06-01", "--set", "sports=")
    changed = links.get(PARENT_ID, CHILD_ID)
    assert changed.names == ("Rex", "Rexi")
    assert changed.options == replace(stored.options, power=False, allow_private=True, sports=())
    assert changed.starts_at_epoch_s == 1_780_272_000

    shown = " ".join(run("show").split())
    for words in ("Rex, Rexi", "{sport} of {parent}", "2026-06-01", "200", "active"):
        assert words in shown
    assert "Rex, Rexi" in run("list")

    run("change", "--name", "Bello")
    assert links.get(PARENT_ID, CHILD_ID) == replace(changed, names=("Bello",), version=changed.version + 1)
    assert "has ended" in run("end")
    assert links.get(PARENT_ID, CHILD_ID).status is LinkStatus.ENDED


@pytest.mark.parametrize(
    ("value", "trim_m"), [pytest.param("0", 0, id="the whole track"), pytest.param("", None, id="as the grant asks")]
)
def test_what_is_hidden_is_chosen_or_left_to_the_grant(run, links, value, trim_m):
    run("add", "--name", "Rex", "--set", "trim_m=70")
    run("change", "--set", f"trim_m={value}")
    assert links.get(PARENT_ID, CHILD_ID).options.trim_m == trim_m


@pytest.mark.parametrize("name", ["🐕", " ", "#", "...", "\u200b"])
def test_name_that_no_title_can_match_is_refused_with_words(run, links, name):
    error = run("add", "--name", "Rex", "--name", name)
    assert isinstance(error, BadRequest)
    assert "a name needs letters or digits" in str(error) or "cannot be printed" in str(error)
    assert links.get(PARENT_ID, CHILD_ID) is None


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        pytest.param("title={child}", "unknown placeholder", id="unknown placeholder"),
        pytest.param("sports=Run,run", "run is not one of Strava's sports", id="unknown sport"),
        pytest.param("trim_m=far", "from 0 to 2000", id="no length"),
        pytest.param("trim_m=-1", "from 0 to 2000", id="less than nothing"),
        pytest.param("power=maybe", "yes or no, not 'maybe'", id="neither yes nor no"),
        pytest.param("from=tomorrow", "as a date, such as", id="no day"),
        pytest.param("from=1969-12-31", "as a date, such as", id="before there were any"),
        pytest.param("from=9999-12-31", "more than a year ahead", id="a day that never comes"),
        pytest.param("colour=red", "no choice; write one of title, sports", id="unknown choice"),
        pytest.param("power", "'power' is no choice", id="no value"),
    ],
)
def test_choice_that_cannot_be_is_refused_and_nothing_changed(run, settings, links, choice, why):
    before = link(settings, PARENT_ID, CHILD_ID, ("Rex",))
    error = run("change", "--set", choice)
    assert isinstance(error, BadRequest)
    assert why in str(error)
    assert links.get(PARENT_ID, CHILD_ID) == before


@pytest.mark.parametrize("command", ["show", "change", "end"])
def test_link_that_is_not_there_is_named(run, command):
    assert "There is no active link from 1 to 9" in str(run(command, child=9))


def test_what_is_told_of_a_link_can_be_chosen_again(settings, links):
    made = link(
        settings, PARENT_ID, CHILD_ID, ("Rex",), ["title=a = b", "sports=Run", "from=2026-06-01", "link_back=no"]
    )
    assert chosen(made, [f"{choice}={value}" for choice, value in choices_of(made).items()], time.time()) == made
