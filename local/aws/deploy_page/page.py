"""The shell commands of a page, as a reader would type them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

_PART = re.compile(r"^## (?P<section>[^\n]+)$|^```(?P<language>[a-z]*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = "sh"


@dataclass(frozen=True, slots=True)
class PageCommand:
    """One command, of one line or several, with its heading."""

    section: str
    text: str

    @property
    def line(self) -> str:
        """Its first line without the comment."""
        return self.text.partition("\n")[0].partition("  #")[0].strip()


def commands(page: str) -> Iterator[PageCommand]:
    """The commands of the page's blocks for the shell, in their order.

    Errors: `ValueError` for a block that says no language, and for one that ends within a command.
    """
    section = ""
    for part in _PART.finditer(page):
        if part["section"]:
            section = part["section"]
        elif not part["language"]:
            raise ValueError(f"A block of {section!r} does not say its language: ```sh, or another one.")
        elif part["language"] == _SHELL:
            yield from (PageCommand(section, text) for text in _split(part["body"]))


def _split(block: str) -> Iterator[str]:
    command = ""
    for line in block.splitlines():
        command = f"{command}\n{line}" if command else line
        if command.strip() and _is_whole(command):
            yield command
            command = ""
    if command.strip():
        raise ValueError(f"A block ends within a command: {command!r}.")


def _is_whole(command: str) -> bool:
    """Whether bash could run it: bash warns of a here-document without an end, and refuses an unfinished command."""
    done = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
    return not done.returncode and not done.stderr and not command.endswith("\\")
