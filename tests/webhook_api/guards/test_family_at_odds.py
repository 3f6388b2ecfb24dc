"""A family presses old and new buttons, its own and others', in any order: nobody gets more than was agreed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest

from include.linking import ceilings
from include.linking.terms import within
from include.state.invites import Invites
from include.state.links import Link, Links, LinkStatus
from include.store.sqlite import SqliteStore
from local.testbed.manual_clock import ManualClock

ADA, REX, ZOE = 134815, 22, 33
PEOPLE = {ADA: "Ada", REX: "Rex", ZOE: "Zoe"}
SCOPE = "read,activity:read,activity:write"
MOST = 2
LEFT_ALONE = ("/sign-out", "/me/disconnect", "/me/erase", "/connect", "/sign-in", "/me/wish", "/me/mail")
Form = tuple[str, Mapping[str, str]]


def forms_of(page: str) -> list[Form]:
    """The address and the hidden fields of every form that posts."""
    found = re.findall(r'<form[^>]*action="([^"]+)"[^>]*method="post"[^>]*>(.*?)</form>', page, re.DOTALL)
    return [
        (html.unescape(address), dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', body)))
        for address, body in found
        if not address.startswith(LEFT_ALONE) and "sign-out" not in address
    ]


class Family:
    """Three browsers, and every form and address that any of them has ever seen."""

    def __init__(self, browsers: Mapping[int, Any], store: SqliteStore, clock: ManualClock, seed: int) -> None:
        self.links, self.invites = Links(store, clock), Invites(store, clock)
        self._browsers, self._clock, self._chance = browsers, clock, Random(seed)
        self._forms: dict[str, list[Form]] = {}
        self._addresses: dict[str, list[str]] = {"own": ["/me"], "new": ["/me/invites/new"]}
        self._look(browsers[ADA], "/me/invites/new")

    def step(self) -> int:
        """One of them looks at a page and presses a button that somebody has seen at some time; returns who."""
        chance = self._chance
        athlete_id = chance.choice(list(PEOPLE))
        browser = self._browsers[athlete_id]
        self._clock.now_epoch_s += chance.choice([1, 60, 3_600, 86_400])
        own = re.search(r'name="csrf" value="([^"]+)"', self._look(browser, "/me"))
        assert own is not None
        here = forms_of(self._look(browser, self._one_of(self._addresses)))
        address, hidden = chance.choice(here) if here and chance.random() < 0.7 else self._one_of(self._forms)
        if address.endswith(("/end", "/remove")) and chance.random() < 0.7:
            return athlete_id  # a family that does little else comes nowhere
        fields = {"title": chance.choice(["{title}", "{sport}"]), "names": ", ".join(chance.sample(NAMES, 2))}
        if chance.random() < 0.3:
            fields["allow_private"] = "1"
        answer = browser.client.post(address, data={**fields, **hidden, "csrf": own[1]})
        assert answer.status_code < 500, (address, answer.text)
        if "strava" in (answer.location or ""):
            browser.walk(answer, athlete_id, PEOPLE[athlete_id], SCOPE)
        elif answer.location:
            self._look(browser, answer.location)
        return athlete_id

    def family_links(self) -> dict[tuple[int, int], Link]:
        """Every link between two of them."""
        pairs = [(parent, child) for parent in PEOPLE for child in PEOPLE if parent != child]
        return {pair: link for pair in pairs if (link := self.links.get(*pair))}

    def _look(self, browser: Any, address: str) -> str:
        answer = browser.client.get(address)
        assert answer.status_code < 500, address
        text: str = answer.text
        for form in forms_of(text):
            self._forms.setdefault(kind_of(form[0]), []).append(form)
        for found in re.findall(r"/invite/[\w-]{32}|/me/(?:children|parents)/\d+(?:/[a-z-]+)?(?:\?seen=\w+)?", text):
            self._addresses.setdefault(kind_of(found), []).append(html.unescape(found))
        return text

    def _one_of(self, seen: Mapping[str, list[Any]]) -> Any:
        """Any kind is as likely as any other; of one kind the latest is as likely as all before."""
        several = seen[self._chance.choice(sorted(seen))]
        return several[-1] if self._chance.random() < 0.5 else self._chance.choice(several)


def kind_of(address: str) -> str:
    return re.sub(r"/[\w-]{32,}|\d+|\?.*", "", address)


NAMES = ["Rex", "Bello", "Mia", "Zoe"]


@pytest.fixture
def family(
    request: pytest.FixtureRequest,
    new_browser: Callable[[], Any],
    store: SqliteStore,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Family:
    monkeypatch.setattr(ceilings, "CHILDREN", MOST - 1)
    monkeypatch.setattr(ceilings, "OPEN_INVITATIONS", MOST)
    browsers = {athlete_id: new_browser() for athlete_id in PEOPLE}
    for athlete_id, browser in browsers.items():
        browser.connect(athlete_id, PEOPLE[athlete_id], SCOPE)
    return Family(browsers, store, clock, request.param)


@pytest.mark.parametrize("family", [4, 5], indirect=True)
def test_nobody_gets_more_than_was_agreed_whatever_is_pressed(family: Family) -> None:
    linked, widened = 0, 0
    for _ in range(60):
        before = family.family_links()
        who = family.step()
        after = family.family_links()
        for (parent, child), link in after.items():
            old = before.get((parent, child))
            if old == link:
                continue
            assert who in (parent, child), "others changed the link"
            assert link.terms == within(link.terms, link.agreed_terms, link.terms), "copies exceed what was agreed"
            if who == parent and old is not None and old.parent_consent_epoch_s is not None:
                assert link.agreed_terms == old.agreed_terms, "the parent has changed what the child agreed to"
            if who == child:
                assert link.parent_consent_epoch_s in (None, old and old.parent_consent_epoch_s), "confirmed by a child"
            linked += link.makes_copies
            widened += link.proposal is not None
        for parent in PEOPLE:
            standing = [link for link in family.links.of_parent(parent) if link.status is not LinkStatus.ENDED]
            assert len(standing) <= MOST - 1
            assert len(family.invites.open_of_parent(parent)) <= MOST
    assert linked, "the walk has come nowhere"
    assert widened
