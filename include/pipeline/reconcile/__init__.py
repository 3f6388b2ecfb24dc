"""`strava_reconcile`: work that waits in the ledgers, and differences between Strava's lists and the ledgers."""
