"""What a family does on the pages, in a real browser, from connecting to a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.network

PAULA, REX = 4_100_001, 4_100_002
HOUR_S = 3600


def says(part: Locator, words: str) -> None:
    """The style sheet makes the first letter of an outcome large."""
    expect(part).to_contain_text(words, ignore_case=True)


@pytest.fixture
def accepted(inviting: Any) -> Any:
    """And has invited Rex, who has accepted."""
    inviting.rex.accept(inviting.paula.invite("Rex"), "Rex")
    return inviting


def test_athlete_who_cancels_at_strava_is_not_connected(family: Any) -> None:
    family.paula.open("/")
    family.paula.press("Connect with Strava")
    family.paula.press("Cancel")

    family.paula.sees("Nothing was connected")
    assert family.system.services.state.athletes.get(PAULA) is None
    family.paula.open("/me")
    family.paula.sees("Sign in or connect")


@pytest.mark.parametrize(
    ("choices", "allowed", "says"),
    [
        pytest.param({}, {"read", "activity:read"}, "without the parts inside your privacy zones", id="least"),
        pytest.param(
            {"private": True, "receive": True},
            {"read", "activity:read", "activity:read_all", "activity:write"},
            "private ones and full tracks included",
            id="most",
        ),
    ],
)
def test_athlete_allows_what_was_ticked_and_no_more(
    family: Any, choices: dict[str, bool], allowed: set[str], says: str
) -> None:
    family.paula.connect("Paula", **choices)

    athlete = family.system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert athlete.scopes == allowed
    expect(family.paula.page.get_by_role("main")).to_contain_text(says)


def test_nothing_is_copied_before_the_parent_confirms_who_accepted(accepted: Any) -> None:
    accepted.run("Run with Rex")

    assert accepted.copies() == []
    says(accepted.latest(), "Not copied to Rex: The link to this child waits")
    expect(accepted.rex.section("Parents")).to_contain_text("Paula has to confirm that it was you who accepted")

    accepted.paula.press("Confirm: Rex")
    accepted.run("Second run with Rex")

    says(accepted.latest(), "Copied to Rex")
    assert len(accepted.copies()) == 1
    accepted.rex.open("/me")
    expect(accepted.rex.section("Parents")).to_contain_text("Activities whose title names Rex are copied")


def test_renamed_activity_is_copied_and_both_pages_lead_to_the_copy(linked: Any) -> None:
    activity_id = linked.run("Morning run")
    says(linked.latest(), "Stored")
    assert linked.copies() == []

    linked.system.rename(activity_id, "Morning run with Rex")
    linked.system.rename(activity_id, "Morning run with Rex and the dog")

    [copy_id] = linked.copies()
    address = f"https://www.strava.com/activities/{copy_id}"
    says(linked.latest(), "Copied to Rex View on Strava")
    assert address in [link.get_attribute("href") for link in linked.latest().get_by_role("link").all()]
    linked.rex.open("/me")
    copies = linked.rex.page.get_by_role("list", name="Copies in your account")
    expect(copies.get_by_role("listitem")).to_have_count(1)
    expect(copies).to_contain_text("from Paula")
    expect(copies.get_by_role("link")).to_have_attribute("href", address)


def test_paused_link_makes_no_copy_until_it_is_resumed(linked: Any) -> None:
    linked.paula.open("/me")
    linked.paula.press("Pause: Rex")
    linked.run("Run with Rex")

    says(linked.latest(), "Not copied to Rex: The link to this child is paused.")
    assert linked.copies() == []

    linked.paula.press("Resume: Rex")
    linked.system.clock.advance(HOUR_S)
    linked.system.reconcile()

    says(linked.latest(), "Copied to Rex")
    assert len(linked.copies()) == 1


def test_copy_that_waited_for_a_permission_is_made_when_the_child_gives_it(
    linked: Any, sign_in: Callable[..., None]
) -> None:
    linked.rex.open("/")
    linked.rex.page.get_by_label("This account may receive copies").uncheck()
    linked.rex.press("Connect with Strava")
    linked.rex.press("Allow less")
    linked.rex.authorize("Rex")
    linked.run("Run with Rex")
    says(linked.latest(), "Copy to Rex waits for access: The child's account lacks a permission")

    sign_in(linked.rex, REX, receive="1")
    linked.system.reconcile()

    says(linked.latest(), "Copied to Rex")
    expect(linked.latest().get_by_role("button", name="Try again")).to_have_count(0)


@pytest.mark.parametrize("who", ["parent", "child"])
def test_ended_link_makes_no_copy_until_that_is_undone(linked: Any, who: str) -> None:
    one, other, step, what = {
        "parent": (linked.paula, linked.rex, "Remove", "Rex"),
        "child": (linked.rex, linked.paula, "End the link", "Paula"),
    }[who]
    one.open("/me")
    one.follow(f"{step}: {what}")
    one.press(step)

    linked.run("Run with Rex")

    assert linked.copies() == []
    other.open("/me")
    expect(other.section("Parents" if who == "parent" else "Children").get_by_role("article")).to_have_count(0)
    expect(other.section("What the others did")).to_contain_text("ended the link.")

    one.open("/me")
    one.press("Undo: removing Rex" if who == "parent" else "Undo: ending the link with Paula")
    linked.run("Second run with Rex")

    assert len(linked.copies()) >= 1


def test_other_names_and_options_hold_for_the_next_copy(linked: Any) -> None:
    linked.paula.open("/me")
    linked.paula.follow("Names and options: Rex")
    linked.paula.page.get_by_label("Names and aliases").fill("Rex, the dog")
    linked.paula.page.get_by_label("Title", exact=True).fill("{title} (from {parent})")
    linked.paula.page.get_by_label("Heart rate").uncheck()
    linked.paula.press("Save")
    linked.run("Out with the dog before the yes")
    assert linked.copies() == []
    linked.rex.open("/me")
    linked.rex.press("Say yes: Paula")
    linked.run("Out with the dog")

    copy_id = max(linked.copies())
    copied = linked.system.control.activity(copy_id)
    assert copied["detail"]["name"] == "Out with the dog (from Paula)"
    assert "heartrate" not in copied["streams"]
