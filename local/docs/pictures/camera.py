"""Takes pictures of pages as they look on a phone, light and dark, and on a desk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page


@dataclass(frozen=True, slots=True)
class View:
    """A screen and what its owner prefers."""

    name: str
    width: int
    color_scheme: Literal["light", "dark"]


VIEWS = (View("phone", 390, "light"), View("phone-dark", 390, "dark"), View("desktop", 1280, "light"))
_COLOURS = 96
_LOW = 300
"""So low a screen that every page fills it: a full picture ends where the page does."""


def file_name(scene: str, view: View) -> str:
    """The picture's name in its folder."""
    return f"{scene}-{view.name}.webp"


@dataclass(frozen=True, slots=True)
class Camera:
    """Puts small pictures into a folder."""

    folder: Path

    def take(self, scene: str, page: Page, views: Iterable[View] = VIEWS) -> None:
        """A picture of the whole page in each of the views; the page is left as it was."""
        with _as_it_was(page):
            for view in views:
                page.set_viewport_size({"width": view.width, "height": _LOW})
                page.emulate_media(color_scheme=view.color_scheme)
                png = page.screenshot(full_page=True, animations="disabled", caret="hide")
                (self.folder / file_name(scene, view)).write_bytes(shrink(png))


def shrink(png: bytes) -> bytes:
    """The same picture as WebP, in at most `_COLOURS`: a page has few, so that says the same in far fewer bytes."""
    small = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        colours = picture.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        colours.convert("RGB").save(small, "WEBP", lossless=True, quality=100, method=5)
    return small.getvalue()


@contextmanager
def _as_it_was(page: Page) -> Iterator[None]:
    size = page.viewport_size
    yield
    page.emulate_media(color_scheme="light")
    if size:
        page.set_viewport_size(size)
