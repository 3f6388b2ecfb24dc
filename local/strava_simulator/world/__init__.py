"""The state of the simulated Strava: athletes, applications, activities, uploads and events."""
