"""A real browser, a system to visit with it, and a watch on what the browser complains about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from local.docs.pictures.browser import NO_BROWSER, browser_path
from local.docs.pictures.visitor import PATIENCE_MS, Visitor
from local.testbed.installation import Installation, one_process

NOW = datetime(2026, 6, 17, 6, 34, tzinfo=UTC).timestamp()
BY_STATUS = "Failed to load resource: the server responded with a status of 4"
"""What Chromium notes for each page that is answered with 4xx, such as a page that says what went wrong."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    path = browser_path()
    if path is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Installation]:
    with one_process(tmp_path, now_epoch_s=NOW) as system:
        yield system


@pytest.fixture
def complaints(chromium: Browser, system: Installation) -> Iterator[list[str]]:
    """What pages log, throw, or ask of strangers; a test with one fails at its end."""
    complaints: list[str] = []
    yield complaints
    for context in chromium.contexts:
        context.close()
    assert not [complaint for complaint in complaints if not complaint.startswith(BY_STATUS)]


@pytest.fixture
def watch(complaints: list[str], system: Installation) -> Callable[[Page], Page]:
    """Put a page under watch."""
    homes = (system.web_url, system.control.base_url)

    def note(request: Request) -> None:
        if not request.url.startswith(homes) and request.failure != "csp":
            complaints.append(f"asked {request.url}")

    def watch(page: Page) -> Page:
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        page.on("requestfinished", note)
        page.on("requestfailed", note)
        return page

    return watch


@pytest.fixture
def new_visitor(chromium: Browser, system: Installation, watch: Callable[[Page], Page]) -> Callable[[], Visitor]:
    """A person with a browser of their own, on a phone."""

    def new_visitor() -> Visitor:
        context: BrowserContext = chromium.new_context(viewport={"width": 390, "height": 844})
        return Visitor(watch(context.new_page()), system.web_url)

    return new_visitor


@pytest.fixture
def sign_in(system: Installation) -> Callable[..., None]:
    """Connect an athlete without looking at the pages on the way, which costs seconds, and leave the cookie behind."""

    def sign_in(visitor: Visitor, athlete_id: int, **choices: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            asked = session.get(f"{system.web_url}/connect", params=choices, allow_redirects=False)
            session.get(system.control.authorize(asked.headers["Location"], athlete_id), allow_redirects=False)
            visitor.page.context.add_cookies(
                [{"name": "sdi_session", "value": session.cookies["sdi_session"], "url": system.web_url}]
            )

    return sign_in


@pytest.fixture
def secrets(system: Installation) -> Callable[[], list[str]]:
    """Everything that no page may show and no address may hold."""

    def secrets() -> list[str]:
        settings = system.settings
        own = [settings.strava_client_secret, settings.webhook_path_secret, settings.webhook_verify_token]
        return [*own, settings.cookie_key, *system.control.tokens()]

    return secrets
