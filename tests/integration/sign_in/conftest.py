"""One installation with its pages, under both rules for older token pairs, and browsers that walk them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local.strava_simulator.world.simulation import OlderPair, Rules
from local.testbed.installation import Installation, one_process

NOW = datetime(2026, 6, 17, 6, 34, tzinfo=UTC).timestamp()
PAULA, REX, STRANGER = 4_100_001, 4_100_002, 4_100_003
BOXES = {"activity:read_all": "private", "activity:write": "receive"}


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
    with one_process(tmp_path, now_epoch_s=NOW, rules=Rules(older_pair=rule)) as system:
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
