"""A minimal browser for the OAuth flow: follows redirects, keeps cookies, fills in forms."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from include.errors import IngestError

TIMEOUT_S = 10


class FlowFailed(IngestError):
    """A page of the flow did not show what it should; the message names the page."""


class _Form(HTMLParser):
    """The first form of a page: its action, and its fields with their initial values."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self.choices: dict[str, list[str]] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the form's action, its inputs, and the options of its selections."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = values.get("action", "")
        elif tag == "select":
            self._select = values.get("name", "")
        elif tag == "option" and self._select:
            self.choices.setdefault(self._select, []).append(values.get("value", ""))
        elif tag == "input" and values.get("type") == "radio":
            self.choices.setdefault(values.get("name", ""), []).append(values.get("value", ""))
        elif tag == "input" and values.get("type") == "checkbox" and "checked" in values:
            self.fields.append((values.get("name", ""), values.get("value", "on")))
        elif tag == "input" and values.get("type", "text") in ("hidden", "text"):
            self.fields.append((values.get("name", ""), values.get("value", "")))


def first_form(page: str) -> tuple[str, list[tuple[str, str]]]:
    """Where the first form of a page goes, and the values with which it starts, as a press of its button sends them."""
    form = _Form()
    form.feed(page[: page.index("</form>")])
    return form.action, [*form.fields, *((name, values[0]) for name, values in form.choices.items())]


def connect(web_url: str, athlete_id: int, *, options: dict[str, str]) -> str:
    """Connect an athlete as a person would: start page, authorize page and back; returns the last page's HTML.

    `options` are the ticked boxes of the start page. Errors: `FlowFailed` that names the failing page.
    """
    return _connect(requests.Session(), web_url, athlete_id, options)


def erase(web_url: str, athlete_id: int, *, options: dict[str, str]) -> str:
    """Sign in by connecting, then request the erasure on the athlete's page; returns the last page's HTML.

    Errors: `FlowFailed` that names the failing page.
    """
    browser = requests.Session()
    _connect(browser, web_url, athlete_id, options)
    page = browser.get(f"{web_url}/me/erase", timeout=TIMEOUT_S)
    form = _Form()
    form.feed(page.text)
    asked = browser.post(urljoin(page.url, form.action), data=[*form.fields, ("confirm", "erase")], timeout=TIMEOUT_S)
    answer = _authorize(browser, asked, athlete_id)
    if answer.status_code != 200 or "being erased" not in answer.text:
        raise FlowFailed(f"The page for the erasure of athlete {athlete_id} answered {answer.status_code}.")
    return answer.text


def _connect(browser: requests.Session, web_url: str, athlete_id: int, options: dict[str, str]) -> str:
    start = browser.get(f"{web_url}/connect", params=options, timeout=TIMEOUT_S)
    answer = _authorize(browser, start, athlete_id)
    if answer.status_code != 200 or not answer.url.startswith(web_url):
        raise FlowFailed(f"Connecting athlete {athlete_id} ended at a page that answers {answer.status_code}.")
    return answer.text


def _authorize(browser: requests.Session, start: requests.Response, athlete_id: int) -> requests.Response:
    """From Strava's page, where the athlete allows what is asked for, to the page where that ends."""
    if "form" not in start.text or start.status_code != 200:
        raise FlowFailed(f"The authorize page answered {start.status_code} without a form.")
    form = _Form()
    form.feed(start.text)
    athlete_field = next((name for name, values in form.choices.items() if str(athlete_id) in values), None)
    if athlete_field is None:
        raise FlowFailed(f"The authorize page does not offer athlete {athlete_id}.")
    return browser.post(
        urljoin(start.url, form.action),
        data=[*form.fields, (athlete_field, str(athlete_id)), ("decision", "authorize")],
        timeout=TIMEOUT_S,
    )
