"""What ends while a copy is being made: a link, a lease, an athlete's consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import OutcomeUnknown
from include.pipeline.copying import copy_job
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.copying.copy_job import CopyJob
from include.state.accounts.athletes import AthleteStatus
from include.state.copies.ledger import CopyState
from include.state.erasures.ledger import EraseReason
from include.state.links import CopyOptions, Link, LinkStatus
from tests.include.pipeline.copying.waits.named import (
    ANN,
    REX,
    WRITE_ONLY,
    ZOE,
    copy,
    made,
    named,
    scope_taken,
    uploads,
)

pytestmark = pytest.mark.network

WINDOW_S, DAY_S = 900, 86_400


def linked(world, child_id, name, scopes=None):
    world.connect(child_id, *([scopes] if scopes else []))
    return world.services.state.links.save(
        Link(ANN, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    )


# --- odd answers ---------------------------------------------------------------------------------


# --- links that are changed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "stands_against",
    [
        pytest.param({"status": LinkStatus.PAUSED}, id="paused"),
        pytest.param({"options": CopyOptions(sports=("Ride",))}, id="narrowed"),
        pytest.param({"child_consent_epoch_s": None}, id="not agreed to"),
    ],
)
def test_copy_that_a_link_stood_against_is_made_after_its_change_with_nothing_but_reconcile(
    family, stands_against, pass_windows
):
    link = family.services.state.links.get(ANN, REX)
    family.services.state.links.save(replace(link, **stands_against))
    activity_id = named(family)
    assert made(family, activity_id) == [(REX, "skipped")]
    pass_windows(family, 4)
    assert copy(family, activity_id).state is CopyState.SKIPPED

    family.services.state.links.save(replace(link, version=family.services.state.links.get(ANN, REX).version))
    pass_windows(family, 2)

    assert copy(family, activity_id).state is CopyState.DONE


def test_run_that_read_the_link_before_it_was_resumed_and_skips_after_it_leaves_no_copy_asleep(
    family, monkeypatch, pass_windows
):
    link = family.services.state.links.get(ANN, REX)
    paused = family.services.state.links.save(replace(link, status=LinkStatus.PAUSED))
    activity_id = named(family)
    skip = CopyJob._skip

    def resumed_meanwhile(hold, *arguments, **named_ones):
        monkeypatch.undo()
        family.services.state.links.save(replace(link, version=paused.version))
        family.clock.advance(100)  # still under the lease
        skip(hold, *arguments, **named_ones)

    monkeypatch.setattr(CopyJob, "_skip", resumed_meanwhile)
    assert made(family, activity_id) == [(REX, "skipped")]
    pass_windows(family, 2)

    assert copy(family, activity_id).state is CopyState.DONE


# --- consent at the last moment ------------------------------------------------------------------


def change(world, child_id, **changes):
    link = world.services.state.links.get(ANN, child_id)
    world.services.state.links.save(replace(link, **changes))


@pytest.mark.parametrize("status", [LinkStatus.ENDED, LinkStatus.PAUSED])
def test_no_file_is_sent_over_a_link_that_is_ended_while_a_siblings_file_is_sent(family, monkeypatch, status):
    linked(family, ZOE, "Zoe")
    activity_id = named(family, "With Rex and Zoe")
    send = family.services.strava.client.create_upload

    def end_meanwhile(*arguments):
        monkeypatch.undo()
        change(family, ZOE, status=status)
        return send(*arguments)

    monkeypatch.setattr(family.services.strava.client, "create_upload", end_meanwhile)

    assert made(family, activity_id) == [(REX, "done"), (ZOE, "skipped")]
    assert family.control.activity_ids(ZOE) == []


def test_no_file_is_sent_over_a_link_that_is_ended_while_the_token_is_renewed(family, monkeypatch):
    activity_id = named(family)
    send = family.services.strava.client.create_upload

    def end_meanwhile(*arguments):
        change(family, REX, status=LinkStatus.ENDED)
        return send(*arguments)

    monkeypatch.setattr(family.services.strava.client, "create_upload", end_meanwhile)
    with pytest.raises(Exception, match="nothing was sent"):
        made(family, activity_id)
    monkeypatch.undo()

    assert made(family, activity_id) == [(REX, "skipped")]
    assert (uploads(family), family.control.activity_ids(REX)) == (0, [])


@pytest.mark.parametrize("athlete_id", [pytest.param(ANN, id="the parent"), pytest.param(REX, id="the child")])
def test_no_file_is_sent_for_an_athlete_who_asks_to_be_erased_while_it_is_made(
    family, monkeypatch, athlete_id, pass_windows
):
    activity_id = named(family)
    make = copy_job.build_file

    def ask_and_make(*args):
        family.services.state.erasures.ask_now(athlete_id, EraseReason.ATHLETE)
        return make(*args)

    monkeypatch.setattr(copy_job, "build_file", ask_and_make)
    assert made(family, activity_id) == [(REX, CopyState.PLANNED)]
    assert uploads(family) == 0

    monkeypatch.setattr(copy_job, "build_file", make)
    family.services.state.erasures.withdraw(athlete_id)
    pass_windows(family, 1)
    assert copy(family, activity_id).state is CopyState.DONE


def test_every_file_is_sent_before_an_upload_is_polled(family, monkeypatch):
    linked(family, ZOE, "Zoe")
    activity_id = named(family, "With Rex and Zoe")
    order = []
    for name in ("create_upload", "upload"):
        call = getattr(family.services.strava.client, name)
        monkeypatch.setattr(
            family.services.strava.client,
            name,
            lambda *arguments, name=name, call=call: (order.append(name), call(*arguments))[1],
        )

    assert made(family, activity_id) == [(REX, "done"), (ZOE, "done")]
    assert order == ["create_upload"] * 2 + ["upload"] * 2


def test_worker_whose_lease_ran_out_while_the_token_was_renewed_sends_nothing(family, monkeypatch):
    activity_id = named(family)
    send, other = family.services.strava.client.create_upload, []

    def renew_slowly(*arguments):
        if not other:
            other.append("begun")
            family.clock.advance(121)
            other.append(made(family, activity_id))
        return send(*arguments)

    monkeypatch.setattr(family.services.strava.client, "create_upload", renew_slowly)
    [result] = copy_to_children(family.services, ANN, activity_id)

    assert (other[1], "another run" in result.reason) == ([(REX, "done")], True)
    assert uploads(family) == len(family.control.activity_ids(REX)) == 1


@pytest.mark.parametrize(
    ("scopes", "ends_as"),
    [
        pytest.param(None, CopyState.DONE, id="found in the list"),
        pytest.param(WRITE_ONLY, CopyState.UNFINISHED, id="list may not be read"),
    ],
)
def test_upload_that_may_have_got_through_is_never_called_skipped(
    world, monkeypatch, scopes, ends_as, pass_windows, answer_once
):
    linked(world, REX, "Rex", scopes)
    activity_id = named(world)
    answer_once(world, monkeypatch, "create_upload", OutcomeUnknown("the answer was lost"), after=True)
    with pytest.raises(OutcomeUnknown):
        made(world, activity_id)
    change(world, REX, status=LinkStatus.ENDED)

    pass_windows(world, 1)

    assert copy(world, activity_id).state is ends_as
    assert uploads(world) == len(world.control.activity_ids(REX)) == 1


def test_upload_that_got_lost_is_skipped_only_after_it_was_looked_for(family, monkeypatch):
    activity_id = named(family)

    def lose(_child_id, _file, before_sending):
        before_sending()
        raise OutcomeUnknown("the request was lost")

    with monkeypatch.context() as patched:
        patched.setattr(family.services.strava.client, "create_upload", lose)
        with pytest.raises(OutcomeUnknown):
            made(family, activity_id)
    change(family, REX, status=LinkStatus.ENDED)

    family.clock.advance(60)
    assert made(family, activity_id) == [(REX, "uploading")]
    family.clock.advance(900)
    assert made(family, activity_id) == [(REX, "skipped")]


# --- the parent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED])
def test_upload_is_seen_to_its_end_although_the_parent_has_left(family, status, monkeypatch, pass_windows):
    activity_id = named(family)
    with monkeypatch.context() as patched:
        patched.setattr("include.pipeline.copying.copies.poll_delays_s", lambda: ())
        copy_to_children(family.services, ANN, activity_id)
    assert copy(family, activity_id).state is CopyState.PROCESSING
    family.services.state.athletes.mark(ANN, status)

    pass_windows(family, 2)

    assert copy(family, activity_id).state is CopyState.DONE
    assert uploads(family) == 1


@pytest.mark.parametrize("status", [AthleteStatus.NEEDS_REAUTH, AthleteStatus.REVOKED])
def test_copy_waits_for_a_parent_who_has_left_and_has_an_end(family, status, pass_windows):
    scope_taken(family)
    activity_id = named(family)
    assert made(family, activity_id) == [(REX, "waiting_for_access")]
    family.connect(REX)
    family.services.state.athletes.mark(ANN, status)

    for _day in range(32):
        family.clock.advance(DAY_S - WINDOW_S)
        pass_windows(family, 1)

    gone = copy(family, activity_id)
    assert (gone.state, gone.next_try_epoch_s, uploads(family)) == (CopyState.UNFINISHED, None, 0)
    assert "parent's account is not connected" in gone.reason
    family.connect(ANN)
    family.services.state.copies.reopen(activity_id, REX, family.clock.now_epoch_s)
    pass_windows(family, 1)
    assert copy(family, activity_id).state is CopyState.DONE
