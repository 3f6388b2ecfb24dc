"""HTTP calls to Strava: deadlines, answers and their errors."""
