"""Uploaded files, read as Strava reads them."""
