"""The page that asks once before something ends, and says how long that can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Question:
    """What is about to happen, and the two ways on."""

    title: str
    points: tuple[str | Markup, ...]
    """A name in one is `foreign`, so that it turns nothing of the sentence around."""
    button: str
    address: str
    """Where the answer is sent."""
    back: str
    """Where everything stays as it is."""
    seen: str = ""
    """The fingerprint of what the answer is about."""


def ask(question: Question) -> str:
    """The page with the question."""
    return render_template("ask.html", question=question)
