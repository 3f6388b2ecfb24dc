"""A family's walk through every page, in every state that a page has something to say in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from include.errors import TokenRefused
from include.pipeline.reconcile.due import list_athletes
from include.state.erasures.ledger import EraseReason
from local.docs.pictures.scenes import SCENES
from local.docs.pictures.visitor import Visitor
from local.strava_simulator.api.faults import Faults
from local.testbed.installation import Installation
from webhook_api.pages.linking.address import qr_code

PAULA, REX, MIA = 4_100_001, 4_100_002, 4_100_003
_HOUR_S = 3600
_WEEK_S = 7 * 24 * _HOUR_S

Show = Callable[[str, Page], None]
"""Is given each scene's name and the page on which it is to be seen."""


@dataclass(slots=True)
class Story:
    """Plays from connecting to being erased; every scene is shown once, in the order of `SCENES`."""

    system: Installation
    browser: Browser
    show: Show
    parent: Visitor = field(init=False)
    child: Visitor = field(init=False)
    address: str = field(init=False)
    """Where the invitation leads."""

    def __post_init__(self) -> None:
        for athlete_id, name in ((PAULA, "Paula"), (REX, "Rex"), (MIA, "Mia")):
            self.system.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Smith")
        self.parent, self.child = self._visitor(), self._visitor()

    def play(self) -> None:
        """The whole story."""
        self.connect()
        self.invite()
        self.accept()
        self.copy()
        self.ask_for_more()
        self.change()
        self.go_wrong()
        self.leave()

    def connect(self) -> None:
        """The parent looks, declines, and connects after all."""
        parent = self.parent
        parent.open("/")
        self._shown("start", parent)
        parent.open("/privacy")
        self._shown("privacy", parent)
        parent.open("/")
        parent.press("Connect with Strava")
        parent.press("Cancel")
        self._shown("access-denied", parent)
        parent.sign_in("Paula")
        self._shown("not-connected", parent)
        parent.open("/")
        parent.press("Connect with Strava")
        parent.page.context.clear_cookies()
        parent.authorize("Paula")
        self._shown("one-more-step", parent)
        parent.connect("Paula", private=True)
        self._shown("me-new", parent)
        parent.page.get_by_label("Email address").fill("paula@smith.example")
        parent.press("Send a link to confirm it")
        parent.open(re.findall(r"http\S+/mail/confirm/\S+", self.system.only_mail())[0])
        self._shown("mail-confirm", parent)
        parent.press("Confirm the address")
        parent.open("/")
        self._shown("start-signed-in", parent)
        parent.page.get_by_label("Include private activities and full tracks").uncheck()
        parent.press("Connect with Strava")
        self._shown("allow-less", parent)

    def invite(self) -> None:
        """The parent invites, with a mistake first."""
        parent = self.parent
        parent.open("/me/invites/new")
        self._shown("invite-child", parent)
        parent.page.get_by_label("Names and aliases").fill(",")
        parent.page.get_by_label("Title", exact=True).fill("{titel}")
        parent.press("Create an invitation")
        self._shown("invite-child-again", parent)
        address = parent.invite("Rex, Rexy")
        # The picture shall not change with every secret.
        example = "https://ingest.example.org/invite/bfUvjYlL1q2c0zq0H1wzvVt8s7o5nQ1k"
        parent.page.locator("#invitation").evaluate("(shown, example) => { shown.value = example }", example)
        parent.page.locator(".qr").evaluate("(shown, drawing) => { shown.innerHTML = drawing }", qr_code(example))
        self._shown("invited", parent)
        parent.open(address)
        self._shown("own-invitation", parent)
        self.address = address

    def accept(self) -> None:
        """The child hesitates, accepts, and waits; the parent confirms."""
        child = self.child
        child.open(self.address)
        self._shown("invitation", child)
        child.press("Accept and connect with Strava")
        child.page.context.clear_cookies()
        child.authorize("Rex")
        self._shown("invitation-once-more", child)
        child.open(self.address)
        child.press("Accept and connect with Strava")
        child.authorize("Rex", without="Upload your activities")
        self._shown("upload-not-allowed", child)
        child.accept(self.address, "Rex")
        self._shown("child-waiting", child)
        self.parent.open("/me")
        self._shown("me-confirm", self.parent)
        self.parent.press("Confirm: Rex")
        child.open(self.address)
        self._shown("invitation-used", child)
        child.open(self.parent.invite("Mia"))
        child.follow("Decline")
        child.press("Say no")
        self._shown("declined", child)

    def copy(self) -> None:
        """The parent moves, and the copies end in every way."""
        self._finish("Treadmill", "treadmill")
        list_athletes(self.system.services, self.system.settings)  # tells the time zone
        self.system.reconcile()
        self._finish("Trail run with Rex", "trail_run")
        self.system.rename(self._finish("Hills with Rex", "ride"), "Hills")
        self.system.rename(self._finish("Evening ride", "ride"), "Evening ride with Rex")
        surprise = self._finish("A surprise")
        self.system.control.change_visibility(surprise, "only_me")
        self.system.rename(surprise, "A surprise for Rex")
        self._let_one_fail()
        self._let_one_wait()
        self.parent.invite("Mia")
        self.parent.open("/me")
        self._shown("me", self.parent)
        self.child.open("/me")
        self._shown("child", self.child)

    def ask_for_more(self) -> None:
        """A week later the parent wants more than was agreed, hears a no, wants less, and hears a yes."""
        self.system.clock.advance(_WEEK_S)
        self.system.reconcile()
        self.parent = parent = self._visitor()  # another phone
        parent.sign_in("Paula")
        parent.authorize("Paula")
        self._shown("me-week-later", parent)
        parent.follow("Names and options: Rex")
        parent.page.get_by_label("Names and aliases").fill("Rex, Rexy, Bello")
        parent.page.get_by_label("Also activities that only I can see").check()
        self._shown("names-and-options", parent)
        parent.press("Save")
        self._shown("me-asked", parent)
        child = self.child
        child.open("/me")
        self._shown("child-asked", child)
        child.follow("Say no: Paula")
        self._shown("child-says-no", child)
        child.press("Say no")
        self._shown("child-said-no", child)
        parent.open("/me")
        self._shown("me-told-no", parent)
        self.system.clock.advance(_WEEK_S)
        parent.follow("Names and options: Rex")
        parent.page.get_by_label("Names and aliases").fill("Rex, Rexy, Bello")
        parent.press("Save")
        child.open("/me")
        self._shown("child-asked-again", child)
        child.press("Say yes: Paula")
        child.page.get_by_text("What is copied", exact=True).click()
        self._shown("child-said-yes", child)
        parent.open("/me")
        self._shown("me-told-yes", parent)

    def change(self) -> None:
        """The parent ends the link, undoes that, changes what Strava shows, and loses the access to it unnoticed."""
        parent, system = self.parent, self.system
        parent.open("/me")
        parent.follow("Remove: Rex")
        self._shown("remove", parent)
        parent.press("Remove")
        self._shown("me-removed", parent)
        parent.press("Undo: removing Rex")
        self._allow(private=True, without="View data about your private activities")
        self._shown("allow-less-at-strava", parent)
        parent.press("Allow less and keep them")
        parent.authorize("Paula")
        self._allow(private=True)
        self._shown("full-tracks", parent)
        parent.open("/me")
        parent.press("Pause: Rex")
        system.control.switch_faults(system.client_id, Faults(webhook_lose_rate=1.0))
        system.control.disconnect(PAULA, system.client_id)
        system.control.switch_faults(system.client_id, Faults())
        system.clock.advance(7 * _HOUR_S)  # The access token has to be renewed, which Strava refuses.
        try:
            system.services.strava.tokens.access_token(PAULA, scope="read")
        except TokenRefused:
            parent.open("/me")
        self._shown("me-paused", parent)
        system.clock.advance(8 * 24 * _HOUR_S)
        parent.open("/me")
        self._shown("me-refused", parent)
        parent.connect("Paula", private=True)

    def go_wrong(self) -> None:
        """What a browser is told that does something out of order."""
        parent = self.parent
        parent.open("/callback?state=of-yesterday&code=used-before")
        self._shown("stale-link", parent)
        parent.open("/nowhere")
        self._shown("no-such-page", parent)
        parent.open("/me/disconnect")
        parent.page.context.clear_cookies()
        parent.press("Disconnect")
        self._shown("foreign-form", parent)
        parent.connect("Paula", private=True)

    def leave(self) -> None:
        """The parent disconnects, and comes back; the child has everything erased."""
        parent, child = self.parent, self.child
        child.connect("Rex", receive=True)
        self.system.clock.advance(_HOUR_S)
        parent.open("/me/disconnect")
        self._shown("disconnect", parent)
        parent.press("Disconnect")
        parent.authorize("Paula")
        self._shown("disconnected", parent)
        child.open("/me/erase")
        self._shown("erase", child)
        child.page.get_by_label("Yes, erase everything you keep about me").check()
        child.press("Erase my data")
        child.open("/me")  # instead of going on at Strava
        self._shown("me-wish", child)
        self.system.services.state.erasures.ask_now(REX, EraseReason.ATHLETE)  # in another browser
        child.open("/me")
        self._shown("me-leaving", child)
        child.open("/me/erase")
        child.page.get_by_label("Yes, erase everything you keep about me").check()
        child.press("Erase my data")
        child.authorize("Rex")
        example = "https://ingest.example.org/certificate/h7Jm2cQe9zKx4WvT0sLq8bRy3nUa5dFg"
        own = child.page.locator("#certificate").get_attribute("href") or ""
        child.page.locator("#certificate").evaluate("(shown, example) => { shown.textContent = example }", example)
        self._shown("erased", child)
        self.system.catch_up()
        child.open(own)
        self._shown("certificate", child)
        parent.connect("Paula", private=True)
        self._shown("me-notice", parent)

    def _allow(self, *, private: bool, without: str = "") -> None:
        """The parent ticks this, and leaves all but one thing ticked on Strava's page."""
        self.parent.open("/")
        self.parent.page.get_by_label("Include private activities and full tracks").set_checked(private)
        self.parent.press("Connect with Strava")
        self.parent.authorize("Paula", without=without)

    def _let_one_fail(self) -> None:
        """The child takes the permission to upload back, for one copy."""
        child = self.child
        child.open("/")
        child.page.get_by_label("This account may receive copies").uncheck()
        child.press("Connect with Strava")
        self._shown("allow-less-child", child)
        child.press("Allow less")
        child.authorize("Rex")
        self._finish("Intervals with Rex")
        child.connect("Rex", receive=True)

    def _let_one_wait(self) -> None:
        """Strava reports that the calls of this quarter of an hour are used up."""
        self.system.clock.advance(_HOUR_S)
        limits, usage = "200,2000", "200,700"
        headers = {"X-RateLimit-Limit": limits, "X-RateLimit-Usage": usage, "X-ReadRateLimit-Limit": limits}
        self.system.services.state.quota.observe({**headers, "X-ReadRateLimit-Usage": usage})
        self.system.finish(PAULA, "Cool-down with Rex")

    def _finish(self, title: str, kind: str = "run") -> int:
        self.system.clock.advance(_HOUR_S)
        return self.system.finish(PAULA, title, kind)

    def _shown(self, name: str, visitor: Visitor) -> None:
        visitor.sees(SCENES[name].heading)
        self.show(name, visitor.page)

    def _visitor(self) -> Visitor:
        page = self.browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        return Visitor(page, self.system.web_url)
