"""The page that says what the service keeps of an athlete, made of the code and the settings."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webhook_api.edge import current_edge

blueprint = Blueprint("privacy", __name__)


@blueprint.get("/privacy")
def show() -> ResponseReturnValue:
    """Show the scopes and why, what is kept, where and for how long, the athlete's rights, and how to leave."""
    from webhook_api.site.disclosure import disclose

    return render_template("site/privacy.html", disclosed=disclose(current_edge().settings))
