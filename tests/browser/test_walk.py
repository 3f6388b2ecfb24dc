"""What a family does on the pages, in a real browser, from connecting to being erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from include.state.accounts.athletes import AthleteStatus
from include.state.links import Link
from local.docs.pictures.visitor import PATIENCE_MS, Visitor
from local.testbed.installation import Installation

pytestmark = pytest.mark.network

PAULA, REX = 4_100_001, 4_100_002
HOUR_S = 3600


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Family:
    """A parent and a child, each in a browser of their own."""

    system: Installation
    paula: Visitor
    rex: Visitor

    def run(self, title: str) -> int:
        """Paula runs, an hour later."""
        self.system.clock.pass_s(HOUR_S)
        return self.system.finish(PAULA, title)

    def copies(self) -> list[int]:
        """What Rex has at Strava: nothing but copies."""
        return self.system.control.activity_ids(REX)

    def latest(self) -> Locator:
        """The newest of Paula's recent activities, on her page as it is now."""
        self.paula.open("/me")
        return self.paula.section("Recent activities").get_by_role("article").first


def says(part: Locator, words: str) -> None:
    """The style sheet makes the first letter of an outcome large."""
    expect(part).to_contain_text(words, ignore_case=True)


@pytest.fixture
def family(system: Installation, new_visitor: Callable[[], Visitor]) -> Family:
    for athlete_id, name in ((PAULA, "Paula"), (REX, "Rex")):
        system.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Smith")
    return Family(system, new_visitor(), new_visitor())


@pytest.fixture
def inviting(family: Family, sign_in: Callable[..., None]) -> Family:
    """Paula has connected."""
    sign_in(family.paula, PAULA)
    return family


@pytest.fixture
def accepted(inviting: Family) -> Family:
    """And has invited Rex, who has accepted."""
    inviting.rex.accept(inviting.paula.invite("Rex"), "Rex")
    return inviting


@pytest.fixture
def linked(family: Family, sign_in: Callable[..., None]) -> Family:
    """Both have connected and agreed, some other day."""
    sign_in(family.paula, PAULA)
    sign_in(family.rex, REX, receive="1")
    link = Link(PAULA, REX, ("Rex",), parent_consent_epoch_s=1, child_consent_epoch_s=1)
    family.system.services.state.links.save(link)
    return family


def test_athlete_who_cancels_at_strava_is_not_connected(family: Family) -> None:
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
        pytest.param({}, {"read", "activity:read"}, "without your privacy zones", id="least"),
        pytest.param(
            {"private": True, "receive": True},
            {"read", "activity:read", "activity:read_all", "activity:write"},
            "private ones and full tracks included",
            id="most",
        ),
    ],
)
def test_athlete_allows_what_was_ticked_and_no_more(
    family: Family, choices: dict[str, bool], allowed: set[str], says: str
) -> None:
    family.paula.connect("Paula", **choices)

    athlete = family.system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert athlete.scopes == allowed
    expect(family.paula.page.get_by_role("main")).to_contain_text(says)


def test_nothing_is_copied_before_the_parent_confirms_who_accepted(accepted: Family) -> None:
    accepted.run("Run with Rex")

    assert accepted.copies() == []
    says(accepted.latest(), "Not copied to Rex: The link to this child waits")
    expect(accepted.rex.section("Parents")).to_contain_text("Has to confirm that it was you who accepted")

    accepted.paula.press("Confirm: Rex")
    accepted.run("Second run with Rex")

    says(accepted.latest(), "Copied to Rex")
    assert len(accepted.copies()) == 1
    accepted.rex.open("/me")
    expect(accepted.rex.section("Parents")).to_contain_text("Activities whose title names Rex are copied")


def test_renamed_activity_is_copied_and_both_pages_lead_to_the_copy(linked: Family) -> None:
    activity_id = linked.run("Morning run")
    says(linked.latest(), "Stored")
    assert linked.copies() == []

    linked.system.rename(activity_id, "Morning run with Rex")
    linked.system.rename(activity_id, "Morning run with Rex and the dog")

    [copy_id] = linked.copies()
    address = f"https://www.strava.com/activities/{copy_id}"
    says(linked.latest(), "Copied to Rex – View on Strava")
    assert address in [link.get_attribute("href") for link in linked.latest().get_by_role("link").all()]
    linked.rex.open("/me")
    copies = linked.rex.page.get_by_role("list", name="Copies in your account")
    expect(copies.get_by_role("listitem")).to_have_count(1)
    expect(copies).to_contain_text("from Paula")
    expect(copies.get_by_role("link")).to_have_attribute("href", address)


def test_paused_link_makes_no_copy_until_it_is_resumed(linked: Family) -> None:
    linked.paula.open("/me")
    linked.paula.press("Pause: Rex")
    linked.run("Run with Rex")

    says(linked.latest(), "Not copied to Rex: The link to this child is paused.")
    assert linked.copies() == []

    linked.paula.press("Resume: Rex")
    linked.system.clock.pass_s(HOUR_S)
    linked.system.reconcile()

    says(linked.latest(), "Copied to Rex")
    assert len(linked.copies()) == 1


