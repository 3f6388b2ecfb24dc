"""The page of pictures, which needs no browser to be read."""

from __future__ import annotations

import re

from include.setting_values import EXAMPLES
from include.settings import Settings
from local.docs.pictures.camera import VIEWS, file_name
from local.docs.pictures.gallery import FOLDER, PAGE, render
from local.docs.pictures.scenes import SCENES
from webhook_api.app import create_app

NOT_SHOWN = {"/sign-in", "/connect", "/connect/again", "/webhook/…", "/health", "/static/…"} | {
    "/.well-known/security.txt",
}
"""What leads on to Strava, and what is not for people."""

QUESTIONS = {
    "/invite/…/decline",
    "/me/invites/…/withdraw",
    "/me/children/…/withdraw",
    "/me/parents/…/end",
}
"""What asks before it ends something, on the same page as `/me/children/…/remove`."""


def test_page_shows_every_scene() -> None:
    assert PAGE.read_text() == render(), "run `make pictures`"


def test_there_is_a_picture_of_every_scene_in_each_of_its_views_and_no_other() -> None:
    wanted = {file_name(name, view) for name, scene in SCENES.items() for view in scene.views}

    assert {path.name for path in FOLDER.iterdir()} == wanted, (
        "give each scene a step in local/docs/pictures/story.py, then run `make pictures`"
    )


def test_every_template_that_a_scene_shows_is_shown_in_every_view() -> None:
    """A page of one route may have several states; one of them at least is shown dark, and on a desk."""
    shown = {scene.route for scene in SCENES.values() if scene.views == VIEWS}

    assert {scene.route for scene in SCENES.values()} - shown == {"anywhere else", "any form"} | {
        "/me/invites",
        "/me/children/…",
    }, "those look like a problem page, or like the form of an invitation"


def test_pictures_are_small_enough_to_be_kept() -> None:
    total_bytes = sum(path.stat().st_size for path in FOLDER.iterdir())

    assert total_bytes < 3_000_000, "show fewer scenes, or have a higher limit agreed: git keeps every picture"


def test_every_route_that_people_see_has_a_scene() -> None:
    rules = create_app(Settings.from_environ(EXAMPLES)).url_map.iter_rules()
    routes = {re.sub(r"<.*>", "…", rule.rule) for rule in rules if "GET" in (rule.methods or ())}

    shown = {scene.route for scene in SCENES.values()}
    assert routes - NOT_SHOWN - QUESTIONS - shown == set(), (
        "give each a scene in local/docs/pictures/scenes.py, or say that it has none"
    )
