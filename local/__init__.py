"""Runs the whole system on one machine: process supervisor, Strava simulator, demo. Not needed in production."""
