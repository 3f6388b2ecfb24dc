"""Confirms that many activities of an athlete were deleted at Strava: `python -m ops.removals 71`."""

from __future__ import annotations

from typing import Annotated

import typer

from include.pipeline.ingest.removal import confirm_removals
from include.pipeline.services import open_services
from ops.command import run
from ops.installation import WHICH, installed_settings

app = typer.Typer(add_completion=False)


@app.command(epilog=WHICH)
def main(athlete_id: Annotated[int, typer.Argument(min=1, help="Strava's id of the athlete.")]) -> None:
    """Resume removals that stopped because too many activities disappeared at once; each is checked at Strava again."""
    with open_services(installed_settings("removes activities gone at Strava")) as services:
        count = confirm_removals(services, athlete_id)
    print(f"{count} activities of athlete {athlete_id} are checked at Strava again, and removed if they are gone.")


if __name__ == "__main__":
    run(app)
