"""What becomes of copies when their original, its title or the link changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import RetryLater
from include.pipeline.copying.copies import copy_to_children
from include.pipeline.copying.originals import mark_copies
from include.pipeline.ingest.sync import sync
from include.state.copies.ledger import Original
from include.state.links import CopyOptions, LinkStatus
from local.strava_simulator.api.faults import Faults
from tests.include.pipeline.copying.copies.named import (
    CHILD_ID,
    OTHER_CHILD_ID,
    PARENT_ID,
    made,
    named,
    reason,
    uploads,
)

pytestmark = pytest.mark.network


def seen(world, activity_id):
    """Look at Strava again, as an event makes us, and bring the copies up to date."""
    world.clock.advance(3600)
    sync(world.services, world.item(activity_id), source="webhook")
    return made(world, activity_id)


def original(world, activity_id, child_id=CHILD_ID):
    return world.services.state.copies.get(activity_id, child_id).original


def test_copy_is_marked_when_the_name_goes_from_the_title_and_unmarked_when_it_comes_back(family):
    activity_id = named(family)
    made(family, activity_id)
    assert original(family, activity_id) is Original.NAMED
    for title, expected in [("Morning run", Original.RENAMED), ("#rex again", Original.NAMED)] * 2:
        family.control.rename(activity_id, title)
        assert seen(family, activity_id) == [(CHILD_ID, "done")]
        assert original(family, activity_id) is expected
    assert uploads(family) == len(family.control.activity_ids(CHILD_ID)) == 1


def test_copy_is_marked_when_the_original_is_deleted(family):
    activity_id = named(family)
    made(family, activity_id)
    family.control.delete_activity(activity_id)
    assert seen(family, activity_id) == [(CHILD_ID, "done")]
    assert original(family, activity_id) is Original.DELETED
    assert len(family.control.activity_ids(CHILD_ID)) == 1


def test_alias_that_the_parent_takes_away_does_not_mark_the_copies_it_made(family):
    activity_id = named(family)
    made(family, activity_id)
    link = family.services.state.links.get(PARENT_ID, CHILD_ID)
    family.services.state.links.save(replace(link, names=("Bello",)))
    seen(family, activity_id)
    assert original(family, activity_id) is Original.NAMED


def test_mark_is_made_also_after_the_link_has_ended(family):
    activity_id = named(family)
    made(family, activity_id)
    link = family.services.state.links.get(PARENT_ID, CHILD_ID)
    family.services.state.links.save(replace(link, status=LinkStatus.ENDED))
    family.control.rename(activity_id, "Alone")
    seen(family, activity_id)
    assert original(family, activity_id) is Original.RENAMED


def test_mark_waits_for_a_run_that_has_the_copy(family):
    activity_id = named(family)
    made(family, activity_id)
    family.control.rename(activity_id, "Alone")
    sync(family.services, family.item(activity_id), source="webhook")
    held = family.services.state.copies.acquire(activity_id, CHILD_ID)
    with pytest.raises(RetryLater, match="marked renamed"):
        copy_to_children(family.services, PARENT_ID, activity_id)
    family.services.state.copies.settle(held)
    made(family, activity_id)
    assert original(family, activity_id) is Original.RENAMED


def test_mark_tells_the_newest_title_when_it_changes_while_the_copy_is_marked(family, monkeypatch):
    activity_id = named(family)
    made(family, activity_id)
    family.control.rename(activity_id, "Alone")
    sync(family.services, family.item(activity_id), source="webhook")
    settle = family.services.state.copies.settle

    def rename_meanwhile(copy):
        monkeypatch.undo()
        family.control.rename(activity_id, "With Rex after all")
        sync(family.services, family.item(activity_id), source="webhook")
        settle(copy)

    monkeypatch.setattr(family.services.state.copies, "settle", rename_meanwhile)
    mark_copies(family.services, PARENT_ID, activity_id)
    assert original(family, activity_id) is Original.NAMED


def test_copies_of_another_parents_activity_are_not_marked(family):
    activity_id = named(family)
    made(family, activity_id)
    assert copy_to_children(family.services, OTHER_CHILD_ID, activity_id) == []
    assert original(family, activity_id) is Original.NAMED


def test_name_that_comes_back_before_the_copy_was_made_makes_it(family):
    activity_id = named(family)
    family.control.switch_faults(family.client_id, Faults(error_rate=1.0))
    with pytest.raises(RetryLater):
        copy_to_children(family.services, PARENT_ID, activity_id)
    family.control.switch_faults(family.client_id, Faults())
    assert reason(family, activity_id) == "The upload broke off; checking whether Strava has it."
    family.control.rename(activity_id, "Alone")
    assert seen(family, activity_id) == [(CHILD_ID, "skipped")]
    family.control.rename(activity_id, "With Rex")
    assert seen(family, activity_id) == [(CHILD_ID, "done")]
    assert len(family.control.activity_ids(CHILD_ID)) == 1


def test_skipped_activity_is_copied_once_its_reason_has_gone(family):
    link = family.services.state.links.get(PARENT_ID, CHILD_ID)
    paused = family.services.state.links.save(replace(link, status=LinkStatus.PAUSED))
    activity_id = named(family)
    assert made(family, activity_id) == [(CHILD_ID, "skipped")]
    family.services.state.links.save(replace(paused, status=LinkStatus.ACTIVE))
    assert made(family, activity_id) == [(CHILD_ID, "done")]


def test_planned_copy_of_a_deleted_activity_is_given_up(family, monkeypatch):
    activity_id = named(family)
    with monkeypatch.context() as patched:
        patched.setattr(family.services.state.copies, "acquire", lambda *_: None)
        made(family, activity_id)
    family.control.delete_activity(activity_id)
    assert seen(family, activity_id) == [(CHILD_ID, "skipped")]
    assert "deleted on Strava, or hidden, before" in reason(family, activity_id)
    assert list(family.services.state.copies.due(family.clock.now_epoch_s + 10**6)) == []
    assert family.control.activity_ids(CHILD_ID) == []


def test_upload_of_a_deleted_activity_is_seen_to_its_end_and_marked(family, monkeypatch):
    activity_id = named(family)
    with monkeypatch.context() as patched:
        patched.setattr("include.pipeline.copying.copies.poll_delays_s", lambda: (0.5,))
        assert made(family, activity_id) == [(CHILD_ID, "processing")]
    family.control.delete_activity(activity_id)
    assert seen(family, activity_id) == [(CHILD_ID, "done")]
    assert original(family, activity_id) is Original.DELETED
    assert (uploads(family), len(family.control.activity_ids(CHILD_ID))) == (1, 1)


def test_activity_that_is_not_fetched_yet_leaves_its_copies_alone(family):
    assert copy_to_children(family.services, PARENT_ID, 404) == []


def test_copy_bears_the_title_and_description_that_the_link_chooses(family):
    link = family.services.state.links.get(PARENT_ID, CHILD_ID)
    options = CopyOptions(title="{sport} with {parent}: {title}", link_back=False, trim_m=0)
    family.services.state.links.save(replace(link, options=options))
    activity_id = named(family, title="{parent} and Rex")
    made(family, activity_id)
    copy = family.services.state.copies.get(activity_id, CHILD_ID)
    detail = family.control.activity(copy.child_activity_id)["detail"]
    assert detail["name"] == "Run with Ann: {parent} and Rex"
    assert not detail["description"]
