"""`strava_retention`: what has expired is removed, and the rest is compared with the ledger."""
