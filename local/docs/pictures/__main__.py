"""Takes a picture of every page, in a browser: `python -m local.docs.pictures`."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

from local.docs.pictures.browser import NO_BROWSER, browser_path
from local.docs.pictures.camera import Camera
from local.docs.pictures.gallery import FOLDER, PAGE, render
from local.docs.pictures.scenes import SCENES
from local.docs.pictures.story import Story
from local.testbed.installation import one_process

_MORNING = datetime(2026, 6, 17, 6, 34, tzinfo=UTC).timestamp()
"""When the story begins; the pictures are the same every time."""


def main() -> None:
    """Write the pictures and the page that shows them."""
    path = browser_path()
    if path is None:
        sys.exit(NO_BROWSER)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    with (
        tempfile.TemporaryDirectory() as state,
        one_process(Path(state), now_epoch_s=_MORNING) as system,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path)
        camera = Camera(FOLDER)
        Story(system, browser, lambda scene, page: camera.take(scene, page, SCENES[scene].views)).play()
        browser.close()
    PAGE.write_text(render())
    pictures = list(FOLDER.iterdir())
    print(f"{len(pictures)} pictures, {sum(picture.stat().st_size for picture in pictures) / 1e6:.1f} MB: {PAGE}")


if __name__ == "__main__":
    main()
