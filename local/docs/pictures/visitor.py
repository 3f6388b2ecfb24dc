"""A person at a browser: finds things by what they say, as people do."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 30_000
"""How long a page may take to come, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person's browser, at the system whose pages are at `web_url`."""

    page: Page
    web_url: str

    def open(self, path: str) -> None:
        """Open one of our pages by its path, or any other by its address."""
        self.page.goto(self.web_url + path if path.startswith("/") else path)

    def connect(self, athlete: str, *, private: bool = False, receive: bool = False) -> None:
        """From the start page through Strava's to the athlete's own."""
        self.open("/")
        self.page.get_by_label("Include private activities and full tracks").set_checked(private)
        self.page.get_by_label("This account may receive copies").set_checked(receive)
        self.press("Connect with Strava")
        self.authorize(athlete)
        self.sees(f"Hello, {athlete}")

    def sign_in(self, athlete: str) -> None:
        """From the start page through Strava's to the athlete's own, with no box to tick."""
        self.open("/")
        self.press("Sign in with Strava")
        self.authorize(athlete)

    def authorize(self, athlete: str, *, without: str = "") -> None:
        """On Strava's page, choose the athlete and the ticked boxes, and press Authorize."""
        options = self.page.get_by_label("Log in as").locator("option")
        athlete_id = options.filter(has_text=athlete).first.get_attribute("value")
        self.page.get_by_label("Log in as").select_option(athlete_id)
        if without:
            self.page.get_by_label(without).uncheck()
        self.press("Authorize")

    def invite(self, names: str) -> str:
        """Create an invitation and give its link."""
        self.open("/me/invites/new")
        self.page.get_by_label("Names and aliases").fill(names)
        self.press("Create an invitation")
        return self.page.locator("#invitation").input_value()

    def accept(self, address: str, athlete: str) -> None:
        """Open an invitation's link, accept it, and allow uploads."""
        self.open(address)
        self.press("Accept and connect with Strava")
        self.authorize(athlete)
        self.sees(f"Hello, {athlete}")

    def press(self, label: str) -> None:
        """Press the button with this name, and wait for where it leads: what it does is done by then."""
        with self.page.expect_navigation(timeout=PATIENCE_MS):
            self.page.get_by_role("button", name=label, exact=True).click()

    def follow(self, label: str) -> None:
        """Follow the link with this name."""
        self.page.get_by_role("link", name=label, exact=True).click()

    def section(self, heading: str) -> Locator:
        """The part of the page under this heading."""
        return self.page.get_by_role("region", name=heading)

    def sees(self, heading: str) -> None:
        """Wait for the page with this heading. Errors: AssertionError when another one came."""
        expect(self.page.get_by_role("heading", level=1, name=heading, exact=True)).to_be_visible(timeout=PATIENCE_MS)
