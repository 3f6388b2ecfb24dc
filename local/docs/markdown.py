"""Tables, paragraphs and items of lists in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

_LINE = 120


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows under their headings, each cell on one line."""
    return "\n".join(_line(cells) for cells in (headings, ["---"] * len(headings), *rows))


def paragraph(text: str) -> str:
    """The text in lines of at most 120 characters; a word that is longer stays whole."""
    return _wrapped(text, first="", rest="")


def item(text: str) -> str:
    """The text as one item of a list, in lines of at most 120 characters."""
    return _wrapped(text, first="- ", rest="  ")


def _wrapped(text: str, *, first: str, rest: str) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        width=_LINE,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
