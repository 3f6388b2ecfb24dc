"""The simulator's routes: Strava's own, and the ones that control the simulation."""
