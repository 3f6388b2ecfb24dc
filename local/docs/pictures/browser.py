"""Which browser there is."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = f"There is no browser: none of {', '.join(NAMES)} is on PATH; `apt-get install chromium` brings one."


def browser_path() -> str | None:
    """The program to start; None where none of `NAMES` is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)
