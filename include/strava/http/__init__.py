"""HTTP with Strava: calls, deadlines, answers, and which answer is which error."""
