"""`strava_ingest`: copies of an activity in the accounts of children."""
