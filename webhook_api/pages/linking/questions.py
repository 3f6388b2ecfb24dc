"""The page that asks for confirmation before an action, and says how long the action can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Question:
    """A question before an action, its consequences, and the two buttons."""

    title: str
    points: tuple[str | Markup, ...]
    """The consequences; a name in one is `foreign`, so that it cannot change the sentence around it."""
    button: str
    address: str
    """The address to which a yes is posted."""
    back: str
    """The address of the page to which a no leads."""
    seen: str = ""
    """The fingerprint of the proposal that is answered."""


def ask(question: Question) -> str:
    """The page with the question."""
    return render_template("ask.html", question=question)
