"""How a family leaves: an invitation that is over, a disconnection, an erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from include.state.accounts.athletes import AthleteStatus
from local.docs.pictures.visitor import Visitor

pytestmark = pytest.mark.network

PAULA, REX = 4_100_001, 4_100_002
HOUR_S = 3600


def says(part: Locator, words: str) -> None:
    """The style sheet makes the first letter of an outcome large."""
    expect(part).to_contain_text(words, ignore_case=True)


@pytest.mark.parametrize("end", ["withdrawn", "declined", "expired", "used"])
def test_invitation_that_is_over_connects_nobody(inviting: Any, new_visitor: Callable[[], Visitor], end: str) -> None:
    address = inviting.paula.invite("Rex")
    if end == "withdrawn":
        inviting.paula.open("/me")
        inviting.paula.follow("Withdraw: invitation for Rex")
        inviting.paula.press("Withdraw")
    elif end == "declined":
        inviting.rex.open(address)
        inviting.rex.follow("Decline")
        inviting.rex.press("Say no")
        inviting.rex.sees("You have declined")
    elif end == "expired":
        inviting.system.clock.advance(7 * 24 * HOUR_S)
    else:
        inviting.rex.accept(address, "Rex")

    stranger = new_visitor()
    stranger.open(address)

    stranger.sees("This invitation can no longer be used")
    assert inviting.system.services.state.links.of_parent(PAULA)[1:] == []
    assert (inviting.system.services.state.athletes.get(REX) is not None) == (end == "used")


def test_invitation_is_not_accepted_without_the_permission_to_upload(inviting: Any) -> None:
    inviting.rex.open(inviting.paula.invite("Rex"))
    inviting.rex.press("Accept and connect with Strava")
    inviting.rex.authorize("Rex", without="Upload your activities")

    inviting.rex.sees("A permission is missing")
    assert inviting.system.services.state.links.of_parent(PAULA) == []
    inviting.rex.follow("Open the invitation again")
    inviting.rex.press("Accept and connect with Strava")
    inviting.rex.authorize("Rex")
    inviting.rex.sees("Hello, Rex")


def test_child_who_cancels_at_strava_comes_back_to_the_invitation(inviting: Any) -> None:
    inviting.rex.open(inviting.paula.invite("Rex"))
    inviting.rex.press("Accept and connect with Strava")
    inviting.rex.press("Cancel")

    inviting.rex.sees("The invitation was not accepted")
    inviting.rex.follow("Open the invitation again")
    inviting.rex.sees("Paula invites you")


def test_disconnected_athlete_is_signed_out_and_nothing_more_is_stored_until_connecting_again(linked: Any) -> None:
    linked.run("Run with Rex")
    linked.paula.open("/me")
    linked.paula.follow("Disconnect from Strava…")
    linked.paula.press("Disconnect")
    linked.paula.authorize("Paula")
    linked.paula.sees("You are disconnected")
    linked.system.catch_up()
    missed = linked.run("Second run with Rex")

    athlete = linked.system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert athlete.status is AthleteStatus.REVOKED
    assert linked.system.services.state.activities.get(PAULA, missed) is None
    assert len(linked.copies()) == 1
    linked.paula.open("/me")
    linked.paula.sees("Sign in or connect")
    linked.paula.connect("Paula")
    says(linked.latest(), "Copied to Rex")


def test_erased_athlete_leaves_nothing_and_the_other_side_is_told(linked: Any) -> None:
    linked.run("Run with Rex")
    linked.paula.open("/me")
    linked.paula.follow("Erase my data…")
    linked.paula.page.get_by_label("Yes, erase everything you keep about me").check()
    linked.paula.press("Erase my data")
    linked.paula.authorize("Paula")
    linked.paula.sees("Your data is being erased")
    linked.system.catch_up()

    services = linked.system.services
    assert services.state.athletes.get(PAULA) is None
    assert services.state.links.of_child(REX) == []
    assert [key for key in services.lake.objects.list("") if str(PAULA) in key and "certificates/" not in key] == []
    linked.rex.open("/me")
    expect(linked.rex.page.get_by_role("status")).to_contain_text("A parent linked with you had everything erased")
    assert len(linked.copies()) == 1


def test_erasure_needs_the_box_to_be_ticked(linked: Any) -> None:
    linked.paula.open("/me/erase")
    linked.paula.page.get_by_role("button", name="Erase my data").click()
    assert linked.paula.page.locator("input:invalid").count() == 1
    linked.paula.page.locator("form").evaluate("form => form.noValidate = true")
    linked.paula.press("Erase my data")

    expect(linked.paula.page.get_by_role("alert")).to_contain_text("Nothing was erased.")
    linked.system.catch_up()
    assert linked.system.services.state.athletes.get(PAULA) is not None


def test_signed_out_browser_shows_nothing_of_the_athlete_even_on_going_back(linked: Any) -> None:
    linked.paula.open("/me")
    linked.paula.press("Sign out")
    linked.paula.sees("Sign in or connect")

    linked.paula.page.go_back()

    linked.paula.sees("Sign in or connect")
    assert "sdi_session" not in {cookie["name"] for cookie in linked.paula.page.context.cookies()}
