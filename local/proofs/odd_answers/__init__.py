"""Gives every odd answer to every call to Strava, and checks the outcome."""
