"""An HTTP server that simulates Strava's API v3 and is at least as strict."""
