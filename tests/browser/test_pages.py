"""Every page in every state, in a real browser: what everybody has to be able to see, to hear and to reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from local.docs.pictures.scenes import SCENES
from local.docs.pictures.story import Story
from local.docs.pictures.visitor import Visitor
from local.testbed.installation import Installation

pytestmark = pytest.mark.network

AUDIT = (Path(__file__).parent / "audit.js").read_text()
SCREENS: tuple[tuple[Literal["light", "dark"], int], ...] = (("dark", 320), ("light", 1280))
FOCUS = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  return {
    place: [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")].indexOf(element),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")]
  .map((element, place) => element.checkVisibility() ? place : -1).filter(place => place >= 0)"""


def faults(page: Page) -> list[str]:
    """What the audit finds on a small phone, dark, and on a desk, light."""
    found = []
    for scheme, width in SCREENS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}, {width} px: {fault}" for fault in page.evaluate(AUDIT)]
    return found


def test_every_page_is_clear_to_everybody_and_keeps_secrets(
    chromium: Browser,
    system: Installation,
    watch: Callable[[Page], Page],
    secrets: Callable[[], list[str]],
) -> None:
    found: dict[str, list[str]] = {}
    shown = []

    def look(scene: str, page: Page) -> None:
        shown.append(scene)
        leaks = [secret for secret in secrets() if secret in page.content() or secret in page.url]
        codes = ["the address holds a code"] if "code=" in page.url and SCENES[scene].route != "/callback" else []
        found[scene] = [*faults(page), *leaks, *codes]

    story = Story(system, chromium, look)
    for visitor in (story.parent, story.child):
        watch(visitor.page)
    story.play()

    assert {scene: faults for scene, faults in found.items() if faults} == {}
    assert shown == list(SCENES), "give each scene a step in local/docs/pictures/story.py, in the order of scenes.py"


def test_page_about_privacy_is_clear_to_everybody(new_visitor: Callable[[], Visitor]) -> None:
    stranger = new_visitor()
    stranger.open("/privacy")

    stranger.sees("What we keep about you")
    assert faults(stranger.page) == []


@pytest.mark.parametrize("path", ["/me", "/me/invites/new"])
def test_everything_that_can_be_used_is_reached_in_order_by_the_keyboard_and_seen(
    system: Installation, new_visitor: Callable[[], Visitor], sign_in: Callable[..., None], path: str
) -> None:
    system.control.create_athlete(athlete_id=1, firstname="Paula", lastname="Smith")
    paula = new_visitor()
    sign_in(paula, 1)
    paula.open(path)
    reached: list[dict[str, Any]] = []
    wanted = paula.page.evaluate(REACHABLE)

    for _ in wanted:
        paula.page.keyboard.press("Tab")
        while reached and paula.page.evaluate(FOCUS)["place"] == reached[-1]["place"]:
            paula.page.keyboard.press("Tab")  # a date has a stop for each of its parts
        reached.append(paula.page.evaluate(FOCUS))

    assert [stop["place"] for stop in reached] == wanted
    assert all(stop["outlined"] for stop in reached)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        pytest.param("document.querySelector('.hint').style.color = '#888'", "contrast of 3", id="pale text"),
        pytest.param(
            "document.querySelector('label').replaceWith(...document.querySelector('label').children)",
            "no label says what private is",
            id="field without label",
        ),
        pytest.param("document.querySelector('main').append(document.createElement('h1'))", "2 main headings", id="h1"),
        pytest.param(
            "document.querySelector('button').style = 'padding: 0; min-height: 20px'",
            "too small for a finger",
            id="small",
        ),
        pytest.param("document.querySelector('h1').style.width = '2000px'", "scrolls sideways", id="wide"),
        pytest.param("document.documentElement.lang = ''", "names no language", id="language"),
    ],
)
def test_audit_finds_what_was_spoilt(
    system: Installation, new_visitor: Callable[[], Visitor], spoil: str, fault: str
) -> None:
    visitor = new_visitor()
    visitor.open("/")
    assert faults(visitor.page) == []

    visitor.page.evaluate(f"() => {{ {spoil} }}")

    assert any(fault in found for found in faults(visitor.page))
