"""Parses uploaded files as Strava does."""