def test_copy_that_waited_for_a_permission_is_made_when_the_child_gives_it(
    linked: Family, sign_in: Callable[..., None]
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
def test_ended_link_makes_no_copy_and_leaves_both_pages(linked: Family, who: str) -> None:
    visitor, button = (linked.paula, "Remove: Rex") if who == "parent" else (linked.rex, "End the link: Paula")
    visitor.open("/me")
    visitor.press(button)

    linked.run("Run with Rex")

    assert linked.copies() == []
    for page, heading in ((linked.paula, "Children"), (linked.rex, "Parents")):
        page.open("/me")
        expect(page.section(heading).get_by_role("article")).to_have_count(0)


def test_other_names_and_options_hold_for_the_next_copy(linked: Family) -> None:
    linked.paula.open("/me")
    linked.paula.follow("Names and options: Rex")
    linked.paula.page.get_by_label("Names and aliases").fill("Rex, the dog")
    linked.paula.page.get_by_label("Title", exact=True).fill("{title} (from {parent})")
    linked.paula.page.get_by_label("Heart rate").uncheck()
    linked.paula.press("Save")
    linked.run("Out with the dog")

    [copy_id] = linked.copies()
    copied = linked.system.control.activity(copy_id)
    assert copied["detail"]["name"] == "Out with the dog (from Paula)"
    assert "heartrate" not in copied["streams"]


@pytest.mark.parametrize("end", ["withdrawn", "declined", "expired", "used"])
def test_invitation_that_is_over_connects_nobody(
    inviting: Family, new_visitor: Callable[[], Visitor], end: str
) -> None:
    address = inviting.paula.invite("Rex")
    if end == "withdrawn":
        inviting.paula.open("/me")
        inviting.paula.press("Withdraw: invitation for Rex")
    elif end == "declined":
        inviting.rex.open(address)
        inviting.rex.press("Decline")
        inviting.rex.sees("You have declined")
    elif end == "expired":
        inviting.system.clock.pass_s(7 * 24 * HOUR_S)
    else:
        inviting.rex.accept(address, "Rex")

    stranger = new_visitor()
    stranger.open(address)

    stranger.sees("This invitation can no longer be used")
    assert inviting.system.services.state.links.of_parent(PAULA)[1:] == []
    assert (inviting.system.services.state.athletes.get(REX) is not None) == (end == "used")


def test_invitation_is_not_accepted_without_the_permission_to_upload(inviting: Family) -> None:
    inviting.rex.open(inviting.paula.invite("Rex"))
    inviting.rex.press("Accept and connect with Strava")
    inviting.rex.authorize("Rex", without="Upload your activities")

    inviting.rex.sees("A permission is missing")
    assert inviting.system.services.state.links.of_parent(PAULA) == []


def test_disconnected_athlete_is_signed_out_and_nothing_more_is_stored_until_connecting_again(linked: Family) -> None:
    linked.run("Run with Rex")
    linked.paula.open("/me")
    linked.paula.follow("Disconnect from Strava…")
    linked.paula.press("Disconnect")
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


def test_erased_athlete_leaves_nothing_and_the_other_side_is_told(linked: Family) -> None:
    linked.run("Run with Rex")
    linked.paula.open("/me")
    linked.paula.follow("Erase my data…")
    linked.paula.page.get_by_label("Yes, erase everything that is kept of me").check()
    linked.paula.press("Erase my data")
    linked.paula.sees("Your data is being erased")
    linked.system.catch_up()

    services = linked.system.services
    assert services.state.athletes.get(PAULA) is None
    assert services.state.links.of_child(REX) == []
    assert [key for key in services.lake.objects.list("") if str(PAULA) in key and "certificates/" not in key] == []
    linked.rex.open("/me")
    expect(linked.rex.page.get_by_role("status")).to_contain_text("A parent linked with you had everything erased")
    assert len(linked.copies()) == 1


def test_erasure_needs_the_box_to_be_ticked(linked: Family) -> None:
    linked.paula.open("/me/erase")
    linked.paula.page.get_by_role("button", name="Erase my data").click()
    assert linked.paula.page.locator("input:invalid").count() == 1
    linked.paula.page.locator("form").evaluate("form => form.noValidate = true")
    linked.paula.press("Erase my data")

    expect(linked.paula.page.get_by_role("alert")).to_contain_text("Nothing was erased.")
    linked.system.catch_up()
    assert linked.system.services.state.athletes.get(PAULA) is not None


def test_signed_out_browser_shows_nothing_of_the_athlete_even_on_going_back(linked: Family) -> None:
    linked.paula.open("/me")
    linked.paula.press("Sign out")
    linked.paula.sees("Sign in or connect")

    linked.paula.page.go_back()

    linked.paula.sees("Sign in or connect")
    assert "sdi_session" not in {cookie["name"] for cookie in linked.paula.page.context.cookies()}
