"""The simulator's routes: Strava's own, and those that control the simulation."""
