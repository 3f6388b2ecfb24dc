"""What mails the service sends, and the athletes who read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask

from include.mail.mailer import Mail
from local.testbed.manual_clock import ManualClock
from webhook_api.edge import EXTENSION

ADA = 134815
ADDRESS = "ada@example.com"


@dataclass
class Post:
    """Takes mails, or refuses as a test says."""

    sent: list[Mail] = field(default_factory=list)
    fault: Exception | None = None

    def send(self, mail: Mail) -> None:
        if self.fault is not None:
            raise self.fault
        self.sent.append(mail)

    @property
    def link(self) -> str:
        """The last link that was sent, without the host."""
        match = re.search(r"https://ingest\.example\.org(/mail/confirm/\S+)", self.sent[-1].text)
        assert match is not None
        return match[1]


@pytest.fixture
def post(app: Flask) -> Post:
    post = Post()
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], mailer=lambda: post)
    return post


@pytest.fixture
def ada(new_browser: Callable[[], Any], post: Post) -> Any:
    browser = new_browser()
    browser.connect(ADA, "Ada")
    return browser


@pytest.fixture
def stranger(new_browser: Callable[[], Any]) -> Any:
    """The browser in which the link of a mail is opened: nobody is signed in there."""
    return new_browser()


def own_page(browser: Any) -> str:
    return str(browser.client.get("/me").text)


def told_at(app: Flask) -> list[str]:
    addresses = app.extensions[EXTENSION].state.mail_addresses
    return [addresses.opened(one.athlete_id, one.sealed) for one in addresses.confirmed()]


@pytest.fixture
def confirmed(ada: Any, post: Post, stranger: Any, clock: ManualClock) -> None:
    """Ada has confirmed her address more than a minute ago."""
    ada.post("/me/mail", mail_address=ADDRESS)
    stranger.post(post.link, page=post.link)
    clock.now_epoch_s += 61
