"""Which pages there are, and how each is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from local.docs import dags, errors, queries, settings
from local.environment import REPOSITORY

PAGES: Mapping[str, Callable[[], str]] = {
    "errors": errors.render,
    "dags": dags.render,
    "settings": settings.render,
    "queries": queries.render,
}
"""Every page by its name."""


def page_path(name: str) -> Path:
    """Where a page lies."""
    return REPOSITORY / "docs" / f"{name}.md"


def write(name: str) -> bool:
    """Bring a page up to date; whether it changed."""
    path, text = page_path(name), PAGES[name]()
    if path.is_file() and path.read_text() == text:
        return False
    path.write_text(text)
    return True
