"""Installations with a simulated Strava and a manual clock, for tests, proofs and pictures of pages."""
