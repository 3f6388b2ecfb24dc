"""The one world in which tests, proofs and pages play: a simulated Strava, an installation, and a clock set by hand."""
