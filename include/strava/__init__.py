"""Strava's API v3 as typed calls: what it answers, what its errors mean, how its quota is counted."""
