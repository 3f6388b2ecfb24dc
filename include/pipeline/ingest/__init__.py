"""`strava_ingest`: from webhook events to activities in the lake."""
