"""`strava_erase`: the end of an access, and the removal of everything that is kept of an athlete."""
