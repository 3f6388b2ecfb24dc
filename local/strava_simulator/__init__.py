"""An HTTP server that answers as Strava's API v3 does, and is as strict as Strava, or stricter."""
