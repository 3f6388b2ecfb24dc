"""Strava's API v3 as typed calls, with its errors and its quota."""
