"""`docs/pages.md`: every page of the web edge as it looks, with its route and what it is for."""

from __future__ import annotations

from local.docs.pictures.camera import file_name
from local.docs.pictures.scenes import SCENES
from ops.repository import REPOSITORY

PAGE = REPOSITORY / "docs" / "pages.md"
FOLDER = REPOSITORY / "docs" / "images" / "pages"
_WIDTHS = {"phone": 200, "phone-dark": 200, "desktop": 420}

_INTRODUCTION = """# Pages

Every page in the states that it has something to say in: on a phone, light and dark, and on a desk; a second state of
the same page on a phone only. The order is that of a family's walk: Paula connects, invites Rex and copies to him; a
week later she asks for more than was agreed, hears a no, asks for less and hears a yes; in the end Rex leaves.

`make pictures` walks them in a real browser and makes this page; the same walk is a test, which looks in every state
for what a screen reader, a keyboard or weak eyes would stumble over.
"""


def render() -> str:
    """The page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(name) for name in SCENES)])


def _section(name: str) -> str:
    scene = SCENES[name]
    pictures = [
        f'<img src="images/pages/{file_name(name, view)}" width="{_WIDTHS[view.name]}" '
        f'alt="{scene.heading}, {view.name.replace("-", ", ")}">'
        for view in scene.views
    ]
    return "\n".join([f"## {scene.heading}", "", f"`{scene.route}` – {scene.purpose}", "", *pictures, ""])
