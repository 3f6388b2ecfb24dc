"""Strava's answers as rows of the lake's tables."""
