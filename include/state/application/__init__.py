"""The ledgers of the application at Strava: its quota, its subscription, and the outages that stop it."""
