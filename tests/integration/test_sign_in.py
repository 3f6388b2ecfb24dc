"""Signing in is not connecting: under both rules for older token pairs, whatever happens on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from include.errors import IngestError, StravaUnavailable
from include.lake.query import query
from include.pipeline.reconcile.due import list_athletes
from include.state.accounts.athletes import AthleteStatus
from include.state.links import CopyOptions, Link
from include.strava.oauth import OAuthClient
from local.strava_simulator.world.simulation import OlderPair, Rules
from local.testbed.installation import Installation, one_process

pytestmark = pytest.mark.network

NOW = datetime(2026, 6, 17, 6, 34, tzinfo=UTC).timestamp()
PAULA, REX, STRANGER = 4_100_001, 4_100_002, 4_100_003
ALL = frozenset({"read", "activity:read", "activity:read_all", "activity:write"})
STORED = {
    "read": frozenset({"read", "activity:read"}),
    "write": frozenset({"read", "activity:read", "activity:write"}),
    "read_all": frozenset({"read", "activity:read", "activity:read_all"}),
}
BOXES = {"activity:read_all": "private", "activity:write": "receive"}
HOUR_S = 3600


@dataclass
class Browser:
    """One person's browser, without script: follows our redirects and stops at Strava's page."""

    system: Installation
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def open(self, address: str, **query: Any) -> requests.Response:
        """The page at our path, or at an address of Strava's that leads back; redirects stay on our side."""
        answer = self.session.get(self._full(address), params=query, allow_redirects=False)
        while answer.is_redirect and answer.headers["Location"].startswith("/"):
            answer = self.session.get(self._full(answer.headers["Location"]), allow_redirects=False)
        return answer

    def press(self, page: requests.Response, action: str, **fields: Any) -> requests.Response:
        """Send the form of this page that leads to `action`."""
        form = re.search(rf'<form action="{action}" method="post">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[1])
        return self.session.post(self._full(action), data=[*hidden, *fields.items()], allow_redirects=False)

    def authorize(
        self, answer: requests.Response, athlete_id: int, scopes: frozenset[str] | None = None
    ) -> requests.Response:
        """Allow on Strava's page what it asks for, or only `scopes`, and come back."""
        assert answer.status_code == 303, answer.text
        return self.open(self.system.control.authorize(answer.headers["Location"], athlete_id, scopes=scopes))

    def cancel(self, answer: requests.Response) -> requests.Response:
        """Press Cancel on Strava's page."""
        state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
        return self.open("/callback", state=state, error="access_denied")

    def connect(self, athlete_id: int, scopes: frozenset[str]) -> requests.Response:
        """Connect with the boxes ticked that `scopes` take."""
        boxes = {box: "1" for scope, box in BOXES.items() if scope in scopes}
        return self.authorize(self.open("/connect", **boxes), athlete_id)

    def _full(self, address: str) -> str:
        return self.system.web_url + address if address.startswith("/") else address


@pytest.fixture(params=[pytest.param(rule, id=f"older-{rule}") for rule in OlderPair])
def rule(request: pytest.FixtureRequest) -> OlderPair:
    return OlderPair(request.param)


@pytest.fixture
def system(tmp_path: Path, rule: OlderPair) -> Iterator[Installation]:
    with one_process(tmp_path, now=NOW, rules=Rules(older_pair=rule)) as system:
        for athlete_id, name in ((PAULA, "Paula"), (REX, "Rex"), (STRANGER, "Mallory")):
            system.control.create_athlete(athlete_id=athlete_id, firstname=name, lastname="Smith")
        yield system


@pytest.fixture
def new_browser(system: Installation) -> Iterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def new_browser() -> Browser:
        opened.append(Browser(system))
        return opened[-1]

    yield new_browser
    for browser in opened:
        browser.session.close()


def status_of(system: Installation) -> AthleteStatus:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.status


def scopes_of(system: Installation) -> frozenset[str]:
    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    return athlete.scopes


def family(system: Installation, new_browser: Callable[[], Browser], stored: frozenset[str]) -> None:
    """Paula and Rex copy to each other what names the other, as far as what they allow reaches."""
    new_browser().connect(PAULA, stored)
    new_browser().connect(REX, ALL)
    for parent_id, child_id, name in ((PAULA, REX, "Rex"), (REX, PAULA, "Paula")):
        link = Link(parent_id, child_id, (name,), parent_consent_epoch_s=1, child_consent_epoch_s=1)
        system.services.state.links.save(link)
    system.finish(PAULA, "Run with Rex")
    system.clock.pass_s(HOUR_S)
    system.control.change_visibility(system.finish(PAULA, "Quiet run"), "only_me")
    system.catch_up()
    system.clock.pass_s(HOUR_S)
    system.finish(REX, "Ride with Paula", "ride")
    work_on(system)


def inspection(system: Installation) -> dict[str, Any]:
    """What is kept of Paula and Rex: what each allowed, rows of the lake, links and copies."""
    services, lake = system.services, system.settings.lake_url
    rows = query("SELECT activity_id, COUNT(*) AS points FROM streams GROUP BY 1 ORDER BY 1", lake).to_pylist()
    seen = query("SELECT activity_id, name, visibility FROM activities ORDER BY 1", lake).to_pylist()
    ids = [row["activity_id"] for row in seen]
    return {
        "scopes": [services.state.athletes.get(athlete_id).scopes for athlete_id in (PAULA, REX)],
        "lake": [rows, seen],
        "links": [*services.state.links.of_parent(PAULA), *services.state.links.of_parent(REX)],
        "copies": [(copy.child_id, copy.state) for one in ids for copy in services.state.copies.of_activity(one)],
        "uploads": system.control.activity_ids(REX) + system.control.activity_ids(PAULA),
    }


def renew(system: Installation) -> None:
    """What a worker does in the background with the token of an athlete that has run out."""
    athlete = system.services.state.athletes.get(PAULA)
    try:
        token = system.services.strava.tokens.access_token(PAULA, scope="activity:read")
        system.services.strava.tokens.reject(PAULA, token)
        system.services.strava.tokens.access_token(PAULA, scope="activity:read")
    except IngestError:
        assert athlete is not None


def work_on(system: Installation) -> None:
    """What reconcile does once an hour, with the look at everybody's list."""
    system.clock.pass_s(HOUR_S)
    list_athletes(system.services)
    system.reconcile()


def sign_in(system: Installation, browser: Browser, end: str, renewal: str, rule: OlderPair) -> requests.Response:
    """Sign in a week later; what is done on the last page of Strava's that is shown, and when a worker renews."""
    exchange = OAuthClient.exchange

    def exchange_and_renew(oauth: OAuthClient, code: str) -> Any:
        grant = exchange(oauth, code)
        if renewal == "between":
            renew(system)
        return grant

    if renewal == "before":
        renew(system)
    answer = browser.open("/sign-in")
    with patch.object(OAuthClient, "exchange", autospec=True, side_effect=exchange_and_renew):
        if rule is OlderPair.DIES:
            answer = browser.authorize(answer, PAULA)  # leads on to a second page of Strava's
        if end == "done":
            answer = browser.authorize(answer, PAULA)
        elif end == "declined":
            answer = browser.cancel(answer)
    if renewal == "after":
        renew(system)
    return answer


@pytest.mark.parametrize("renewal", ["before", "between", "after"])
@pytest.mark.parametrize("end", ["done", "abandoned", "declined"])
@pytest.mark.parametrize("stored", [pytest.param(scopes, id=f"stored-{name}") for name, scopes in STORED.items()])
def test_signing_in_changes_nothing_that_is_kept(
    system: Installation,
    new_browser: Callable[[], Browser],
    rule: OlderPair,
    stored: frozenset[str],
    end: str,
    renewal: str,
) -> None:
    family(system, new_browser, stored)
    kept = inspection(system)
    system.clock.pass_s(7 * 24 * HOUR_S)
    phone = new_browser()

    answer = sign_in(system, phone, end, renewal, rule)
    if end == "declined":
        says = "Connect again" if rule is OlderPair.DIES else "Nothing was connected"
        assert says in answer.text
    is_signed_in = end == "done" or rule is OlderPair.DIES  # there, the first page of Strava's was passed
    page = phone.open("/me")
    assert ("Hello, Paula" in page.text) is is_signed_in
    work_on(system)

    assert inspection(system) == kept
    is_alive = end == "done" or rule is OlderPair.LIVES
    assert status_of(system) is (AthleteStatus.ACTIVE if is_alive else AthleteStatus.NEEDS_REAUTH)
    if not is_alive:
        assert phone.open("/me").text.count('href="/connect/again"') == 1
        phone.authorize(phone.open("/connect/again"), PAULA)
        work_on(system)
        assert inspection(system) == kept
        assert status_of(system) is AthleteStatus.ACTIVE


def test_matrix_stands_on_something(system: Installation, new_browser: Callable[[], Browser]) -> None:
    family(system, new_browser, STORED["read_all"])

    kept = inspection(system)

    assert [row["visibility"] for row in kept["lake"][1] if row["name"] == "Quiet run"] == ["only_me"]
    assert (REX, "done") in kept["copies"]


def test_connect_button_pressed_in_place_of_sign_in_takes_nothing_away(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    new_browser().connect(PAULA, ALL)
    phone = new_browser()

    answer = phone.connect(PAULA, STORED["read"])  # the button as the page comes: no box is ticked
    if answer.status_code == 303:  # Strava ended the older pair: all of it is asked for again
        assert set(parse_qs(urlsplit(answer.headers["Location"]).query)["scope"][0].split(",")) == ALL
        answer = phone.authorize(answer, PAULA)

    assert "Hello, Paula" in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_athlete_who_allows_more_without_being_signed_in_keeps_the_rest(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    new_browser().connect(PAULA, STORED["read_all"])
    phone = new_browser()

    page = phone.authorize(phone.connect(PAULA, STORED["write"]), PAULA)

    assert "Hello, Paula" in page.text
    assert scopes_of(system) == ALL


def test_stored_pair_is_neither_replaced_nor_ended_when_it_is_alive(
    system: Installation, new_browser: Callable[[], Browser], rule: OlderPair
) -> None:
    if rule is OlderPair.DIES:
        pytest.skip("it is never alive then")
    new_browser().connect(PAULA, ALL)
    token = system.services.strava.tokens.access_token(PAULA, scope="activity:read")
    before = system.services.state.athletes.get(PAULA)
    phone = new_browser()

    phone.authorize(phone.open("/sign-in"), PAULA)

    after = system.services.state.athletes.get(PAULA)
    assert before is not None
    assert after is not None
    assert after.authorised_at_epoch_s == before.authorised_at_epoch_s
    assert system.services.strava.tokens.access_token(PAULA, scope="activity:read") == token
    assert "POST /oauth/revoke" not in {call["route"] for call in system.control.calls()}


def test_refusal_that_a_worker_saw_is_lifted_by_signing_in(
    system: Installation, new_browser: Callable[[], Browser], rule: OlderPair
) -> None:
    new_browser().connect(PAULA, ALL)
    system.services.state.athletes.mark(PAULA, AthleteStatus.NEEDS_REAUTH)
    phone = new_browser()

    answer = phone.authorize(phone.open("/sign-in"), PAULA)
    if rule is OlderPair.DIES:
        answer = phone.authorize(answer, PAULA)

    assert "Connect again" not in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_athlete_is_signed_in_and_nothing_changes_when_the_stored_pair_cannot_be_proved_now(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    new_browser().connect(PAULA, ALL)
    phone = new_browser()
    answer = phone.open("/sign-in")

    with patch.object(OAuthClient, "refresh", autospec=True, side_effect=StravaUnavailable("503")):
        answer = phone.authorize(answer, PAULA)

    assert "Hello, Paula" in answer.text
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_stranger_who_signs_in_leaves_no_row_and_takes_no_place(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    browser = new_browser()

    page = browser.authorize(browser.open("/sign-in"), STRANGER)

    assert (page.status_code, "This account is not connected" in page.text) == (403, True)
    assert browser.open("/me").url.endswith("/")
    assert system.services.state.athletes.get(STRANGER) is None
    with system.simulation.state.transaction() as db:
        assert db.execute("SELECT COUNT(*) AS count FROM grants").fetchone()["count"] == 0
    system.catch_up()
    assert browser.connect(STRANGER, STORED["read"]).status_code == 200


def test_newcomer_who_connects_while_a_sign_in_is_given_back_allows_it_once_more_and_is_connected(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    one_tab, other_tab = new_browser(), new_browser()
    revoke = OAuthClient.revoke

    def connect_and_revoke(oauth: OAuthClient, athlete_id: int, access_token: str) -> None:
        other_tab.connect(PAULA, STORED["read_all"])
        revoke(oauth, athlete_id, access_token)

    with patch.object(OAuthClient, "revoke", autospec=True, side_effect=connect_and_revoke):
        answer = one_tab.authorize(one_tab.open("/sign-in"), PAULA)
    page = one_tab.authorize(answer, PAULA)

    assert "Hello, Paula" in page.text
    assert (scopes_of(system), status_of(system)) == (STORED["read_all"], AthleteStatus.ACTIVE)
    assert system.services.strava.tokens.prove(PAULA)


def test_disconnected_athlete_who_signs_in_stays_disconnected_and_keeps_what_is_stored(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    family(system, new_browser, STORED["read"])
    browser = new_browser()
    browser.connect(PAULA, STORED["read"])
    browser.press(browser.open("/me/disconnect"), "/me/disconnect")
    system.catch_up()
    kept = inspection(system)

    page = browser.authorize(browser.open("/sign-in"), PAULA)
    system.catch_up()

    assert "This account is not connected" in page.text
    assert inspection(system) == kept
    assert status_of(system) is AthleteStatus.REVOKED


@pytest.mark.parametrize("start", ["/sign-in", "/connect", "/connect?private=1&receive=1"])
def test_callback_without_its_cookie_binds_nothing_and_leads_into_the_same_walk_by_one_button(
    system: Installation, new_browser: Callable[[], Browser], start: str
) -> None:
    new_browser().connect(PAULA, ALL)
    before = system.services.state.athletes.get(PAULA)
    asked = new_browser().open(start)
    other = new_browser()

    page = other.authorize(asked, PAULA)

    assert (page.status_code, "One more step" in page.text) == (400, True)
    assert system.services.state.athletes.get(PAULA) == before
    assert "Hello" not in other.open("/me").text
    (way_on,) = re.findall(r'<a class="button" href="([^"]+)">Go on in this browser</a>', page.text)
    assert way_on.replace("&amp;", "&") == start
    answer = other.authorize(other.open(start), PAULA)
    while answer.status_code == 303:
        answer = other.authorize(answer, PAULA)
    assert "Hello, Paula" in answer.text
    assert scopes_of(system) == ALL


def test_scope_counts_only_as_far_as_it_was_asked_for_and_the_token_proves_it(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    browser = new_browser()
    back = system.control.authorize(browser.open("/connect", private="1").headers["Location"], PAULA)
    assert back.count("scope=read,activity:read,activity:read_all") == 1

    browser.open(back.replace("activity:read_all", "activity:read_all,activity:write"))
    assert scopes_of(system) == STORED["read_all"]

    back = system.control.authorize(
        browser.open("/connect", private="1", receive="1").headers["Location"], PAULA, scopes=STORED["read_all"]
    )
    browser.open(back.replace("activity:read_all", "activity:read_all,activity:write"))
    assert scopes_of(system) == STORED["read_all"]


def test_untick_at_strava_narrows_nothing_before_the_page_was_answered(
    system: Installation, new_browser: Callable[[], Browser], rule: OlderPair
) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    page = browser.authorize(browser.open("/connect", private="1", receive="1"), PAULA, STORED["read"])

    assert "Allow less than before?" in page.text
    assert scopes_of(system) == ALL
    assert ('href="/connect/again"' in page.text) is (rule is OlderPair.DIES)
    browser.authorize(browser.open("/connect/again"), PAULA)
    assert (scopes_of(system), status_of(system)) == (ALL, AthleteStatus.ACTIVE)


def test_wider_grant_shows_the_links_that_it_touches(system: Installation, new_browser: Callable[[], Browser]) -> None:
    browser = new_browser()
    browser.connect(PAULA, STORED["read"])
    for child_id, name, trim_m in ((REX, "Rex", None), (STRANGER, "Mia", 0)):
        link = Link(
            PAULA, child_id, (name,), CopyOptions(trim_m=trim_m), parent_consent_epoch_s=1, child_consent_epoch_s=1
        )
        system.services.state.links.save(link)

    page = browser.connect(PAULA, STORED["read_all"]).text

    assert re.findall(r"<li>(\w+):\s+(.*?)\s+<a", page) == [
        ("Rex", "what lies within 200&nbsp;m of the start or the end is left out."),
        ("Mia", "nothing is left out, so that tracks show where you live."),
    ]
    assert "Hello, Paula" in browser.connect(PAULA, STORED["read_all"]).text


@pytest.mark.parametrize(("answer", "unwanted"), [("keep", set()), ("remove", {"activity:read_all"})])
def test_grant_is_narrowed_as_the_athlete_answers(
    system: Installation, new_browser: Callable[[], Browser], answer: str, unwanted: set[str]
) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    page = browser.open("/connect", receive="1")
    assert scopes_of(system) == ALL
    browser.authorize(browser.press(page, "/connect/less", stored=answer), PAULA)

    athlete = system.services.state.athletes.get(PAULA)
    assert athlete is not None
    assert (athlete.scopes, athlete.unwanted_scopes) == (STORED["write"], unwanted)
    browser.connect(PAULA, ALL)
    again = system.services.state.athletes.get(PAULA)
    assert again is not None
    assert (again.scopes, again.unwanted_scopes) == (ALL, set())


def test_narrowing_holds_for_the_athlete_who_chose_it_and_no_other(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    new_browser().connect(REX, ALL)
    browser = new_browser()
    browser.connect(PAULA, ALL)

    asked = browser.press(browser.open("/connect", receive="1"), "/connect/less", stored="remove")
    answer = browser.authorize(asked, REX)  # Strava has another account logged in
    if answer.status_code == 303:  # Strava ended the older pair: all of it is asked for again
        answer = browser.authorize(answer, REX)

    assert "Hello, Rex" in answer.text
    rex = system.services.state.athletes.get(REX)
    assert rex is not None
    assert (rex.scopes, rex.unwanted_scopes) == (ALL, set())
    assert scopes_of(system) == ALL


def test_link_alone_narrows_nothing(system: Installation, new_browser: Callable[[], Browser]) -> None:
    browser = new_browser()
    browser.connect(PAULA, ALL)

    for address in ("/connect", "/connect/less?scope=activity:read&stored=remove"):
        assert "Allow less than before?" in browser.open(address).text
    foreign = browser.session.post(
        f"{system.web_url}/connect/less", data={"scope": "activity:read", "stored": "remove"}, allow_redirects=False
    )

    assert foreign.status_code == 403
    assert scopes_of(system) == ALL


def test_child_who_accepts_without_being_signed_in_keeps_what_it_allowed(
    system: Installation, new_browser: Callable[[], Browser]
) -> None:
    new_browser().connect(REX, ALL)
    paula = new_browser()
    paula.connect(PAULA, STORED["read"])
    form = {"names": "Rex", "trim_m": "0"}
    token = re.search(r'name="csrf" value="([^"]+)"', paula.open("/me").text)
    assert token is not None
    page = paula.session.post(f"{system.web_url}/me/invites", data={"csrf": token[1], **form})
    (path,) = re.findall(r"(/invite/[\w-]{32})", page.text)
    rex = new_browser()
    token = re.search(r'name="csrf" value="([^"]+)"', rex.open(path).text)
    assert token is not None

    answer = rex.session.post(f"{system.web_url}{path}", data={"csrf": token[1]}, allow_redirects=False)
    answer = rex.authorize(answer, REX)
    while answer.status_code == 303:
        answer = rex.authorize(answer, REX)

    assert "Hello, Rex" in answer.text
    athlete = system.services.state.athletes.get(REX)
    assert athlete is not None
    assert athlete.scopes == ALL
    assert [link.child_id for link in system.services.state.links.of_parent(PAULA)] == [REX]
