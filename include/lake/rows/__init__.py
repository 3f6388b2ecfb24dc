"""What Strava answers, as rows of the lake's tables."""
