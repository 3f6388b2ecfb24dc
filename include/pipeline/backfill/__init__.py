"""`strava_backfill`: an athlete's history, a share in each run."""
